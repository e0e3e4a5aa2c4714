package compare

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"siglab/bench/record"
)

// checkTrigger: the code under test ran, and the other arms' did not: what each variant
// says must have moved in a block, or must not, else that every image that is answered
// has its positions resampled by the arm's own mode.
func checkTrigger(s *study) finding {
	if len(s.pairs) == 0 {
		return unchecked(noPairs)
	}
	var all, problems []string
	declared := slices.ContainsFunc(s.arms, func(v record.Variant) bool { return v.Trigger != nil })
	for arm, v := range s.arms {
		var text string
		var ok bool
		var missing *finding
		switch {
		case v.Trigger != nil:
			text, ok, missing = s.moved(arm)
		case v.Mode != "":
			text, ok, missing = s.resampled(arm)
		case declared:
			text, ok = fmt.Sprintf("variant %q declares none", v.Name), true
		default:
			return unchecked("variant %q%s declares no mode and no trigger, so what it should run is not known", v.Name, ofKind(v))
		}
		if missing != nil {
			return *missing
		}
		all = append(all, text)
		if !ok {
			problems = append(problems, text)
		}
	}
	return outcome(problems, strings.Join(all, "; "))
}

// resampled checks that an arm of the embedded server ran its own mode alone.
func (s *study) resampled(arm int) (text string, ok bool, missing *finding) {
	v := s.arms[arm]
	answered := 0
	byMode := map[string]int64{}
	for _, b := range s.counted(arm) {
		if !b.Server.Scraped {
			f := unchecked("block %d of variant %q: %s", b.ID, v.Name, notScraped(b))
			return "", false, &f
		}
		answered += b.answered()
		for key, n := range b.Server.Resamples {
			mode, _, _, split := record.ParseResampleKey(key)
			if !split {
				mode = key
			}
			byMode[mode] += n
		}
	}
	text = fmt.Sprintf("variant %q: %s in %d answered requests", v.Name, modeCounts(byMode, v.Mode), answered)
	others := len(byMode)
	if _, own := byMode[v.Mode]; own {
		others--
	}
	if byMode[v.Mode] < int64(answered) || byMode[v.Mode] == 0 || others > 0 {
		return fmt.Sprintf("%s, where only %s is expected, at least once each", text, v.Mode), false, nil
	}
	return text, true, nil
}

// moved checks the trigger that a variant declares, in each of its blocks.
func (s *study) moved(arm int) (text string, ok bool, missing *finding) {
	v := s.arms[arm]
	least := v.Trigger.AtLeast
	if least == 0 {
		least = 1
	}
	var parts []string
	for _, part := range []struct {
		what, name string
		count      func(*record.TriggerCount) *float64
	}{
		{fmt.Sprintf("lines of its log match %q", v.Trigger.Log), v.Trigger.Log, func(c *record.TriggerCount) *float64 { return c.Log }},
		{v.Trigger.Metric, v.Trigger.Metric, func(c *record.TriggerCount) *float64 { return c.Metric }},
	} {
		if part.name == "" {
			continue
		}
		low, high, detail := math.Inf(1), math.Inf(-1), ""
		for _, b := range s.counted(arm) {
			if b.Trigger == nil || part.count(b.Trigger) == nil {
				reason := "it was not counted"
				if b.Trigger != nil && b.Trigger.Detail != "" {
					reason = b.Trigger.Detail
				}
				f := unchecked("block %d of variant %q: %s", b.ID, v.Name, reason)
				return "", false, &f
			}
			n := *part.count(b.Trigger)
			low, high = min(low, n), max(high, n)
			if b.Trigger.Detail != "" {
				detail = " (" + b.Trigger.Detail + ")"
			}
		}
		want := fmt.Sprintf("at least %g", least)
		fine := low >= least
		if v.Trigger.None {
			want, fine = "none", low == 0 && high == 0
		}
		parts = append(parts, fmt.Sprintf("variant %q: %s: %g to %g per block%s, %s expected", v.Name, part.what, low, high, detail, want))
		if !fine {
			return parts[len(parts)-1], false, nil
		}
	}
	return strings.Join(parts, "; "), true, nil
}

// modeCounts writes how often each mode ran, the expected one even if it did not.
func modeCounts(byMode map[string]int64, expected string) string {
	counts := maps.Clone(byMode)
	counts[expected] += 0
	var out []string
	for _, mode := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, fmt.Sprintf("%d resamplings by %s", counts[mode], mode))
	}
	return strings.Join(out, " and ")
}

func notScraped(b *block) string {
	if b.Server.Detail != "" {
		return "its metrics were not read: " + b.Server.Detail
	}
	return "its metrics were not read"
}

