package clientbench

import (
	"path/filepath"
	"strconv"
	"time"

	"siglab/bench/record"
	"siglab/bench/runlog"
	"siglab/internal/monotime"
)

// ours is the client of this module, as a user runs it on one server.
func ours(c Config) client {
	return client{
		name: "siglab",
		command: func(t task) (argv, env []string, err error) {
			argv = []string{
				c.Siglab, "bench", "--url", "one=" + t.url, "--out", filepath.Join(t.dir, "run"), "--no-calibrate", "--warmups", "0",
				"--dataset", imageInput(c.Dir, "url", t.Load, sideAsIs), "--seed", strconv.Itoa(t.round),
				"--num-prompts", strconv.Itoa(t.Requests), "--max-tokens", strconv.Itoa(t.Tokens),
			}
			if t.Streams > 0 {
				return append(argv, "--request-rate", "inf", "--max-concurrency", strconv.Itoa(t.Streams)), nil, nil
			}
			return append(argv, "--request-rate", strconv.FormatFloat(t.Rate, 'g', -1, 64)), nil, nil
		},
		read: func(t task) ([]request, error) {
			run, err := runlog.Read(filepath.Join(t.dir, "run"))
			if err != nil {
				return nil, err
			}
			origin := onSharedClock(run.Manifest.Started)
			var requests []request
			for _, o := range run.Observations {
				if !o.OK() {
					continue
				}
				requests = append(requests, ofObservation(&o, origin))
			}
			return requests, nil
		},
	}
}

// ofObservation takes the events with text, as the analysis does.
func ofObservation(o *record.Observation, origin time.Duration) request {
	r := request{id: o.Item, start: o.Sent.Seconds(), ttft: ms(o.FirstToken - o.Sent)}
	before := time.Duration(0)
	for i, at := range o.ChunkAt {
		if i < len(o.ChunkLens) && o.ChunkLens[i] == 0 {
			continue // the role
		}
		if before > 0 {
			r.gaps = append(r.gaps, ms(at-before))
		}
		r.reads = append(r.reads, origin+at)
		before = at
	}
	return r
}

// onSharedClock is where an instant of the wall clock lies on the monotonic one; a
// step of the wall clock in between falsifies it.
func onSharedClock(wall time.Time) time.Duration {
	now := time.Now()
	return monotime.Of(now) - now.Round(0).Sub(wall)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
