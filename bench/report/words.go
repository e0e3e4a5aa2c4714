package report

import (
	"fmt"
	"math"
	"strings"

	"siglab/bench/compare"
	"siglab/bench/record"
)

// sentence says in words what was found for one metric.
func sentence(c *compare.Comparison, m compare.Metric) string {
	name := strings.ToLower(label(m.Metric)[:1]) + label(m.Metric)[1:]
	base := c.Manifest.Variants[0].Name
	switch m.Verdict {
	case compare.Faster, compare.Slower:
		return fmt.Sprintf("%s: %s is %s than %s: %s, %s (Holm-adjusted p %s, %s)", name, m.Variant, m.Verdict, base,
			percentInterval(m.Percent), absoluteInterval(m.Absolute, m.Unit), probability(m.PHolm), pairCount(c, len(m.Pairs)))
	case compare.Equivalent:
		return fmt.Sprintf("%s: %s and %s are equivalent within ±%g %%: %s", name, m.Variant, base, 100*c.Manifest.Experiment.Equivalence, percentInterval(m.Percent))
	case compare.Inconclusive:
		text := fmt.Sprintf("%s: inconclusive: %s against %s, %s", name, m.Variant, base, percentInterval(m.Percent))
		if m.Percent.Low > 0 || m.Percent.High < 0 {
			text += fmt.Sprintf(", which excludes 0 but is not enough among all primaries (Holm-adjusted p %s)", probability(m.PHolm))
		}
		switch {
		case m.MDE > 100:
			text += "; this run would have found only a change of more than 100 %"
		case known(m.MDE):
			text += fmt.Sprintf("; this run would have found a change of %.1f %%", m.MDE)
		}
		if m.MorePairs > 0 {
			text += fmt.Sprintf("; about %s would decide", count(m.MorePairs, "more pair", "more pairs"))
		}
		return text
	}
	found := percentInterval(m.Percent)
	if !known(m.Percent.Value) {
		found = "there are no two values to compare"
	}
	text := fmt.Sprintf("%s: no verdict: %s against %s, %s", name, m.Variant, base, found)
	if !c.Valid {
		return text + " (a gate failed)"
	}
	for _, n := range m.Notes {
		return text + " (" + n.Text + ")"
	}
	return text
}

// stopped says why a run ended early. One whose manifest still says that it runs was
// killed, or is being looked at while it does.
func stopped(c *compare.Comparison) string {
	if c.Manifest.Stopped == "running" {
		return "killed, or still running"
	}
	return c.Manifest.Stopped
}

// pairCount is "6 pairs", or rounds where there are more than two variants.
func pairCount(c *compare.Comparison, n int) string {
	if len(c.Manifest.Variants) > 2 {
		return count(n, "round", "rounds")
	}
	return count(n, "pair", "pairs")
}

// headline is the result in one line.
func headline(c *compare.Comparison) string {
	if len(c.Manifest.Variants) < 2 {
		return "One variant: there is nothing to compare."
	}
	if !c.Valid {
		return "The run is not valid: there is no verdict."
	}
	var parts []string
	for _, variant := range c.Manifest.Variants[1:] {
		byVerdict := map[compare.Verdict][]string{}
		for _, m := range c.Metrics {
			if m.Primary && m.Variant == variant.Name {
				byVerdict[m.Verdict] = append(byVerdict[m.Verdict], label(m.Metric))
			}
		}
		var found []string
		for _, v := range []compare.Verdict{compare.Faster, compare.Slower, compare.Equivalent, compare.Inconclusive, compare.None} {
			if metrics := byVerdict[v]; len(metrics) > 0 {
				word := string(v)
				if v == compare.None {
					word = "no verdict"
				}
				found = append(found, word+" in "+strings.Join(metrics, ", "))
			}
		}
		parts = append(parts, fmt.Sprintf("%s against %s: %s.", variant.Name, c.Manifest.Variants[0].Name, strings.Join(found, "; ")))
	}
	return strings.Join(parts, " ")
}

// scope says what the comparison is of, and what it is not.
func scope(c *compare.Comparison) []string {
	m := c.Manifest
	var implementations []string
	eager, fused := false, false
	for _, v := range m.Variants {
		if v.Kind != "builtin" {
			return nil
		}
		implementations = append(implementations, fmt.Sprintf("%s = %s (%s)", v.Name, v.Mode, v.Convention))
		if isEager(v.Mode) {
			eager = true
		} else {
			fused = true
		}
	}
	lines := []string{
		fmt.Sprintf("This compares implementations inside the embedded engine, on this CPU (%s, %s): %s.", m.Environment.CPU, count(m.Environment.Cores, "core", "cores"), strings.Join(implementations, "; ")),
		"It claims nothing about a GPU, where both the kernels and what surrounds them cost something else.",
	}
	switch {
	case eager && fused && oneConvention(m.Variants):
		lines = append(lines, "One convention, computed in the form of eager torch (reference, bilinear) and in one fused pass (the other modes): the difference is the implementation.")
	case eager && fused:
		lines = append(lines, "reference and bilinear are computed in the form of eager torch, the other modes in one fused pass: where the conventions differ as well, both change together.")
	case eager:
		lines = append(lines, "All are computed in the form of eager torch; bilinear-fused and exact are the fair opponents of each other.")
	}
	if strings.HasPrefix(m.Experiment.Model, "random:") {
		lines = append(lines, m.Experiment.Model+" has random weights: the answers are noise, the work is real.")
	}
	for _, v := range m.Variants {
		if v.InjectDelay > 0 {
			lines = append(lines, fmt.Sprintf("Positive control: every request of %s is held up by %v.", v.Name, v.InjectDelay))
		}
	}
	return lines
}

