package arrival

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
)

// number reads what Python's json module writes for one, infinities included.
type number float64

func (n *number) UnmarshalJSON(data []byte) error {
	if text := strings.Trim(string(data), `"`); text == "Infinity" || text == "inf" {
		*n = number(math.Inf(1))
		return nil
	}
	return json.Unmarshal(data, (*float64)(n))
}

// golden reads a file of Python's, whose json module writes Infinity bare.
func golden(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	data = []byte(strings.ReplaceAll(string(data), " Infinity", ` "inf"`))
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// TestVLLM compares with schedules that vLLM 0.32 computed, to the bit.
func TestVLLM(t *testing.T) {
	var file struct {
		Cases []struct {
			N       int
			Rate    number
			Burst   number
			Seed    uint32
			Ramp    string
			A, B    float64
			Offsets []float64 `json:"offsets_s"`
		}
	}
	golden(t, "vllm_schedules.json", &file)
	if len(file.Cases) < 10 {
		t.Fatalf("%d cases", len(file.Cases))
	}
	for _, c := range file.Cases {
		v := VLLM{Rate: float64(c.Rate), Burstiness: float64(c.Burst), Seed: c.Seed}
		if c.Ramp != "" {
			shape, err := ParseRampShape(c.Ramp)
			if err != nil {
				t.Fatal(err)
			}
			v.Ramp = &Ramp{Shape: shape, From: c.A, To: c.B}
		}
		got := v.seconds(c.N)
		off := 0
		for i, want := range c.Offsets {
			if got[i] != want {
				if off++; off < 5 {
					t.Errorf("%+v: arrival %d of %d at %v, want %v", v, i, c.N, got[i], want)
				}
			}
		}
		if _, err := v.Offsets(c.N); err != nil || len(got) != len(c.Offsets) {
			t.Errorf("%+v: %d arrivals, want %d; error %v", v, len(got), len(c.Offsets), err)
		}
	}
}

// TestLegacyRandom compares each distribution with numpy's, to the bit.
func TestLegacyRandom(t *testing.T) {
	var want map[string]json.RawMessage
	golden(t, "numpy_legacy.json", &want)
	tests := []struct {
		key  string
		draw func(*legacyRandom) float64
	}{
		{"random_uint32_first8", func(r *legacyRandom) float64 { return float64(r.uint32()) }},
		{"random_sample_first16", (*legacyRandom).float64},
		{"standard_exponential_first16", (*legacyRandom).exponential},
		{"standard_normal_first16", (*legacyRandom).normal},
		{"gamma1_first16", func(r *legacyRandom) float64 { return r.gamma(1) }},
		{"gamma0.5_first16", func(r *legacyRandom) float64 { return r.gamma(0.5) }},
		{"gamma4_first16", func(r *legacyRandom) float64 { return r.gamma(4) }},
	}
	for _, tt := range tests {
		var numbers []float64
		if err := json.Unmarshal(want[tt.key], &numbers); err != nil {
			t.Fatalf("%s: %v", tt.key, err)
		}
		rng := newLegacyRandom(0)
		for i, want := range numbers {
			if got := tt.draw(rng); got != want {
				t.Errorf("%s: number %d is %v, want %v", tt.key, i, got, want)
			}
		}
	}
}
