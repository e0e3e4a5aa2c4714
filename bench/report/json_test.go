package report

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/compare"
	"siglab/bench/record"
)

// TestDivergencesWithoutGap: a run that ended before the gaps were asked for has a
// comparison.json all the same.
func TestDivergencesWithoutGap(t *testing.T) {
	w := compare.Work{Variant: "b", Compared: 3, Divergence: 1, Probes: []record.GapProbe{
		{Variant: "b", Item: "0", Token: 1, Gap: 0.5, Baseline: "x", Other: "y"},
		{Variant: "b", Item: "1", Token: 1, Gap: math.NaN(), Baseline: "x", Other: "y", Err: "not asked"},
	}}
	got, err := json.Marshal(workDocument(w).Divergences)
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"variant":"b","item":"0","token":1,"gap":0.5,"baseline":"x","other":"y"},` +
		`{"variant":"b","item":"1","token":1,"gap":null,"baseline":"x","other":"y","error":"not asked"}]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}
