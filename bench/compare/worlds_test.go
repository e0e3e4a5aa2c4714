package compare

import (
	"flag"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// repetitions of each simulated world. `make simulate` takes ten times as many.
var repetitions = flag.Int("repetitions", 2000, "how many experiments to simulate in each world")

// fewer is a part of them, for what takes longer.
func fewer(part int) int { return max(100, *repetitions/part) }

// worlds are the imperfections that a comparison must stand.
var worlds = []world{
	{why: "calm: blocks differ by 1 %", noise: 0.01, tail: 0.6, requests: 60, work: 0.05},
	{why: "drift: the last block is 5 % slower than the first", noise: 0.01, drift: 0.05, tail: 0.6, requests: 60, work: 0.05},
	{why: "autocorrelation: a block's speed is like that of the one before (0.6)", noise: 0.01, carry: 0.6, tail: 0.6, requests: 60, work: 0.05},
	{why: "heavy tails: work varies by a factor of three, and one block in twenty stalls", noise: 0.01, tail: 1.1, stalls: 0.05, requests: 60, work: 0.05},
}

// repeat draws experiments in a world and hands each to look, which may be called by
// several goroutines at once and must not keep what it is given.
func (w world) repeat(repetitions, pairs int, slower float64, look func(drawn [][2][]times)) {
	var next sync.Mutex
	done := 0
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				next.Lock()
				i := done
				done++
				next.Unlock()
				if i >= repetitions {
					return
				}
				look(w.experiment(pairs, slower, rand.New(rand.NewPCG(uint64(i), 2025))))
			}
		})
	}
	workers.Wait()
}

// skipUnderRace keeps long simulations out of the race detector's run.
func skipUnderRace(t *testing.T) {
	if raceDetector {
		t.Skip("the statistics are checked without the race detector, which takes minutes for it")
	}
}

// tally counts outcomes by name, from several goroutines.
type tally struct {
	mu   sync.Mutex
	n    map[string]int
	seen map[string]int
}

func (t *tally) add(name string, happened bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n, t.seen = map[string]int{}, map[string]int{}
	}
	t.seen[name]++
	if happened {
		t.n[name]++
	}
}

func (t *tally) share(name string) float64 { return float64(t.n[name]) / float64(t.seen[name]) }

// TestWorlds: without a difference, the t test on one metric is wrong about as often
// as it says, and so is its interval; the verdicts of all primaries together are
// wrong in at most one run in twenty, also where the run stops at the first look that
// decides. The bounds allow for three standard errors of 2000 repetitions.
func TestWorlds(t *testing.T) {
	skipUnderRace(t)
	for _, w := range worlds {
		t.Run(w.why, func(t *testing.T) {
			t.Parallel()
			var seen tally
			w.repeat(*repetitions, 6, 0, func(drawn [][2][]times) {
				s, err := w.study(drawn, 0)
				if err != nil {
					t.Error(err)
					return
				}
				metrics := s.metrics(true)
				m := find(metrics, "optimized", "median_ttft_ms")
				seen.add("t test", m.P < 0.05)
				seen.add("interval", m.Percent.Low <= 0 && 0 <= m.Percent.High)
				seen.add("verdict", claims(metrics))
			})
			w.repeat(fewer(4), 12, 0, func(drawn [][2][]times) {
				s, err := w.study(drawn, 0)
				if err != nil {
					t.Error(err)
					return
				}
				seen.add("early", s.stopsWrong())
			})
			t.Logf("t test %.1f %%, interval covers in %.1f %%, verdicts %.1f %%, with early stopping %.1f %%",
				100*seen.share("t test"), 100*seen.share("interval"), 100*seen.share("verdict"), 100*seen.share("early"))
			for _, bound := range []struct {
				name      string
				low, high float64
			}{{"t test", 0.03, 0.07}, {"interval", 0.93, 0.97}, {"verdict", 0, 0.05}, {"early", 0, 0.05}} {
				if got := seen.share(bound.name); got < bound.low || got > bound.high {
					t.Errorf("%s: %.3f, want %.2f to %.2f", bound.name, got, bound.low, bound.high)
				}
			}
		})
	}
}

// claims reports whether any metric is called faster or slower.
func claims(metrics []Metric) bool {
	return slices.ContainsFunc(metrics, func(m Metric) bool { return m.Verdict == Faster || m.Verdict == Slower })
}

// stopsWrong looks at an experiment of no difference after every second pair, as a
// run that may stop early does, and reports whether the first look that decides
// claims one.
func (s *study) stopsWrong() bool {
	s.run.Manifest.Experiment.EarlyStop = true
	all := s.pairs
	for n := firstLook; n <= len(all); n += 2 {
		s.pairs = all[:n]
		c := Comparison{Manifest: s.run.Manifest, Metrics: s.metrics(true)}
		if claims(c.Metrics) {
			return true
		}
		if c.Decided() {
			return false // equivalent: the run would have ended
		}
	}
	return false
}

