package compare

import (
	"math"
	"math/rand/v2"
	"time"

	"siglab/bench/record"
)

// world is a server with known imperfections, the same for both arms: a processor
// shared by all requests in it, which slows down with their number.
type world struct {
	why      string
	noise    float64 // standard deviation of a block's speed
	carry    float64 // correlation of a block's speed with that of the block before
	drift    float64 // how much slower the last block is than the first
	tail     float64 // standard deviation of the logarithm of a request's work
	stalls   float64 // share of the blocks that something else slows by a tenth
	requests int     // per block
	work     float64 // seconds that a request takes alone, on average
}

const (
	simRate   = 10.0 // requests per second
	simDecode = 20   // tokens after the first
	simJitter = 0.03 // of a request's work between the arms
	sharing   = 0.03 // each further request slows all by this much
)

// times are one request's outcome, in seconds from its arrival.
type times struct{ first, last float64 }

// job is a request in the server.
type job struct {
	at, prefill, decode float64 // arrival in seconds, work in seconds
}

// slice draws the requests of one pair: Poisson arrivals, log-normal work.
func (w world) slice(rng *rand.Rand) []job {
	jobs, at := make([]job, w.requests), 0.0
	for i := range jobs {
		at += rng.ExpFloat64() / simRate
		work := w.work * math.Exp(w.tail*rng.NormFloat64()-w.tail*w.tail/2)
		jobs[i] = job{at, work / 2, work / 2}
	}
	return jobs
}

// serve runs a block: all requests in the server progress at the same rate, which is
// speed over 1 + sharing·(their number).
func serve(jobs []job, speed float64, rng *rand.Rand) []times {
	type active struct {
		i                int
		untilFirst, left float64 // work
	}
	out := make([]times, len(jobs))
	var in []active
	now, next := 0.0, 0
	for next < len(jobs) || len(in) > 0 {
		rate := speed / (1 + sharing*float64(len(in)))
		step := math.Inf(1) // to the next event: an arrival, a first token, an end
		if next < len(jobs) {
			step = jobs[next].at - now
		}
		for _, a := range in {
			step = min(step, a.left/rate)
			if a.untilFirst > 0 {
				step = min(step, a.untilFirst/rate)
			}
		}
		now += step
		kept := in[:0]
		for _, a := range in {
			hadFirst := a.untilFirst <= 0
			a.untilFirst -= step * rate
			a.left -= step * rate
			if !hadFirst && a.untilFirst <= 1e-12 {
				a.untilFirst, out[a.i].first = 0, now-jobs[a.i].at
			}
			if a.left <= 1e-12 {
				out[a.i].last = now - jobs[a.i].at
				continue
			}
			kept = append(kept, a)
		}
		in = kept
		if next < len(jobs) && now >= jobs[next].at-1e-12 {
			j := jobs[next]
			jitter := math.Exp(simJitter * rng.NormFloat64())
			in = append(in, active{next, j.prefill * jitter, (j.prefill + j.decode) * jitter})
			next++
		}
	}
	return out
}

// speeds are those of the blocks of an experiment, in the order in which they run.
func (w world) speeds(blocks int, rng *rand.Rand) []float64 {
	out, state := make([]float64, blocks), rng.NormFloat64()
	for i := range out {
		if i > 0 {
			state = w.carry*state + math.Sqrt(1-w.carry*w.carry)*rng.NormFloat64()
		}
		out[i] = math.Exp(w.noise*state) * (1 - w.drift*float64(i)/float64(max(1, blocks-1)))
		if rng.Float64() < w.stalls {
			out[i] *= 0.9
		}
	}
	return out
}

// experiment draws an experiment of pairs in the order AB, BA, …: what each request of
// each block took, by pair and arm. The candidate is slower by the given share.
func (w world) experiment(pairs int, slower float64, rng *rand.Rand) [][2][]times {
	out := make([][2][]times, pairs)
	speed := w.speeds(2*pairs, rng)
	for p := range out {
		jobs := w.slice(rng)
		for slot := range 2 {
			arm := slot ^ p&1
			s := speed[2*p+slot]
			if arm == 1 {
				s /= 1 + slower
			}
			out[p][arm] = serve(jobs, s, rng)
		}
	}
	return out
}

// study is a drawn experiment as it would be read from a run directory. Every request
// of the candidate is held up by delay.
func (w world) study(drawn [][2][]times, delay time.Duration) (*study, error) {
	run := record.Run{Manifest: record.Manifest{
		Variants:   mainAndOptimized(),
		Experiment: record.Experiment{Pairs: len(drawn), NumPrompts: w.requests, Alpha: 0.05, Equivalence: 0.02},
	}}
	for pair := range drawn {
		for slot := range 2 {
			arm := slot ^ pair&1
			b := record.Block{ID: 2*pair + slot + 1, Pair: pair, Slot: slot, Variant: run.Manifest.Variants[arm].Name, Requests: w.requests}
			run.Manifest.Blocks = append(run.Manifest.Blocks, b)
			for i, t := range drawn[pair][arm] {
				o := record.Observation{Block: b.ID, Variant: b.Variant, Index: i, Status: 200, OutputTokens: simDecode + 1}
				o.FirstToken, o.LastToken = seconds(t.first)+time.Duration(arm)*delay, seconds(t.last)+time.Duration(arm)*delay
				run.Observations = append(run.Observations, o)
			}
		}
	}
	return newStudy(run)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
