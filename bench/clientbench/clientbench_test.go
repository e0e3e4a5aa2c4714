package clientbench

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"siglab/bench/clientbench/yardstick"
	"siglab/bench/truthserver"
)

// serve runs a truth server in this process.
func serve(t *testing.T) string {
	t.Helper()
	server, err := truthserver.New(truthserver.Script{TTFT: 5 * time.Millisecond, ITL: time.Millisecond})
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
	t.Cleanup(func() { cancel(); served.Wait() })
	return "http://" + listener.Addr().String()
}

// readLog reads the log until it has n entries: the last come just after the answers.
func readLog(t *testing.T, url string, n int) (entries []truthserver.Entry) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(entries) < n && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		more, err := truthserver.ReadLog(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, more...)
	}
	return entries
}

// TestYardsticks: both minimal clients send both kinds of load, and what they say
// joins with what the server did.
func TestYardsticks(t *testing.T) {
	url, dir := serve(t), t.TempDir()
	image := filepath.Join(dir, "noise.jpg")
	picture, err := noise(sideSmall)
	if err == nil {
		err = os.WriteFile(image, picture, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, transport := range []string{yardstick.Raw, yardstick.NetHTTP} {
		for _, load := range []Load{{Rate: 500, Requests: 40, Tokens: 3}, {Streams: 4, Requests: 30, Tokens: 3}} {
			out := task{Load: load, url: url, dir: dir}
			err := yardstick.Run(t.Context(), yardstick.Options{
				Transport: transport, URL: url, Rate: load.Rate, Streams: load.Streams, Requests: load.Requests, Tokens: load.Tokens, Image: image,
				Out: filepath.Join(dir, "requests.jsonl"),
			})
			if err != nil {
				t.Fatal(err)
			}
			said, err := yardstickClient(Config{}, transport).read(out)
			if err != nil {
				t.Fatal(err)
			}
			entries := readLog(t, url, load.Requests)
			var trial Trial
			if err := join(&trial, load, said, entries); err != nil {
				t.Fatal(err)
			}
			if trial.Told != load.Requests || trial.Whole != load.Requests || trial.ITLP99 == nil || trial.Lag == nil || trial.TTFT.P50 <= 0 || (trial.Arrivals == nil) != (load.Rate == 0) {
				t.Errorf("%s, %+v: %+v", transport, load, trial)
			}
		}
	}
}

func TestYardstickRefuses(t *testing.T) {
	for _, o := range []yardstick.Options{{Requests: 1}, {Rate: 1}, {Requests: 1, Rate: 1, Image: "no such file"}} {
		if err := yardstick.Run(t.Context(), o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

// TestInputs: what the peers read is there, a row for every request.
func TestInputs(t *testing.T) {
	dir := t.TempDir()
	if err := writeInputs(dir, loads(true)); err != nil {
		t.Fatal(err)
	}
	for _, load := range loads(true) {
		for kind, side := range map[string]int{"url": sideAsIs, "aiperf": sideAIPerf, "guidellm": sideGuidellm} {
			data, err := os.ReadFile(imageInput(dir, kind, load, side))
			if rows := strings.Count(string(data), "\n"); err != nil || rows < load.Requests {
				t.Errorf("%s, %s: %d rows, error %v", load.Name, kind, rows, err)
			}
			if kind == "url" && load.Image && len(data)/strings.Count(string(data), "\n") < 450<<10 {
				t.Errorf("images are small: %d bytes of rows", len(data))
			}
		}
	}
	if _, err := os.Stat(filepath.Join(tokenizerDir(dir), "tokenizer.json")); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	good := Config{Rounds: 1, Timeout: time.Second, Only: []string{"siglab"}}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Config){
		"0 rounds":            func(c *Config) { c.Rounds = 0 },
		"time-out":            func(c *Config) { c.Timeout = 0 },
		`no client "curl"`:    func(c *Config) { c.Only = []string{"curl"} },
		`there are ["siglab"`: func(c *Config) { c.Only = []string{"wget"} },
		`no load "11/s"`:      func(c *Config) { c.Loads = []string{"11/s"} },
	} {
		c := good
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// TestMarkdown: medians over the rounds that worked, and a reason for the others.
func TestMarkdown(t *testing.T) {
	trial := func(client string, round int, p50 float64) Trial {
		return Trial{Client: client, Load: "10/s", Round: round, Requests: 3, Whole: 3, Told: 3, TTFT: Spread{P50: p50}}
	}
	broken := Trial{Client: "b", Load: "10/s", Round: 1, Failure: "it | broke\nagain"}
	table := Table{
		Trials: []Trial{trial("a", 1, 3), trial("a", 2, 1), trial("a", 3, 2), broken},
		Absent: []Absent{{Client: "c", Reason: "no\nPython"}},
	}
	var out strings.Builder
	if err := table.WriteMarkdown(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| a | 3 of 3 | 0.00 / 2.00 / 0.00 | +0.000 / - | - |", "| b | 0 of 1 | it / broke again |", "- c was not measured: no Python"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
