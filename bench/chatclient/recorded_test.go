package chatclient

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/record"
)

// TestRecorded reads answers that a real vLLM 0.32 gave.
func TestRecorded(t *testing.T) {
	tests := []struct {
		file    string
		backend Backend
		want    record.Observation // what of it does not depend on the time
		tokens  int                // sum of ChunkTokens
	}{
		{"chat_stream_image_continuous_usage", Chat, record.Observation{Status: 200, FinishReason: "length", PromptTokens: 277, OutputTokens: 12, TokenSource: record.TokensByChunk}, 12},
		{"completions_stream_text", Completions, record.Observation{Status: 200, FinishReason: "length", PromptTokens: 4, OutputTokens: 8, TokenSource: record.TokensByUsage}, 0},
		{"chat_stream_no_usage", Chat, record.Observation{Status: 200, FinishReason: "length", OutputTokens: 6, TokenSource: record.TokensCounted}, 0},
		{"chat_stream_one_token", Chat, record.Observation{Status: 200, FinishReason: "length", PromptTokens: 277, OutputTokens: 1, TokenSource: record.TokensByUsage}, 0},
		{"chat_stream_stop", Chat, record.Observation{Status: 200, FinishReason: "stop", PromptTokens: 277, OutputTokens: 13, TokenSource: record.TokensByUsage}, 0},
		{"err_404_route", Chat, record.Observation{Status: 404, Failure: record.FailedStatus, ErrorBody: `{"detail":"Not Found"}`}, 0},
		{"err_bad_type", Chat, record.Observation{Status: 400, Failure: record.FailedStatus}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			server := httptest.NewServer(recorded(t, tt.file))
			defer server.Close()
			client := New(server.URL, Options{Origin: time.Now().Add(-time.Second), Backend: tt.backend})
			defer client.Close()
			o := client.Send(t.Context(), record.Item{Body: []byte("{}")})
			got := record.Observation{
				Status: o.Status, FinishReason: o.FinishReason, PromptTokens: o.PromptTokens, OutputTokens: o.OutputTokens,
				TokenSource: o.TokenSource, Failure: o.Failure, ErrorBody: o.ErrorBody,
			}
			if tt.want.ErrorBody == "" {
				got.ErrorBody = ""
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || total(o.ChunkTokens) != tt.tokens {
				t.Errorf("%d tokens by chunk, want %d; error %q (-want +got):\n%s", total(o.ChunkTokens), tt.tokens, o.Error, diff)
			}
			if o.Failure != "" && (o.ErrorBody == "" || o.OK()) || o.Failure == "" && o.Text == "" {
				t.Errorf("observation %+v", o)
			}
		})
	}
}

// recorded answers with a file: status line, headers, and the body with the chunks of
// the transfer joined.
func recorded(t *testing.T, name string) http.HandlerFunc {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n\n")
	lines := strings.Split(head, "\n")
	status, err := strconv.Atoi(strings.Fields(lines[0])[1])
	if err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for _, line := range lines[1:] {
			if name, value, _ := strings.Cut(line, ": "); name == "content-type" {
				w.Header().Set(name, value)
			}
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}
