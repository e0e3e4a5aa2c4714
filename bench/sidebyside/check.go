package sidebyside

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"siglab/bench/compare"
	"siglab/bench/peerfiles"
	"siglab/bench/vllmbench"
)

// How far settings and work may be apart, relative.
const (
	sameWork     = 0.01 // tokens and rates
	sameDuration = 0.10
)

// How far the requests per second may be from the rate, as a factor; the last answers
// and the chance of a short Poisson schedule take some.
const (
	fastPace = 1.3
	slowPace = 0.7
)

// check looks for what makes the results incomparable (obstacles), and for what a
// reader should know.
func check(baseline, candidate []peerfiles.Result) (obstacles, caveats []compare.Warning) {
	a, b := side{"baseline", baseline}, side{"candidate", candidate}
	for _, found := range [][]compare.Warning{
		tools(a, b), backends(a, b), unfit(a, b), layouts(a, b), a.mixed(), b.mixed(), a.repeated(b), settings(a, b), failures(a, b),
	} {
		obstacles = append(obstacles, found...)
	}
	return obstacles, slices.Concat(circumstances(a, b), a.pace(), b.pace(), a.notes(b), cutOff(a, b))
}

// circumstances are what may differ without making the results incomparable.
func circumstances(a, b side) []compare.Warning {
	var out []compare.Warning
	if x, y := average(a.runs, "duration"), average(b.runs, "duration"); apart(x, y, sameDuration) {
		out = append(out, warning("different-durations", "The runs lasted %s s and %s s (baseline, candidate): one side stalled, drained longer, or had another schedule.", short(x), short(y)))
	}
	for _, what := range [...]struct {
		code, text string
		of         func(peerfiles.Result) string
	}{
		{"different-versions", "The results come from different versions of the tool, whose definitions may differ", func(r peerfiles.Result) string { return r.Version }},
		{"different-models", "The models have different names", func(r peerfiles.Result) string { return r.About.Model }},
		{"different-workloads", "The runs replayed different workloads", func(r peerfiles.Result) string { return r.Workload }},
		{"different-hosts", "The runs were made on different machines", func(r peerfiles.Result) string { return r.Host }},
	} {
		if x, y := a.names(what.of), b.names(what.of); x != "" && y != "" && x != y && a.names(tool) == b.names(tool) {
			out = append(out, warning(what.code, "%s: %s; %s (baseline; candidate).", what.text, x, y))
		}
	}
	return out
}

// pace finds runs whose rate was not the one that was asked for.
func (s side) pace() []compare.Warning {
	for _, r := range s.runs {
		asked, ok1 := r.Get("request_rate")
		got, ok2 := r.Get("request_throughput")
		completed, _ := r.Get("completed")
		failed, _ := r.Get("failed")
		if completed > 0 {
			got *= (completed + failed) / completed
		}
		switch {
		case !ok1 || !ok2 || asked <= 0 || got <= 0:
		case got > asked*fastPace:
			return []compare.Warning{warning("rate-not-kept", "%s: requests were sent at about %s/s where %s/s were asked for: its arrivals were others.", r.Source, short(got), short(asked))}
		case got < asked*slowPace:
			return []compare.Warning{warning("rate-not-kept", "%s: %s requests/s were answered where %s/s were asked for: the server did not keep up, or the run ended with a long answer.", r.Source, short(got), short(asked))}
		}
	}
	return nil
}

// side is one side with its name.
type side struct {
	name string
	runs []peerfiles.Result
}

func tool(r peerfiles.Result) string { return r.Tool }

func backend(r peerfiles.Result) string { return r.About.Backend }

