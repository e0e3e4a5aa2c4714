package chatclient

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/record"
)

// decodeChunks feeds a body in pieces of the given size.
func decodeChunks(body string, size int) (payload string, rest string, done bool, err error) {
	var d chunkDecoder
	var out strings.Builder
	for piece := range slices.Chunk([]byte(body), size) {
		p, r, err := d.decode(piece)
		out.Write(p)
		if err != nil {
			return out.String(), "", false, err
		}
		rest += string(r)
	}
	return out.String(), rest, d.done(), nil
}

func TestChunkDecoder(t *testing.T) {
	tests := []struct {
		name, body, payload, rest string
		done                      bool
		err                       string
	}{
		{"two chunks and the end", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde", "", true, ""},
		{"sizes are hexadecimal, in either case", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", "", true, ""},
		{"extensions and trailers are skipped", "3;a=b\r\nabc\r\n0;x\r\nTrailer: yes\r\n\r\n", "abc", "", true, ""},
		{"bare line feeds", "3\nabc\n0\n\n", "abc", "", true, ""},
		{"what follows the body is left", "1\r\na\r\n0\r\n\r\nHTTP/1.1", "a", "HTTP/1.1", true, ""},
		{"data that looks like framing", "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n\r\n", "", true, ""},
		{"a body that is cut off is not done", "5\r\nab", "ab", "", false, ""},
		{"no size", "\r\nabc", "", "", false, "begins with"},
		{"not a number", "3g\r\n", "", "", false, "holds 'g'"},
		{"a size that overflows", "ffffffffffffffffff\r\n", "", "", false, "too many digits"},
		{"longer than said", "1\r\nab", "a", "", false, "longer"},
		{"endless extension", "1;" + strings.Repeat("x", 1<<17), "", "", false, "more than"},
	}
	for _, tt := range tests {
		for _, size := range []int{1, 2, 3, 7, 1 << 20} {
			payload, rest, done, err := decodeChunks(tt.body, size)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.err)
				}
				continue
			}
			if err != nil || payload != tt.payload || rest != tt.rest || done != tt.done {
				t.Errorf("%s, in pieces of %d: %q, rest %q, done %v, error %v", tt.name, size, payload, rest, done, err)
			}
		}
	}
}

// FuzzChunkDecoder compares with net/http's reader: what that accepts, ours does,
// with the same payload, however it is cut.
func FuzzChunkDecoder(f *testing.F) {
	f.Add("3\r\nabc\r\n0\r\n\r\n", uint8(1))
	f.Add("3;a=b\nabc\n0\n\n", uint8(2))
	f.Fuzz(func(t *testing.T, body string, size uint8) {
		reference, refErr := io.ReadAll(httputil.NewChunkedReader(strings.NewReader(body)))
		payload, _, done, err := decodeChunks(body, 1+int(size))
		whole, _, wholeDone, wholeErr := decodeChunks(body, max(1, len(body)))
		if payload != whole || done != wholeDone || (err == nil) != (wholeErr == nil) {
			t.Errorf("cut: %q %v %v; whole: %q %v %v", payload, done, err, whole, wholeDone, wholeErr)
		}
		if refErr == nil && (err != nil || payload != string(reference)) {
			t.Errorf("net/http reads %q, ours %q with error %v", reference, payload, err)
		}
	})
}

// TestHeadParser reads heads in pieces.
func TestHeadParser(t *testing.T) {
	tests := []struct {
		name, data, rest string
		want             responseHead
		err              string
	}{
		{"a stream", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n", "5\r\n",
			responseHead{status: 200, contentType: "text/event-stream", framing: byChunks, keep: true}, ""},
		{"a length", "HTTP/1.1 404 Not Found\r\nContent-Length: 22\r\n\r\n", "", responseHead{status: 404, framing: byLength, left: 22, keep: true}, ""},
		{"until the connection closes", "HTTP/1.0 200 OK\n\nabc", "abc", responseHead{status: 200, framing: untilClose}, ""},
		{"the server will close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na", "a", responseHead{status: 200, framing: byLength, left: 1}, ""},
		{"no body by its status", "HTTP/1.1 204 No Content\r\n\r\n", "", responseHead{status: 204, framing: byLength, keep: true}, ""},
		{"interim answers are skipped", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "",
			responseHead{status: 200, framing: byLength, keep: true}, ""},
		{"not HTTP", "SSH-2.0-OpenSSH\r\n\r\n", "", responseHead{}, "not HTTP"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "", responseHead{}, "not HTTP"},
		{"another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "", responseHead{}, "not HTTP"},
		{"interim answers without end", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20), "", responseHead{}, "interim"},
		{"a head without end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 1<<17), "", responseHead{}, "more than"},
	}
	for _, tt := range tests {
		for _, size := range []int{1, 2, 5, 1 << 20} {
			got, rest, err := parseInPieces(tt.data, size)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.err)
				}
				continue
			}
			if err != nil || rest != tt.rest || got != tt.want {
				t.Errorf("%s, in pieces of %d: %+v, rest %q, error %v", tt.name, size, got, rest, err)
			}
		}
	}
}

