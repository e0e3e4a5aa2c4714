package serve

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"siglab/chatapi"
)

// TestText: a request with more text than the bound is refused, on every route, before
// anything is done with it.
func TestText(t *testing.T) {
	s, p := startHeld(t, func(string) {}, nil)
	for range cap(s.texts) { // no long text is tokenized while this test runs
		s.texts <- struct{}{}
	}
	long := strings.Repeat("x", mostText/2+1)
	for _, tt := range []struct {
		route, body string
		status      int
	}{
		{chatRoute, fmt.Sprintf(`{"messages":[{"role":"user","content":%q},{"role":"user","content":[{"type":"text","text":%[1]q}]}]}`, long), 400},
		{"/v1/completions", fmt.Sprintf(`{"prompt":%q}`, long+long), 400},
		{"/tokenize", fmt.Sprintf(`{"prompt":%q}`, long+long), 400},
		{"/tokenize", fmt.Sprintf(`{"messages":[{"role":"user","content":%q}]}`, long+long), 400},
		{"/tokenize", fmt.Sprintf(`{"prompt":%q}`, long[:shortText]), 200},
	} {
		r, err := p.post(t.Context(), tt.route, tt.body)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if r.StatusCode != tt.status {
			t.Errorf("%s with %d bytes: status %d, want %d", tt.route, len(tt.body), r.StatusCode, tt.status)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() {
		_, err := s.encode(ctx, long[:shortText+1], nil)
		ended <- err
	}()
	go func() {
		_, err := s.chatPrompt(ctx, []chatapi.Message{{Role: "user", Content: chatapi.Content{{Type: "text", Text: long}}}}, nil)
		ended <- err
	}()
	cancel()
	for range cap(ended) {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("a long text whose client has gone, while others are tokenized: %v", err)
		}
	}
}

// TestImagesGone: the images that are left are not decoded for a client who has gone.
func TestImagesGone(t *testing.T) {
	s, _ := startHeld(t, func(string) {}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	broken := "data:image/png;base64,aGVsbG8="
	for range 20 { // where a slot is free as well, the choice is random
		if _, err := s.images(ctx, []string{broken}); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want %v", err, context.Canceled)
		}
	}
}
