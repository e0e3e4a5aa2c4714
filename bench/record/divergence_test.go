package record

import "testing"

func TestFirstDivergence(t *testing.T) {
	obs := func(text string, lens ...int) *Observation { return &Observation{Text: text, ChunkLens: lens} }
	tests := []struct {
		name         string
		a, b         *Observation
		token        int
		saidA, saidB string
		ok           bool
	}{
		{"equal answers do not diverge", obs("ab", 0, 1, 1), obs("ab", 0, 1, 1), 0, "", "", false},
		{"the empty role chunk is not a token", obs("ab", 0, 1, 1), obs("ac", 0, 1, 1), 1, "b", "c", true},
		{"same letters cut differently are different tokens", obs("abc", 0, 2, 1), obs("abd", 0, 1, 2), 0, "ab", "a", true},
		{"one answer ends first", obs("a", 0, 1), obs("ab", 0, 1, 1), 1, "", "b", true},
		{"lengths that do not add up are not trusted", obs("abc", 0, 1), obs("ab", 0, 1, 1), 0, "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			token, a, b, ok := FirstDivergence(tt.a, tt.b)
			if token != tt.token || a != tt.saidA || b != tt.saidB || ok != tt.ok {
				t.Errorf("got %d %q %q %v, want %d %q %q %v", token, a, b, ok, tt.token, tt.saidA, tt.saidB, tt.ok)
			}
		})
	}
}