// oneConvention reports whether all variants resample by the same convention.
func oneConvention(variants []record.Variant) bool {
	for _, v := range variants {
		if v.Convention != variants[0].Convention {
			return false
		}
	}
	return true
}

// isEager reports whether a mode is computed in the form of eager torch.
func isEager(mode string) bool { return mode == "reference" || mode == "bilinear" }

// kernelLines say how much of a request the change can be at all.
func kernelLines(c *compare.Comparison) []string {
	var lines []string
	for i, k := range c.Kernel {
		if !known(k.Resample) && k.Mode == "" {
			continue // a server that knows nothing of resampling
		}
		if !known(k.Resample) {
			lines = append(lines, k.Variant+": the server does not say how long resampling takes")
			continue
		}
		line := fmt.Sprintf("%s (%s): resampling takes %s ms per image, the vision tower %s ms with it, the median TTFT is %s ms: the kernel is %.2f %% of it",
			k.Variant, kernelName(k), value(k.Resample), value(k.Tower), value(k.TTFT), 100*k.Share)
		if i == 0 && known(k.Bound) && k.TTFT > 0 {
			line += fmt.Sprintf("; no other kernel can gain more than %s ms of TTFT (%.1f %%)", value(k.Bound), 100*k.Bound/k.TTFT)
		}
		if i > 0 && known(k.Tower) && known(c.Kernel[0].Tower) {
			line += fmt.Sprintf("; against %s the tower differs by %s ms, the kernel by %s ms", c.Kernel[0].Variant, signed(k.Tower-c.Kernel[0].Tower), signed(k.Resample-c.Kernel[0].Resample))
		}
		if i > 0 && known(k.Predicted) && known(k.Measured) {
			line += "; " + attribution(k, find(c, k.Variant, "median_ttft_ms").Absolute)
		}
		lines = append(lines, line)
	}
	return lines
}

// kernelName is the mode and the grids of a variant's kernel, and where its time is
// from if not from the server.
func kernelName(k compare.Kernel) string {
	var parts []string
	for _, part := range []string{k.Mode, k.Grids} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if k.Given {
		parts = append(parts, "time measured apart")
	}
	return strings.Join(parts, ", ")
}

// attribution sets the measured change of the median TTFT against what the kernels'
// difference explains.
func attribution(k compare.Kernel, measured compare.Interval) string {
	text := fmt.Sprintf("the kernels' difference explains %s ms of TTFT, measured is %s", signed(k.Predicted), absoluteInterval(measured, "ms"))
	switch {
	case !known(measured.Low) || !known(measured.High):
		return text
	case measured.Low <= k.Predicted && k.Predicted <= measured.High && measured.Low <= 0 && 0 <= measured.High:
		return text + ": consistent with each other, and with no change at all"
	case measured.Low <= k.Predicted && k.Predicted <= measured.High:
		return text + ": consistent with each other"
	case measured.Low <= 0 && 0 <= measured.High:
		return text + ": neither is told apart from nothing"
	case math.Abs(measured.Value) > 2*math.Abs(k.Predicted):
		return text + ": most of that cannot come from the kernel"
	}
	return text
}

// mostListed is how many divergences are listed in full.
const mostListed = 20

// workLines say whether the variants gave the same answers.
func workLines(c *compare.Comparison) []string {
	var lines []string
	for _, w := range c.Work {
		base := c.Manifest.Variants[0].Name
		if w.Compared == 0 {
			lines = append(lines, fmt.Sprintf("%s against %s: no request was answered by both", w.Variant, base))
			continue
		}
		different := w.Compared - w.Same
		line := fmt.Sprintf("%s gave the answer of %s in %d of %d requests (%.1f %%), as many tokens in %d",
			w.Variant, base, w.Same, w.Compared, 100*float64(w.Same)/float64(w.Compared), w.SameLength)
		if different > 0 && known(w.Divergence) {
			line += fmt.Sprintf("; where they part, it is at token %.0f (median)", w.Divergence)
		}
		lines = append(lines, line)
		listed := w.Probes
		if len(listed) > mostListed {
			listed = listed[:5]
		}
		for _, p := range listed {
			lines = append(lines, "  "+divergence(base, p))
		}
		if rest := len(w.Probes) - len(listed); rest > 0 {
			lines = append(lines, fmt.Sprintf("  and %d more: see work[].divergences in comparison.json", rest))
		}
	}
	return lines
}

// divergence describes one request in which two greedy answers part.
func divergence(base string, p record.GapProbe) string {
	gap := fmt.Sprintf("gap of the two best logits %.4f", p.Gap)
	if p.Err != "" {
		gap = "gap unknown: " + p.Err
	}
	return fmt.Sprintf("%s, token %d: %s said %q, %s %q; %s", p.Item, p.Token, base, p.Baseline, p.Variant, p.Other, gap)
}

// filesLine says where the rest is.
func filesLine(dir string) string {
	return fmt.Sprintf("Files in %s: report.html, comparison.md, comparison.json, benchmark_NAME.txt; `siglab report %s` shows this again.", dir, dir)
}
