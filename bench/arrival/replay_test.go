package arrival

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	ms := time.Millisecond
	tests := []struct {
		name   string
		format Format
		column Column
		file   string
		want   []time.Duration
	}{
		{"a frozen schedule", JSONL, Column{}, "{\"offset_ns\":5}\n{\"offset_ns\":7}\n", []time.Duration{5, 7}},
		{"seconds, other fields, blank lines, no last line end", JSONL, Column{}, "{\"prompt\":\"a\",\"offset_s\":0.5}\n\n{\"offset_s\":1e0}", []time.Duration{500 * ms, 1000 * ms}},
		{"a trace in milliseconds by its own name", JSONL, Column{Name: "timestamp", Unit: ms}, `{"timestamp":27482,"input_length":6955}`, []time.Duration{27482 * ms}},
		{"times of day keep their nanoseconds", CSV, Column{Name: "Timestamp", Unit: time.Second, FromFirst: true},
			"Timestamp,Model\n1795482450.000000001,a\n1795482450.000000004,b\n", []time.Duration{0, 3}},
		{"CSV finds its column", CSV, Column{}, "\ufeffid, offset_ms\n1, 1.5\n2, 1.5\n", []time.Duration{1500 * time.Microsecond, 1500 * time.Microsecond}},
		{"half a nanosecond is rounded up", JSONL, Column{}, `{"offset_us":0.0005}`, []time.Duration{1}},
	}
	for _, tt := range tests {
		got, err := Read(strings.NewReader(tt.file), tt.format, tt.column)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestReadBadInput(t *testing.T) {
	tests := []struct {
		name   string
		format Format
		file   string
		want   string
	}{
		{"an empty file", JSONL, "", "no arrival"},
		{"a header alone", CSV, "offset_s\n", "no arrival"},
		{"no known column", CSV, "when\n1\n", "offset_ns, offset_us"},
		{"a line without the field", JSONL, "{\"offset_s\":1}\n{\"offset\":2}\n", "arrival 2: it has no field"},
		{"not JSON", JSONL, "offset_s\n1\n", "not a JSON object"},
		{"not a number", JSONL, `{"offset_s":"soon"}`, "soon"},
		{"not finite", CSV, "offset_s\ninf\n", "inf"},
		{"a huge exponent", JSONL, `{"offset_s":1e999999}`, "not a decimal"},
		{"a fraction", JSONL, `{"offset_s":"1/3"}`, "not a decimal"},
		{"longer than a duration", JSONL, `{"offset_s":1e11}`, "hold"},
		{"time goes back", JSONL, "{\"offset_s\":2}\n{\"offset_s\":1}\n", "arrival 2 at 1s comes before arrival 1"},
		{"before the start", JSONL, `{"offset_s":-1}`, "before the start"},
		{"a record too short", CSV, "a,offset_s\n1,2\n3\n", "wrong number of fields"},
		{"a quote that is never closed", CSV, "offset_s\n\"1\n2\n", "quote"},
	}
	for _, tt := range tests {
		if _, err := Read(strings.NewReader(tt.file), tt.format, Column{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

func TestFreeze(t *testing.T) {
	want, err := Poisson(1000, 10, rng(3))
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := Write(&file, want); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&file, JSONL, Column{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzRead wants of anything that is accepted that it is a schedule, and freezes to
// itself.
func FuzzRead(f *testing.F) {
	f.Add("{\"offset_s\":0.5}\n{\"offset_s\":1e0}", false)
	f.Add("id,offset_ms\n1,1.5\n", true)
	f.Fuzz(func(t *testing.T, file string, isCSV bool) {
		format := JSONL
		if isCSV {
			format = CSV
		}
		offsets, err := Read(strings.NewReader(file), format, Column{})
		if err != nil {
			return
		}
		var frozen bytes.Buffer
		if err := Write(&frozen, offsets); err != nil {
			t.Fatal(err)
		}
		again, err := Read(&frozen, JSONL, Column{})
		if err != nil || !cmp.Equal(offsets, again) {
			t.Errorf("%v became %v, error %v", offsets, again, err)
		}
	})
}