// TestKnownDelay: an injected delay is found with the right sign, and its interval in
// milliseconds covers it about as often as it says, in every world.
func TestKnownDelay(t *testing.T) {
	skipUnderRace(t)
	const delay = 5 * time.Millisecond
	for _, w := range worlds {
		t.Run(w.why, func(t *testing.T) {
			t.Parallel()
			var seen tally
			w.repeat(fewer(4), 6, 0, func(drawn [][2][]times) {
				s, err := w.study(drawn, delay)
				if err != nil {
					t.Error(err)
					return
				}
				m := find(s.metrics(true), "optimized", "median_ttft_ms")
				seen.add("covers", m.Absolute.Low <= 5 && 5 <= m.Absolute.High)
				seen.add("wrong sign", m.Verdict == Faster)
				seen.add("found", m.Verdict == Slower)
			})
			t.Logf("covered in %.1f %%, found in %.1f %%", 100*seen.share("covers"), 100*seen.share("found"))
			if got := seen.share("covers"); got < 0.92 || got > 0.98 {
				t.Errorf("the interval covers the delay in %.3f of the runs", got)
			}
			if seen.n["wrong sign"] > 0 {
				t.Errorf("%d runs have the wrong sign", seen.n["wrong sign"])
			}
			if got := seen.share("found"); got < 0.95 {
				t.Errorf("the delay is found in %.3f of the runs", got)
			}
		})
	}
}

// TestUsualPractice shows what other designs make of the same servers, beside ours:
// false claims without a difference, and the power for a server that is 2 % slower, of
// ten blocks for each arm. doc/experiment-design.md has the table.
func TestUsualPractice(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	w := world{why: "drift of 2 %, many requests at a time", noise: 0.01, drift: 0.02, tail: 0.6, requests: 600, work: 1.5}
	for _, slower := range []float64{0, 0.02} {
		var seen tally
		w.repeat(fewer(20), 10, slower, func(drawn [][2][]times) {
			seen.add("paired t on blocks", tTest(blockRatios(drawn)) < 0.05)
			seen.add("paired z on requests", pairedZ(drawn) < 0.05)
		})
		sequential(w, slower, &seen)
		for _, name := range []string{"pooled Mann-Whitney", "Welch on blocks", "paired z on requests", "paired t on blocks"} {
			t.Logf("slower by %g %%: %-22s claims a difference in %.1f %%", 100*slower, name, 100*seen.share(name))
		}
		if slower > 0 {
			if got := seen.share("paired t on blocks"); got < 0.85 {
				t.Errorf("a server that is 2 %% slower is found in %.3f", got)
			}
			continue
		}
		for name, bounds := range map[string][2]float64{
			"pooled Mann-Whitney": {0.15, 1}, "Welch on blocks": {0.06, 0.4}, "paired z on requests": {0.5, 1}, "paired t on blocks": {0.03, 0.07},
		} {
			if got := seen.share(name); got < bounds[0] || got > bounds[1] {
				t.Errorf("%s: false claims in %.3f, want %.2f to %.2f", name, got, bounds[0], bounds[1])
			}
		}
	}
}

// sequential tallies what is usual: all blocks of one arm, then all of the other, each
// block with requests of its own; requests pooled, or one value for each block.
func sequential(w world, slower float64, seen *tally) {
	var workers sync.WaitGroup
	share := (fewer(20) + 1) / 2
	for half := range 2 {
		workers.Go(func() {
			for i := half * share; i < (half+1)*share; i++ {
				rng := rand.New(rand.NewPCG(uint64(i), 77))
				speed := w.speeds(20, rng)
				var pooled, medians [2][]float64
				for b, s := range speed {
					arm := b / 10
					if arm == 1 {
						s /= 1 + slower
					}
					last := lasts(serve(w.slice(rng), s, rng))
					pooled[arm] = append(pooled[arm], last...)
					medians[arm] = append(medians[arm], math.Log(quantile(slices.Sorted(slices.Values(last)), 0.5)))
				}
				seen.add("pooled Mann-Whitney", mannWhitney(pooled[0], pooled[1]) < 0.05)
				seen.add("Welch on blocks", ofArms(medians[0], medians[1]).p() < 0.05)
			}
		})
	}
	workers.Wait()
}

// blockRatios are the log ratios of the medians of the pairs.
func blockRatios(drawn [][2][]times) []float64 {
	var ratios []float64
	for _, p := range drawn {
		median := func(arm int) float64 { return quantile(slices.Sorted(slices.Values(lasts(p[arm]))), 0.5) }
		ratios = append(ratios, math.Log(median(1)/median(0)))
	}
	return ratios
}

func lasts(block []times) []float64 {
	out := make([]float64, len(block))
	for i, t := range block {
		out[i] = t.last
	}
	return out
}

// pairedZ treats the log ratios of single requests as independent.
func pairedZ(drawn [][2][]times) float64 {
	var ratios []float64
	for _, p := range drawn {
		for i, t := range p[1] {
			ratios = append(ratios, math.Log(t.last/p[0][i].last))
		}
	}
	return 2 * distuv.UnitNormal.Survival(math.Abs(mean(ratios)/standardError(ratios)))
}

// mannWhitney is the normal approximation of the rank-sum test, without ties.
func mannWhitney(a, b []float64) float64 {
	type value struct {
		v   float64
		arm int
	}
	var all []value
	for _, v := range a {
		all = append(all, value{v, 0})
	}
	for _, v := range b {
		all = append(all, value{v, 1})
	}
	slices.SortFunc(all, func(x, y value) int {
		if x.v < y.v {
			return -1
		}
		return 1
	})
	ranks := 0.0
	for i, v := range all {
		if v.arm == 0 {
			ranks += float64(i + 1)
		}
	}
	n, m := float64(len(a)), float64(len(b))
	u := ranks - n*(n+1)/2
	return 2 * distuv.UnitNormal.Survival(math.Abs((u-n*m/2)/math.Sqrt(n*m*(n+m+1)/12)))
}