// parseInPieces returns the head and everything after it; rest is "none" while the
// head is not complete.
func parseInPieces(data string, size int) (head responseHead, rest string, err error) {
	var p headParser
	done := false
	for piece := range slices.Chunk([]byte(data), size) {
		if done {
			rest += string(piece)
			continue
		}
		var r []byte
		if r, done, err = p.feed(piece); err != nil {
			return head, "", err
		}
		rest += string(r)
	}
	if !done {
		return head, "none", nil
	}
	return p.head, rest, nil
}

// FuzzHeadParser compares with net/http on a head that is whole, and wants the same
// however it is cut.
func FuzzHeadParser(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", uint8(1))
	f.Add("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n0\r\n\r\n", uint8(9))
	f.Fuzz(func(t *testing.T, data string, size uint8) {
		cut, cutRest, cutErr := parseInPieces(data, 1+int(size))
		whole, wholeRest, wholeErr := parseInPieces(data, max(1, len(data)))
		if cut != whole || cutRest != wholeRest || (cutErr == nil) != (wholeErr == nil) {
			t.Errorf("cut: %+v %q %v; whole: %+v %q %v", cut, cutRest, cutErr, whole, wholeRest, wholeErr)
		}
		if wholeErr != nil || wholeRest == "none" || whole.status == 0 || strings.Count(data, "HTTP/") > 1 {
			return
		}
		r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(data)), &http.Request{Method: http.MethodPost})
		if err != nil || r.StatusCode != whole.status {
			t.Errorf("net/http reads %v with error %v, ours status %d", r, err, whole.status)
		}
	})
}

// TestStandardTransport sends over TLS and HTTP/2.
func TestStandardTransport(t *testing.T) {
	var protocol atomic.Value
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocol.Store(r.Proto)
		if r.Header.Get("X-Key") != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		switch body, _ := io.ReadAll(r.Body); string(body) {
		case "stall":
			stream(role, hello)(w, r)
			<-r.Context().Done()
		case "cut":
			stream(role, hello)(w, r)
		default:
			stream(role, hello, world, usage, finish)(w, r)
		}
	})
	for _, kind := range []string{"https, HTTP/2", "https, HTTP/1.1", "h2c"} {
		t.Run(kind, func(t *testing.T) {
			server := httptest.NewUnstartedServer(handler)
			options := Options{Origin: time.Now().Add(-time.Second), Header: http.Header{"X-Key": {"secret"}}}
			want := "HTTP/2.0"
			switch kind {
			case "h2c":
				server.Config.Protocols = new(http.Protocols)
				server.Config.Protocols.SetUnencryptedHTTP2(true)
				server.Start()
			default:
				server.EnableHTTP2 = kind == "https, HTTP/2"
				if !server.EnableHTTP2 {
					want = "HTTP/1.1"
				}
				server.StartTLS()
				options.TLS = server.Client().Transport.(*http.Transport).TLSClientConfig
			}
			defer server.Close()
			url := strings.Replace(server.URL, "http://", "h2c://", 1)
			client := New(url, options)
			defer client.Close()
			options.IdleTimeout = 500 * time.Millisecond // of a handshake as well, on a busy machine
			hasty := New(url, options)
			defer hasty.Close()
			for body, failure := range map[string]record.Failure{"": "", "cut": record.FailedCut, "stall": record.FailedStalled} {
				client := client
				if failure == record.FailedStalled {
					client = hasty
				}
				o := client.Send(t.Context(), record.Item{ID: "x", Body: []byte(body)})
				if o.Failure != failure || protocol.Load() != want || o.FirstToken == 0 || o.Connection.Got == 0 {
					t.Errorf("%q over %v: %q %s, %+v", body, protocol.Load(), o.Failure, o.Error, o)
				}
			}
			if err := client.Warm(t.Context(), 2); err != nil {
				t.Error(err)
			}
			if err := client.Health(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestHeader: what is given arrives, and wins over ours, but for what frames the
// request.
func TestHeader(t *testing.T) {
	var got http.Header
	var host string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, host = r.Header, r.Host
		stream(hello, finish)(w, r)
	}))
	defer server.Close()
	client := New(strings.Replace(server.URL, "http://", "http://me:secret@", 1), Options{Origin: time.Now().Add(-time.Second), Header: http.Header{
		"x-key": {"a", "b"}, "content-type": {"text/plain"}, "Host": {"elsewhere"}, "Content-Length": {"7"}, "X-Request-Id": {"mine"}, "X-Break": {"c\r\nX-Evil: d"},
	}})
	defer client.Close()
	if o := client.Send(t.Context(), record.Item{ID: "theirs", Body: []byte("{}")}); !o.OK() {
		t.Fatal(o.Error)
	}
	user := http.Request{Header: got}
	name, secret, _ := user.BasicAuth()
	if host != "elsewhere" || got.Get("Content-Type") != "text/plain" || len(got["X-Key"]) != 2 || got.Get("X-Request-Id") != "theirs" || got.Get("X-Evil") != "" || name != "me" || secret != "secret" {
		t.Errorf("host %s, header %v", host, got)
	}
	for _, id := range []string{"a\r\nb", "\n"} {
		if o := client.Send(t.Context(), record.Item{ID: id}); o.Failure != record.FailedProtocol {
			t.Errorf("id %q: %q", id, o.Failure)
		}
	}
}

// TestCompletions reads the other backend.
func TestCompletions(t *testing.T) {
	path := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		stream(`{"choices":[{"index":0,"text":"Hel","finish_reason":null}]}`, `{"choices":[{"index":0,"text":"lo","finish_reason":"stop"}]}`, usage, finish)(w, r)
	}))
	defer server.Close()
	client := New(server.URL+"/base/", Options{Origin: time.Now().Add(-time.Second), Backend: Completions})
	defer client.Close()
	o := client.Send(t.Context(), record.Item{Body: []byte(`{}`)})
	if !o.OK() || o.Text != "Hello" || o.FinishReason != "stop" || path != "/base/v1/completions" || o.RoleChunk != o.FirstToken {
		t.Errorf("%s of %s: %+v", o.Text, path, o)
	}
}

