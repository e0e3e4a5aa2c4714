package serve

import "testing"

func TestStopper(t *testing.T) {
	tests := []struct {
		name    string
		stops   []string
		pieces  []string
		want    string
		stopped string
	}{
		{"no stop string: everything comes at once", nil, []string{"ab", "c"}, "abc", ""},
		{"the stop string is not part of the answer", []string{"c"}, []string{"ab", "cd"}, "ab", "c"},
		{"it may be cut anywhere", []string{"xyz"}, []string{"ax", "y", "zb"}, "a", "xyz"},
		{"what only began like one comes later", []string{"xyz"}, []string{"ax", "y", "b"}, "axyb", ""},
		{"the first of several wins", []string{"d", "b"}, []string{"abcd"}, "a", "b"},
		{"what is held at the end belongs to the answer", []string{"xyz"}, []string{"axy"}, "axy", ""},
		{"a stop string that overlaps itself", []string{"aab"}, []string{"aa", "ab"}, "a", "aab"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := stopper{stops: tt.stops}
			got, stopped := "", ""
			for _, p := range tt.pieces {
				var text string
				if text, stopped = s.push(p); stopped != "" {
					got += text
					break
				}
				got += text
			}
			if stopped == "" {
				got += s.flush()
			}
			if got != tt.want || stopped != tt.stopped {
				t.Errorf("answer %q, stopped by %q; want %q, %q", got, stopped, tt.want, tt.stopped)
			}
		})
	}
}
