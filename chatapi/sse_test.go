package chatapi

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parse feeds a stream in pieces of the given size.
func parse(t testing.TB, stream string, size int) []string {
	t.Helper()
	var p EventParser
	var events []string
	for piece := range slices.Chunk([]byte(stream), size) {
		if err := p.Feed(piece, func(data []byte) { events = append(events, string(data)) }); err != nil {
			t.Fatal(err)
		}
	}
	return events
}

func TestEventParser(t *testing.T) {
	tests := []struct {
		name   string
		stream string
		want   []string
	}{
		{"an event ends at a blank line", "data: a\n\ndata: b\n\n", []string{"a", "b"}},
		{"lines may end in CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", []string{"a", "b"}},
		{"or in CR", "data: a\r\rdata: b\r\r", []string{"a", "b"}},
		{"data lines are joined", "data: a\ndata: b\n\n", []string{"a\nb"}},
		{"one blank after the colon is dropped, no more", "data:a\n\ndata:  b\n\n", []string{"a", " b"}},
		{"empty data is an event", "data\n\ndata:\n\n", []string{"", ""}},
		{"comments and other fields are skipped", ": ping\nevent: x\nid: 1\nretry: 2\ndata: a\n\n", []string{"a"}},
		{"an event without data is none", "event: x\n\ndata: a\n\n", []string{"a"}},
		{"a byte order mark is ignored at the start only", "\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n", []string{"a"}},
		{"an unfinished event is dropped", "data: a\n\ndata: b\n", []string{"a"}},
		{"a colon in the data stays", "data: {\"a\": 1}\n\n", []string{`{"a": 1}`}},
	}
	for _, tt := range tests {
		for _, size := range []int{1, 2, 3, 5, 1 << 20} {
			if diff := cmp.Diff(tt.want, parse(t, tt.stream, size)); diff != "" {
				t.Errorf("%s, in pieces of %d (-want +got):\n%s", tt.name, size, diff)
			}
		}
	}
}

func TestEventParserPending(t *testing.T) {
	var p EventParser
	for _, step := range []struct {
		feed string
		want bool
	}{{"", false}, {"da", true}, {"ta: x\n", true}, {"\n", false}, {"event: y\n", false}} {
		if err := p.Feed([]byte(step.feed), func([]byte) {}); err != nil {
			t.Fatal(err)
		}
		if p.Pending() != step.want {
			t.Errorf("after %q: pending %v, want %v", step.feed, p.Pending(), step.want)
		}
	}
}

func TestEventParserBound(t *testing.T) {
	line := "data: " + strings.Repeat("x", 1<<20) + "\n"
	var p EventParser
	var err error
	for range 6 {
		err = errors.Join(err, p.Feed([]byte(line), func([]byte) { t.Error("an event came") }))
	}
	if !errors.Is(err, ErrEventTooLong) {
		t.Errorf("error %v, want %v", err, ErrEventTooLong)
	}
}

func TestWriteEvent(t *testing.T) {
	var b bytes.Buffer
	if err := WriteEvent(&b, []byte(`{"a":1}`)); err != nil || b.String() != "data: {\"a\":1}\n\n" {
		t.Errorf("wrote %q, error %v", b.String(), err)
	}
	if err := WriteEvent(&b, []byte("a\nb")); err == nil {
		t.Error("data with a line end was accepted")
	}
}

// referenceEvents reads a whole stream by the letter of the WHATWG standard, line by
// line.
func referenceEvents(stream string) []string {
	stream = strings.TrimPrefix(stream, "\xef\xbb\xbf")
	stream = strings.ReplaceAll(stream, "\r\n", "\n")
	lines := strings.Split(strings.ReplaceAll(stream, "\r", "\n"), "\n")
	var events []string
	data := ""
	for _, line := range lines[:len(lines)-1] { // the last has no end
		field, value, _ := strings.Cut(line, ":")
		switch {
		case line == "":
			if data != "" {
				events = append(events, strings.TrimSuffix(data, "\n"))
			}
			data = ""
		case field == "data":
			data += strings.TrimPrefix(value, " ") + "\n"
		}
	}
	return events
}

// FuzzEventParser wants the events of the reference however the stream is cut.
func FuzzEventParser(f *testing.F) {
	f.Add("data: a\r\n\r\ndata: b\n\n", uint8(1))
	f.Add("\xef\xbb\xbfdata\r\r:x\n\ndata: c\n", uint8(2))
	f.Fuzz(func(t *testing.T, stream string, size uint8) {
		if diff := cmp.Diff(referenceEvents(stream), parse(t, stream, 1+int(size))); diff != "" {
			t.Errorf("in pieces of %d (-reference +parser):\n%s", 1+int(size), diff)
		}
	})
}
