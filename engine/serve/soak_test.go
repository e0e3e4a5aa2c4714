package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/color"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"siglab/chatapi"
	"siglab/engine/generate"
	"siglab/engine/vlm"
	"siglab/posembed"
)

// TestSoak loads a server with twice what it can answer, from clients of which some
// go away at random, for the time in SIGLAB_SOAK, such as 10m:
//
//	SIGLAB_SOAK=10m go test ./engine/serve -run TestSoak -v -timeout 0
//
// Every request that is admitted and whose client stays is answered whole, the
// others are told to come again; afterwards memory is what it was after a quarter of the
// time, and no goroutine is left.
func TestSoak(t *testing.T) {
	duration, err := time.ParseDuration(os.Getenv("SIGLAB_SOAK"))
	if err != nil {
		t.Skip("SIGLAB_SOAK is not set to a duration")
	}
	before := runtime.NumGoroutine()
	load, stop := startSoak(t)
	capacity := load.capacity(10 * time.Second)
	t.Logf("capacity %.1f requests a second", capacity)
	rng := rand.New(rand.NewPCG(1, 1))
	begun, sampled, early := time.Now(), time.Now(), uint64(0)
	load.result = soakResult{}
	var clients sync.WaitGroup
	for next := begun; time.Since(begun) < duration; {
		next = next.Add(time.Duration(rng.ExpFloat64() / (2 * capacity) * float64(time.Second)))
		time.Sleep(time.Until(next))
		seed := rng.Uint64()
		clients.Go(func() { load.one(t, seed, true) })
		if time.Since(sampled) > duration/12 {
			sampled = time.Now()
			heap := heapInUse()
			t.Logf("after %v: %v, heap %.1f MB, %d goroutines", time.Since(begun).Round(time.Second), &load.result, float64(heap)/1e6, runtime.NumGoroutine())
			if early == 0 && time.Since(begun) > duration/4 {
				early = heap
			}
		}
	}
	clients.Wait()
	load.client.CloseIdleConnections()
	stop()
	eventually(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
	late := heapInUse()
	t.Logf("at the end: %v, heap %.1f MB", &load.result, float64(late)/1e6)
	if late > early+early/5+8<<20 {
		t.Errorf("the heap grew from %d to %d bytes", early, late)
	}
	if load.result.whole.Load() == 0 || load.result.refused.Load() == 0 || load.result.left.Load() == 0 {
		t.Error("one kind of outcomes is missing: this was no soak")
	}
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// soak is a running server and its clients.
type soak struct {
	url    string
	client *http.Client
	images []string
	result soakResult
}

// soakResult counts outcomes: answered whole, refused with 429, left by the client.
type soakResult struct{ whole, refused, left atomic.Int64 }

func (r *soakResult) String() string {
	return fmt.Sprintf("%d answered whole, %d refused, %d left by their clients", r.whole.Load(), r.refused.Load(), r.left.Load())
}

func startSoak(t *testing.T) (*soak, func()) {
	model, err := vlm.Open("random:tiny", vlm.Options{PosEmbed: posembed.Exact})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Model: model, Engine: generate.Config{MaxSeqs: 8, MaxQueue: 16, MaxBatchedTokens: 128, EncoderCache: 1 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, l) }()
	load := &soak{url: "http://" + l.Addr().String(), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	for i := range 40 {
		load.images = append(load.images, picture(t, color.RGBA{uint8(i * 6), uint8(255 - i), uint8(i * 31), 255}))
	}
	return load, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if held := s.bodies.held.Load(); held != 0 || s.requests.Load() != 0 || s.engine.KVUsage() != 0 {
			t.Errorf("at the end %d bytes of bodies, %d requests, %v of the cache are held", held, s.requests.Load(), s.engine.KVUsage())
		}
	}
}

// capacity is the number of requests that are answered a second, from 16 clients who
// wait for each answer.
func (l *soak) capacity(d time.Duration) float64 {
	begun := time.Now()
	var clients sync.WaitGroup
	for i := range 16 {
		clients.Go(func() {
			for n := uint64(i); time.Since(begun) < d; n += 16 {
				l.one(nil, n, false)
			}
		})
	}
	clients.Wait()
	return float64(l.result.whole.Load()) / time.Since(begun).Seconds()
}

// one sends a request of its own kind for every seed, and leaves before its end or
// in it if it may.
func (l *soak) one(t *testing.T, seed uint64, mayLeave bool) {
	rng := rand.New(rand.NewPCG(seed, 2))
	route, fields := "/v1/chat/completions", fmt.Sprintf(`,"max_tokens":%d,"ignore_eos":true,"stream":%v,"seed":%d`, 1+rng.IntN(60), rng.IntN(4) > 0, seed>>1)
	var request string
	switch rng.IntN(4) {
	case 0:
		route, request = "/v1/completions", `{"prompt":"Tell me about"`+fields+`}`
	case 1:
		request = body("Say "+strings.Repeat("something long ", rng.IntN(60)), nil, fields)
	default:
		request = body("What is this?", l.some(rng), fields)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	leaves := mayLeave && rng.IntN(3) == 0
	if leaves {
		time.AfterFunc(time.Duration(rng.ExpFloat64()*float64(200*time.Millisecond)), cancel)
	}
	status, answer, err := l.send(ctx, route, request)
	done := bytes.HasSuffix(answer, []byte(chatapi.DoneData+"\n\n")) || bytes.HasSuffix(answer, []byte("}"))
	switch {
	case err != nil && leaves && errors.Is(err, context.Canceled):
		l.result.left.Add(1)
	case err == nil && status == 200 && done && bytes.Contains(answer, []byte(`"finish_reason":"length"`)):
		l.result.whole.Add(1)
	case err == nil && status == 429:
		l.result.refused.Add(1)
	case t != nil:
		t.Errorf("status %d, error %v, answer %.300s", status, err, answer)
	}
}

func (l *soak) send(ctx context.Context, route, request string) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+route, strings.NewReader(request))
	if err != nil {
		return 0, nil, err
	}
	response, err := l.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// some are 1 to 3 of the images.
func (l *soak) some(rng *rand.Rand) []string {
	first := rng.IntN(len(l.images) - 3)
	return l.images[first:][:1+rng.IntN(3)]
}
