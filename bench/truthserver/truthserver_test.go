package truthserver

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"siglab/internal/monotime"
)

// serve runs a server whose default answer is the script.
func serve(t *testing.T, s Script) (url string) {
	t.Helper()
	server, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(ctx, listener) })
	t.Cleanup(func() { cancel(); served.Wait(); http.DefaultClient.CloseIdleConnections() })
	return "http://" + listener.Addr().String()
}

// post sends a body with an id by an ordinary client.
func post(t *testing.T, url, id, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Request-Id", id)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

// log reads the log until it has n entries.
func log(t *testing.T, url string, n int) []Entry {
	t.Helper()
	var entries []Entry
	for deadline := time.Now().Add(10 * time.Second); len(entries) < n && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		response, err := http.Get(url + LogPath)
		if err != nil {
			t.Fatal(err)
		}
		for d := json.NewDecoder(bufio.NewReader(response.Body)); d.More(); {
			var e Entry
			if err := d.Decode(&e); err != nil {
				t.Fatal(err)
			}
			entries = append(entries, e)
		}
		_ = response.Body.Close()
	}
	return entries
}

// TestTruth: the log holds what the script said, no earlier than it said.
func TestTruth(t *testing.T) {
	ms := time.Millisecond
	url := serve(t, Script{})
	s := Script{TTFT: 20 * ms, ITL: 5 * ms, Tokens: 7, PerEvent: 3, Role: RoleEarly, RoleLead: 10 * ms, Finish: "stop"}
	body, err := Body(s, 10_000)
	if err != nil || len(body) != 10_000 {
		t.Fatalf("a body of %d bytes, error %v", len(body), err)
	}
	begun := monotime.Now()
	status, answer := post(t, url, "a", string(body))
	ended := monotime.Now()
	if status != 200 || strings.Count(answer, Word) != 7 || !strings.HasSuffix(answer, "data: [DONE]\n\n") || !strings.Contains(answer, `"completion_tokens":7`) {
		t.Errorf("status %d, answer %s", status, answer)
	}
	entries := log(t, url, 1)
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	e := entries[0]
	var tokens []int
	at := []time.Duration{begun, e.Head, e.Read}
	for _, event := range e.Events {
		tokens = append(tokens, event.Tokens)
		at = append(at, event.At, event.Done)
	}
	if e.ID != "a" || e.Tokens != 7 || e.Finish != "stop" || !slices.Equal(tokens, []int{0, 3, 3, 1}) || !slices.IsSorted(append(at, ended)) {
		t.Errorf("entry %+v, times %v", e, at)
	}
	for i, least := range []time.Duration{10 * ms, 20 * ms, 35 * ms, 50 * ms} {
		if after := e.Events[i].At - e.Read; after < least {
			t.Errorf("event %d was written after %v, before %v", i, after, least)
		}
	}
}

// TestCompletions: the other protocol gets text, and no role.
func TestCompletions(t *testing.T) {
	url := serve(t, Script{Tokens: 3, Role: RoleEarly, Reasoning: 2})
	response, err := http.Post(url+"/v1/completions", "application/json", strings.NewReader(`{"model":"m","prompt":"p","max_tokens":2}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil || strings.Count(string(answer), `"text":" tok"`) != 2 || strings.Contains(string(answer), "delta") || strings.Contains(string(answer), "role") {
		t.Errorf("error %v, answer %s", err, answer)
	}
	if entries := log(t, url, 1); len(entries) != 1 || len(entries[0].Events) != 2 || entries[0].Tokens != 2 || entries[0].Bytes == 0 {
		t.Errorf("entries %+v", entries)
	}
}

// TestForOtherClients: a request without a script gets the default, with its own
// number of tokens.
func TestForOtherClients(t *testing.T) {
	url := serve(t, Script{Tokens: 3})
	for body, want := range map[string]int{
		`{"model":"m","messages":[]}`:                    3,
		`{"model":"m","max_completion_tokens":5}`:        5,
		`{"max_tokens":2,"stream":true,"messages":[{}]}`: 2,
	} {
		if status, answer := post(t, url, "x", body); status != 200 || strings.Count(answer, Word) != want {
			t.Errorf("%s: status %d, %s", body, status, answer)
		}
	}
	for _, body := range []string{"", "[]", "{", `{"siglab_truth":{"tokens":-1}}`, `{"siglab_truth":{"jitter":2}}`, `{"siglab_truth":{"ttft_ns":-5}}`, `{"siglab_truth":3}`} {
		if status, answer := post(t, url, "x", body); status != 400 || !strings.Contains(answer, `"error"`) {
			t.Errorf("%s: status %d, %s", body, status, answer)
		}
	}
}

func TestBadDefault(t *testing.T) {
	for _, s := range []Script{{Tokens: 1 << 30}, {ITL: -1}, {Code: 99}, {Split: -1}, {RoleLead: 48 * time.Hour}} {
		if _, err := New(s); err == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
}

// FuzzScript wants that no body panics, and that what is accepted is bounded.
func FuzzScript(f *testing.F) {
	f.Add([]byte(`{"siglab_truth":{"ttft_ns":1,"tokens":3},"model":"m"}`))
	f.Add([]byte(`{"max_tokens":7}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if s, err := scriptOf(body, Script{}); err == nil && (s.Tokens < 1 || s.PerEvent < 1 || s.Tokens > 1<<20 || s.TTFT > time.Hour) {
			t.Errorf("%s gives %+v", body, s)
		}
	})
}
