package serve

import (
	"context"
	"encoding/json"
	"image/color"
	"testing"

	"siglab/chatapi"
	"siglab/engine/vlm"
)

// quiet is a server whose engine has no work: its requests have all been abandoned.
func quiet(f *testing.F) *Server {
	model, err := vlm.Open("random:tiny", vlm.Options{Threads: 1})
	if err != nil {
		f.Fatal(err)
	}
	s, err := New(Config{Model: model})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		_ = s.engine.Close(context.Background())
		model.Close()
	})
	return s
}

// submitted holds a prepared request to being one that the engine takes or refuses
// as invalid, and its error to being the client's.
func submitted(t *testing.T, s *Server, j *job, err error) {
	if err == nil {
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = s.engine.Submit(gone, j.request)
	}
	if err == nil {
		return
	}
	e := asAPIError(err)
	if e.status != 400 && e.status != 404 || e.message == "" {
		t.Errorf("status %d: %v", e.status, err)
	}
	if _, err := json.Marshal(chatapi.ErrorResponse{Error: e.body()}); err != nil {
		t.Error(err)
	}
}

func FuzzChat(f *testing.F) {
	s := quiet(f)
	f.Add([]byte(`{"model":"random:tiny","messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"` + picture(f, color.White) + `"}}]}],"stop":["a"],"logit_bias":{"5":-100}}`))
	f.Add([]byte(`{"messages":[{"role":"system","content":"x"},{"role":"assistant","content":null}],"logprobs":true,"top_logprobs":20,"temperature":0.5,"top_p":0.5,"top_k":3,"min_p":0.1,"seed":-1,"n":1,"stream":true,"stream_options":{"include_usage":true},"add_generation_prompt":false}`))
	f.Add([]byte(`{"messages":[{"role":"user","content":"x"}],"repetition_penalty":1e300,"presence_penalty":-2,"frequency_penalty":2,"min_tokens":3,"max_completion_tokens":4,"stop_token_ids":[1,-1],"response_format":{"type":"text"},"tools":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var request chatapi.ChatRequest
		err := decode(body, &request)
		var j *job
		if err == nil {
			j, err = s.prepareChat(t.Context(), &request)
		}
		submitted(t, s, j, err)
	})
}

func FuzzCompletion(f *testing.F) {
	s := quiet(f)
	f.Add([]byte(`{"prompt":"x","logprobs":5,"echo":false,"suffix":null,"best_of":1}`))
	f.Add([]byte(`{"prompt":[1,2,300],"max_tokens":1}`))
	f.Add([]byte(`{"prompt":["x"],"stop":"\n"}`))
	f.Add([]byte(`{"prompt":[[1],[2]]}`))
	f.Add([]byte(`{"prompt":[259,259]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var request chatapi.CompletionRequest
		err := decode(body, &request)
		var j *job
		if err == nil {
			j, err = s.prepareCompletion(t.Context(), &request)
		}
		submitted(t, s, j, err)
	})
}

// FuzzAnswer cuts a text into tokens' texts and looks for stop strings in it: what
// comes out must be the text before the first one, however it was cut.
func FuzzAnswer(f *testing.F) {
	f.Add("hello world", "o w", uint8(3))
	f.Add("aaab", "aab", uint8(1))
	f.Fuzz(func(t *testing.T, text, stop string, size uint8) {
		if stop == "" {
			t.Skip()
		}
		whole := stopper{stops: []string{stop}}
		want, wantStop := whole.push(text)
		if wantStop == "" {
			want += whole.flush()
		}
		cut, got, gotStop := stopper{stops: []string{stop}}, "", ""
		for len(text) > 0 && gotStop == "" {
			n := min(len(text), 1+int(size)%5)
			var piece string
			piece, gotStop = cut.push(text[:n])
			got, text = got+piece, text[n:]
		}
		if gotStop == "" {
			got += cut.flush()
		}
		if got != want || gotStop != wantStop {
			t.Errorf("cut: %q, stopped by %q; whole: %q, %q", got, gotStop, want, wantStop)
		}
	})
}