// names are the different answers of the runs, those that have one.
func (s side) names(of func(peerfiles.Result) string) string {
	var all []string
	for _, r := range s.runs {
		if name := of(r); name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// tools that differ measure with other clients, whose own error differs by as much as
// the effects that people look for.
func tools(a, b side) []compare.Warning {
	if x, y := a.names(tool), b.names(tool); x != y || strings.Contains(x, ", ") {
		return []compare.Warning{warning("different-tools", "The results come from different tools (baseline: %s; candidate: %s): their definitions differ, and so do the delays of the clients themselves, by milliseconds.", x, y)}
	}
	return nil
}

// backends that differ send other requests: a chat template, and a role chunk that
// counts as the first token.
func backends(a, b side) []compare.Warning {
	if x, y := a.names(backend), b.names(backend); x != "" && y != "" && x != y {
		return []compare.Warning{warning("different-backends", "The requests went through different protocols: %s and %s (baseline, candidate).", x, y)}
	}
	return nil
}

// unfit repeats what forbids a verdict over a single result.
func unfit(a, b side) []compare.Warning {
	var out []compare.Warning
	for _, r := range append(append([]peerfiles.Result{}, a.runs...), b.runs...) {
		for _, n := range r.Notes {
			w := compare.Warning{Code: n.Code, Text: n.Text}
			if forbids(n.Code) && !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	return out
}

// forbids reports whether a note about a file forbids a verdict over it.
func forbids(code string) bool {
	return code == "not-valid" || code == "cancelled" || code == "mixed-stages" || code == "repeated-gaps"
}

// layouts finds changes of the meaning of vLLM's numbers between the sides.
func layouts(a, b side) []compare.Warning {
	var what []string
	for _, x := range a.runs {
		for _, y := range b.runs {
			for _, c := range vllmbench.ChangesBetween(x.About.Built, y.About.Built) {
				text := fmt.Sprintf("since %s %s", c.Day.Format(time.DateOnly), c.What)
				if !slices.Contains(what, text) {
					what = append(what, text)
				}
			}
		}
	}
	if len(what) == 0 {
		return nil
	}
	slices.Sort(what)
	return []compare.Warning{warning("versions-differ", "The files were written by versions of `vllm bench serve` between which the meaning of its numbers changed: %s.", strings.Join(what, "; "))}
}

// comparedSettings are what must agree between the sides, within a tolerance.
var comparedSettings = [...]struct {
	code, key, what string
	tolerance       float64
}{
	{"different-rates", "request_rate", "request rates", sameWork},
	{"different-concurrency", "max_concurrency", "limits of concurrency", 0},
	{"different-prompts", "prompts", "numbers of requests", 0},
	{"different-input-tokens", "total_input_tokens", "totals of input tokens", sameWork},
	{"different-output-tokens", "total_output_tokens", "totals of output tokens", sameWork},
}

// settings compares what the sides were asked to do and did.
func settings(a, b side) []compare.Warning {
	var out []compare.Warning
	for _, s := range comparedSettings {
		x, y := a.setting(s.key), b.setting(s.key)
		if apart(x, y, s.tolerance) {
			out = append(out, warning(s.code, "The %s differ: %s and %s (baseline, candidate).", s.what, setting(x), setting(y)))
		}
	}
	return out
}

// setting is the average over the runs, +Inf for no limit, NaN if unknown.
func (s side) setting(key string) float64 {
	sum := 0.0
	for _, r := range s.runs {
		sum += settingOf(r, key)
	}
	return sum / float64(len(s.runs))
}

func settingOf(r peerfiles.Result, key string) float64 {
	v, ok := r.Get(key)
	switch {
	case ok:
		return v
	case key == "request_rate" && r.About.Endless, key == "max_concurrency" && saysLimit(r.Tool):
		return math.Inf(1)
	case key == "prompts" && r.About.Prompts > 0:
		return float64(r.About.Prompts)
	case key == "prompts":
		completed, ok := r.Get("completed")
		failed, _ := r.Get("failed")
		if ok {
			return completed + failed
		}
	}
	return math.NaN()
}

// saysLimit reports whether a tool that says no limit of concurrency had none.
func saysLimit(tool string) bool {
	return tool == vllmbench.VLLM || tool == vllmbench.RustClient || tool == vllmbench.SGLang
}

// apart reports whether two numbers differ by more than a share; unknown ones do not.
func apart(x, y, tolerance float64) bool {
	if math.IsNaN(x) || math.IsNaN(y) || x == y {
		return false
	}
	return math.IsInf(x-y, 0) || math.Abs(x-y) > tolerance*max(math.Abs(x), math.Abs(y))
}

// mixed finds repeats that are none: their settings or their work differ.
func (s side) mixed() []compare.Warning {
	for _, what := range comparedSettings {
		for _, r := range s.runs[1:] {
			x, y := settingOf(s.runs[0], what.key), settingOf(r, what.key)
			if apart(x, y, what.tolerance) {
				return []compare.Warning{warning("mixed-repeats", "The %s's runs are no repeats: %s and %s have different %s (%s, %s).", s.name, s.runs[0].Source, r.Source, what.what, setting(x), setting(y))}
			}
		}
	}
	return nil
}

// repeated finds one result given twice, which would pass for agreement.
func (s side) repeated(other side) []compare.Warning {
	all := append(append([]peerfiles.Result{}, s.runs...), other.runs...)
	for i, r := range all {
		for j, before := range all[:i] {
			inOneSide := (i < len(s.runs)) == (j < len(s.runs))
			if inOneSide && slices.Equal(r.Metrics, before.Metrics) || r.Source == before.Source && r.Source != "" {
				return []compare.Warning{warning("same-result", "%s and %s are the same result: a run counts once.", before.Source, r.Source)}
			}
		}
	}
	return nil
}

// failures in one side make its latencies those of the requests that survived.
func failures(a, b side) []compare.Warning {
	var out []compare.Warning
	x, y := a.failed(), b.failed()
	switch {
	case x == 1:
		out = append(out, warning("no-successes", "No request was answered in a run of the %s.", a.name))
	case y == 1:
		out = append(out, warning("no-successes", "No request was answered in a run of the %s.", b.name))
	case apart(x, y, 0):
		out = append(out, warning("failed-requests", "The shares of failed requests differ: %.1f %% and %.1f %% (baseline, candidate); latencies are of the others only.", 100*x, 100*y))
	}
	return out
}

// failed is the largest share of failed requests in a run, NaN if one does not count
// them.
func (s side) failed() float64 {
	worst := 0.0
	for _, r := range s.runs {
		completed, ok := r.Get("completed")
		failed, counted := r.Get("failed")
		switch {
		case ok && completed == 0:
			return 1
		case !ok || !counted:
			worst = math.NaN()
		case !math.IsNaN(worst):
			worst = max(worst, failed/(completed+failed))
		}
	}
	return worst
}

// notes are those of the files that are not about one latency, and not said
// otherwise.
func (s side) notes(other side) []compare.Warning {
	var out []compare.Warning
	for _, r := range append(append([]peerfiles.Result{}, s.runs...), other.runs...) {
		for _, n := range r.Notes {
			w := compare.Warning{Code: n.Code, Text: n.Text}
			if n.Section == "" && !forbids(n.Code) && n.Code != "no-successes" && n.Code != "cut-off" && !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	return out
}

func cutOff(a, b side) []compare.Warning {
	var out []compare.Warning
	for _, r := range append(append([]peerfiles.Result{}, a.runs...), b.runs...) {
		if r.About.CutOff {
			out = append(out, warning("cut-off", "The result in %s is cut off: its last lines may be missing.", r.Source))
		}
	}
	return out
}

func setting(v float64) string {
	if math.IsInf(v, 1) {
		return "no limit"
	}
	return short(v)
}

// short prints a number without needless digits.
func short(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.4g", v)
}
