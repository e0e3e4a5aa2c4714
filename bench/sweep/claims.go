package sweep

import (
	"fmt"
	"strings"

	"siglab/bench/compare"
	"siglab/bench/record"
)

// Claim is what was said of the change from bicubic to bilinear resampling before
// anybody measured it here: an improvement between two bounds, in percent.
type Claim struct {
	Text      string  `json:"claim"`
	Metric    string  `json:"metric"`
	Low, High float64 `json:"-"`
}

// The claims, by the side of the images in pixels; and the one on throughput, for loads
// that saturate the server. "Improvement" without a metric is taken for the median TTFT,
// which the same text says gains most.
var (
	resolutionClaims = map[string]Claim{
		"384x384":   {"384x384: 3 to 5 % improvement", "median_ttft_ms", 3, 5},
		"512x512":   {"512x512: 8 to 12 % improvement", "median_ttft_ms", 8, 12},
		"1024x1024": {"1024x1024: 15 to 20 % improvement", "median_ttft_ms", 15, 20},
	}
	throughputClaim = Claim{"5 to 10 % more throughput under concurrency", "output_throughput", 5, 10}
)

// Outcome is what a run says of a claim.
type Outcome string

// The outcomes.
const (
	Confirmed Outcome = "confirmed"  // the whole interval lies in what was claimed
	Refuted   Outcome = "refuted"    // no part of it does
	Undecided Outcome = "undecided"  // some part does
	NotTested Outcome = "not tested" // the run allows no verdict
)

// Tested is a claim and what one candidate of one point says of it.
type Tested struct {
	Claim
	Point       string
	Variant     string
	Improvement compare.Interval // in percent; above 0 is better
	Confidence  float64          // of the interval
	Outcome     Outcome
	Why         string
}

// testClaims holds every claim that is about the comparison's conditions against it.
func testClaims(point string, c *compare.Comparison) []Tested {
	var out []Tested
	e := c.Manifest.Experiment
	for _, v := range c.Manifest.Variants[min(1, len(c.Manifest.Variants)):] {
		if !isTheChange(c.Manifest.Variants[0], v) {
			continue
		}
		var claims []Claim
		if e.Saturates() {
			claims = append(claims, throughputClaim)
		} else if claim, ok := resolutionClaims[e.ImageSize]; ok {
			claims = append(claims, claim)
		}
		for _, claim := range claims {
			out = append(out, claim.test(point, v.Name, c))
		}
	}
	return out
}

// isTheChange reports whether two variants differ as the claims are about.
func isTheChange(baseline, candidate record.Variant) bool {
	return baseline.Convention == "bicubic" && strings.HasPrefix(candidate.Convention, "bilinear") && baseline.InjectDelay == candidate.InjectDelay
}

// test decides one claim by the interval of its metric.
func (claim Claim) test(point, variant string, c *compare.Comparison) Tested {
	t := Tested{Claim: claim, Point: point, Variant: variant, Outcome: NotTested, Improvement: unknown, Confidence: 1 - c.Manifest.Experiment.Alpha}
	for _, m := range c.Metrics {
		if m.Metric != claim.Metric || m.Variant != variant {
			continue
		}
		t.Improvement = m.Percent
		if m.Better == compare.LowerIsBetter {
			t.Improvement = compare.Interval{Value: -m.Percent.Value, Low: -m.Percent.High, High: -m.Percent.Low}
		}
	}
	switch i := t.Improvement; {
	case !c.Valid:
		t.Why = "the run is not valid"
	case !known(i.Low) || !known(i.High):
		t.Why = "there are too few pairs for an interval"
	case i.Low >= claim.Low && i.High <= claim.High:
		t.Outcome, t.Why = Confirmed, "the whole interval lies in the claimed range"
	case i.High < claim.Low:
		t.Outcome, t.Why = Refuted, "the whole interval lies below the claimed range"
	case i.Low > claim.High:
		t.Outcome, t.Why = Refuted, "the whole interval lies above the claimed range"
	case i.Low <= claim.Low && i.High >= claim.High:
		t.Outcome, t.Why = Undecided, "the claimed range lies in the interval, as does other: more pairs would tell"
	default:
		t.Outcome, t.Why = Undecided, "the interval and the claimed range overlap in part: more pairs would tell"
	}
	return t
}

// sentence says what became of a claim.
func (t Tested) sentence() string {
	return fmt.Sprintf("%s. Claimed: %s. Measured at %s, improvement of the %s of %s with its %g %% interval: %s. %s.",
		capital(string(t.Outcome)), t.Text, t.Point, label(t.Metric), t.Variant, 100*t.Confidence, interval(t.Improvement), capital(t.Why))
}