// checkCode: every arm's server runs the code that it should. Those from a git ref were
// asked for what they had loaded before any traffic; the embedded servers say which code
// they are, and are all the same, since what differs between them is the mode.
func checkCode(s *study) finding {
	servers := s.run.Manifest.Environment.Servers
	var all, problems []string
	var unknown *finding
	builtin := -1 // the first that is embedded
	for i, v := range s.arms {
		said := ""
		if i < len(servers) {
			said = servers[i]
		}
		switch {
		case v.Source != nil:
			text, found := s.loaded(v)
			switch found {
			case record.CodeRight:
				all = append(all, text)
			case record.CodeWrong:
				problems = append(problems, text)
			default:
				unknown = cmp.Or(unknown, &finding{notChecked, text})
			}
		case foreign(v):
			f := unchecked("variant %q%s said version %q, which does not tell the code that it loaded", v.Name, ofKind(v), said)
			if said == "" {
				f = unchecked("variant %q%s said no version", v.Name, ofKind(v))
			}
			unknown = cmp.Or(unknown, &f)
		case said == "":
			f := unchecked("the server of variant %q did not say its version", v.Name)
			unknown = cmp.Or(unknown, &f)
		case builtin < 0:
			builtin = i
			all = append(all, fmt.Sprintf("every variant runs %q", said))
		case said != servers[builtin]:
			problems = append(problems, fmt.Sprintf("variant %q runs %q, %q runs %q", s.arms[builtin].Name, servers[builtin], v.Name, said))
		}
	}
	if len(problems) == 0 && unknown != nil {
		return *unknown
	}
	return outcome(problems, strings.Join(all, "; "))
}

// loaded is what was found out about the code of a variant that is from a git ref.
func (s *study) loaded(v record.Variant) (string, record.CodeVerdict) {
	for _, code := range s.run.Manifest.Code {
		if code.Variant == v.Name {
			return fmt.Sprintf("variant %q: %s", v.Name, code.Detail), code.Found
		}
	}
	return fmt.Sprintf("variant %q was not asked which code it had loaded", v.Name), record.CodeUnknown
}

func foreign(v record.Variant) bool { return v.Kind == record.KindURL || v.Kind == record.KindCommand }

// ofKind tells a server that is not this program's own.
func ofKind(v record.Variant) string {
	switch v.Kind {
	case record.KindURL:
		return " (a server at " + v.URL + ")"
	case record.KindCommand:
		if v.Source != nil {
			return fmt.Sprintf(" (%s at %.12s)", v.Source.Ref, v.Source.Commit)
		}
		return " (a server by command)"
	}
	return ""
}

// Bounds of the gate on what client and server say of the same TTFT.
const (
	fewestForGap  = 30
	mostGapApart  = 0.5 // ms
	mostGapEffect = 0.1 // of the measured effect
)

// checkServerGap: what lies between the server's clock and the client's is the same
// in all arms, so the client's difference is the server's. An injected delay lies
// after the server's arrival stamp, so both contain it.
func checkServerGap(s *study) finding {
	if reason, can := s.comparable(); !can {
		return unchecked("%s", reason)
	}
	client, server := make([]float64, len(s.arms)), make([]float64, len(s.arms))
	for arm, v := range s.arms {
		times := clientTTFTs(s.observations(arm))
		if len(times) < fewestForGap {
			return unchecked("variant %q: %d answered requests, too few for a mean (%d at least)", v.Name, len(times), fewestForGap)
		}
		client[arm] = mean(times)
		var sum, count float64
		for _, b := range s.counted(arm) {
			if !b.Server.Scraped {
				return unchecked("block %d of variant %q: %s", b.ID, v.Name, notScraped(b))
			}
			sum, count = sum+b.Server.TTFTSum, count+b.Server.TTFTCount
		}
		if count <= 0 {
			return unchecked("variant %q: its server counts no TTFT", v.Name)
		}
		server[arm] = 1000 * sum / count
	}
	var all, problems []string
	base := client[0] - server[0]
	for _, c := range s.candidates() {
		gap := client[c] - server[c]
		bound := max(mostGapApart, mostGapEffect*math.Abs(client[c]-client[0]))
		text := fmt.Sprintf("mean TTFT at the client less that at the server: %.3f ms (%s) and %.3f ms (%s), at most %.3f ms apart", base, s.arms[0].Name, gap, s.arms[c].Name, bound)
		all = append(all, text)
		if !(math.Abs(gap-base) <= bound) {
			problems = append(problems, text)
		}
	}
	return outcome(problems, strings.Join(all, "; "))
}

// clientTTFTs are the times from the send to the first token, in ms, of answered
// requests: the part of the TTFT that a server can see.
func clientTTFTs(observations []*record.Observation) []float64 {
	var out []float64
	for _, o := range observations {
		if o.OK() {
			out = append(out, milliseconds(o.FirstToken-o.Sent))
		}
	}
	return out
}