// TestEvents reads what servers write in different forms.
func TestEvents(t *testing.T) {
	tests := []struct {
		name   string
		events []string
		want   record.Observation
	}{
		{"a tool call is an answer", []string{role,
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"look","arguments":""}}]}}]}`,
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`, finish},
			record.Observation{ToolCalls: 1, Reasoning: "look{}", FinishReason: "tool_calls", OutputTokens: 2}},
		{"reasoning under two names counts once", []string{`{"choices":[{"delta":{"reasoning":"a","reasoning_content":"a"}}]}`, hello, finish},
			record.Observation{Reasoning: "a", Text: "Hel", OutputTokens: 2}},
		{"null content", []string{`{"choices":[{"delta":{"role":"assistant","content":null,"tool_calls":null}}]}`, hello, finish},
			record.Observation{Text: "Hel", OutputTokens: 1}},
		{"an error with a code that is a word", []string{role, `{"error":{"message":"too slow","code":"slow"}}`},
			record.Observation{Failure: record.FailedServer, Error: "the server ended the stream: too slow"}},
		{"an error that is a string", []string{`{"error":"no memory"}`},
			record.Observation{Failure: record.FailedServer, Error: `the server ended the stream: "no memory"`}},
		{"an error in an older form", []string{`{"object":"error","message":"bad","code":400}`},
			record.Observation{Failure: record.FailedServer, Error: "the server ended the stream: bad"}},
		{"usage with some events only is not trusted by chunk", []string{
			`{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`, hello, usage, finish},
			record.Observation{Text: "aHel", OutputTokens: 2, PromptTokens: 7, TokenSource: record.TokensByUsage}},
		{"what comes after the end is not read", []string{hello, finish, `{"error":"late"}`}, record.Observation{Text: "Hel", OutputTokens: 1}},
	}
	for _, tt := range tests {
		o := send(t, stream(tt.events...), Options{})
		if tt.want.TokenSource == "" {
			tt.want.TokenSource = o.TokenSource
		}
		got := record.Observation{ToolCalls: o.ToolCalls, Reasoning: o.Reasoning, Text: o.Text, FinishReason: o.FinishReason, OutputTokens: o.OutputTokens,
			PromptTokens: o.PromptTokens, Failure: o.Failure, Error: o.Error, TokenSource: o.TokenSource}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// FuzzReader wants that no event panics, and that an answer is judged.
func FuzzReader(f *testing.F) {
	for _, event := range []string{role, hello, usage, finish, `{"error":{}}`, `[]`, `{"choices":[{"delta":{"tool_calls":[{}]}}]}`} {
		f.Add([]byte(event), []byte(hello))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		o := record.Observation{}
		r := reader{observation: &o}
		r.event(bytes.Clone(a), 1)
		r.event(bytes.Clone(b), 2)
		if err := r.finish(nil); err == nil && !o.OK() {
			t.Errorf("no error, but %+v", o)
		}
		if len(o.ChunkAt) != len(o.ChunkLens) || len(o.ChunkTokens) > 0 && len(o.ChunkTokens) != len(o.ChunkAt) || len(o.ReasoningLens) > 0 && len(o.ReasoningLens) != len(o.ChunkAt) {
			t.Errorf("lists of different lengths: %+v", o)
		}
	})
}
