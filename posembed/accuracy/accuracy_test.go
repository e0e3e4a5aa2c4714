package accuracy

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"siglab/posembed"
)

func TestBetween(t *testing.T) {
	got := Between([]float32{3, 4}, []float32{4, 3})
	want := Distance{Cosine: 24. / 25, RelL2: Number(math.Sqrt(2) / 5), MaxAbs: 1, NormRatio: 1}
	for _, pair := range [][2]Number{{got.Cosine, want.Cosine}, {got.RelL2, want.RelL2}, {got.MaxAbs, want.MaxAbs}, {got.NormRatio, want.NormRatio}} {
		if math.Abs(float64(pair[0]-pair[1])) > 1e-15 {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	d := Between([]float32{0}, []float32{0})
	if !math.IsNaN(float64(d.Cosine)) {
		t.Errorf("zeros have the cosine %v", d.Cosine)
	}
	if text, err := json.Marshal(d); err != nil || string(text) != `{"cosine":null,"rel_l2":null,"max_abs":0,"norm_ratio":null}` {
		t.Errorf("in JSON: %s, %v", text, err)
	}
}

// TestCompareWhiteNoise has what torch's conventions measure on white noise enlarged
// threefold: alignment, not the kernel, is most of what a switch from bicubic to
// bilinear with aligned corners changes.
func TestCompareWhiteNoise(t *testing.T) {
	const dim = 256
	from, to := posembed.Grid{Rows: 14, Cols: 14}, posembed.Grid{Rows: 42, Cols: 42}
	rng := rand.New(rand.NewPCG(1, 2))
	table := make([]float32, from.Len()*dim)
	for i := range table {
		table[i] = float32(rng.NormFloat64())
	}
	rows, err := Compare(table, from, to, dim)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 21 {
		t.Errorf("%d rows, want one for every two of seven conventions", len(rows))
	}
	for _, test := range []struct {
		a, b   posembed.Convention
		cosine float64
		text   string
	}{
		{posembed.Bicubic, posembed.BilinearAlignCorners, 0.906, "kernel, alignment"},
		{posembed.Bicubic, posembed.Bilinear, 0.982, "kernel"},
		{posembed.BilinearAlignCorners, posembed.Bilinear, 0.905, "alignment"},
		{posembed.Bilinear, posembed.BilinearAntialias, 1, "antialias"},
	} {
		row, ok := Find(rows, test.a, test.b, to)
		if !ok || math.Abs(float64(row.Cosine)-test.cosine) > 0.003 || row.DiffersIn.String() != test.text {
			t.Errorf("%v and %v: %+v, want a cosine of %v and a difference in %s", test.a, test.b, row, test.cosine, test.text)
		}
	}
	if _, err := Compare(table[1:], from, to, dim); err == nil {
		t.Error("a short table: no error")
	}
}
