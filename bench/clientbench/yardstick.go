package clientbench

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"siglab/bench/clientbench/yardstick"
)

// yardstickClient is one of the two minimal clients, which do nothing but send and stamp:
// what the machine allows.
func yardstickClient(c Config, transport string) client {
	out := func(t task) string { return filepath.Join(t.dir, "requests.jsonl") }
	return client{
		name: "minimal Go, " + transport,
		command: func(t task) (argv, env []string, err error) {
			side := sideSmall
			if t.Image {
				side = sideAsIs
			}
			argv = append(slices.Clone(c.Yardstick), "--transport", transport, "--url", t.url, "--out", out(t),
				"--image", filepath.Join(c.Dir, "inputs", "noise-"+strconv.Itoa(side)+".jpg"),
				"--requests", strconv.Itoa(t.Requests), "--tokens", strconv.Itoa(t.Tokens), "--streams", strconv.Itoa(t.Streams),
				"--rate", strconv.FormatFloat(t.Rate, 'g', -1, 64), "--seed", strconv.Itoa(t.round))
			return argv, nil, nil
		},
		read: func(t task) (requests []request, err error) {
			file, err := os.Open(out(t))
			if err != nil {
				return nil, err
			}
			defer func() { _ = file.Close() }() // read only
			for d := json.NewDecoder(bufio.NewReader(file)); d.More(); {
				var a yardstick.Answer
				if err := d.Decode(&a); err != nil {
					return nil, err
				}
				if a.Error == "" && len(a.Reads) > 0 {
					requests = append(requests, ofYardstick(a))
				}
			}
			return requests, nil
		},
	}
}

func ofYardstick(a yardstick.Answer) request {
	r := request{id: a.ID, start: a.Sent.Seconds(), reads: a.Reads, ttft: ms(a.Reads[0] - a.Sent)}
	for i := 1; i < len(a.Reads); i++ {
		r.gaps = append(r.gaps, ms(a.Reads[i]-a.Reads[i-1]))
	}
	return r
}

// seconds is an offset on a clock of seconds.
func seconds(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }
