package clientbench

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"siglab/bench/arrival"
	"siglab/bench/truthserver"
)

// Trial is one run of one client under one load. Times are ms.
type Trial struct {
	Client  string `json:"client"`
	Load    string `json:"load"`
	Round   int    `json:"round"`
	Failure string `json:"failure,omitempty"` // why there are no numbers
	// Requests reached the server; of Whole ones it wrote the whole answer, and the
	// client told Told.
	Requests int     `json:"requests"`
	Whole    int     `json:"whole"`
	Told     int     `json:"told"`
	KB       float64 `json:"body_kb"` // a body, on average
	// TTFT is the client's minus the server's, from its read of the request's last
	// byte to its write of the first token.
	TTFT Spread `json:"ttft_error_ms"`
	// ITLMean is the mean of the client's gaps minus that of the gaps between tokens.
	ITLMean float64 `json:"itl_mean_error_ms"`
	// ITLP99 is the 99th percentile of the magnitude of single gaps' errors; nil: the
	// client tells no gap for each event.
	ITLP99 *float64 `json:"itl_p99_error_ms"`
	// Lag is from the server's write to the client's stamp; nil: its stamps are on no
	// clock that can be compared.
	Lag      *Spread       `json:"lag_ms,omitempty"`
	Cores    float64       `json:"cores"` // while there was load
	Peak     float64       `json:"peak_mb"`
	Arrivals *arrival.Sent `json:"arrivals,omitempty"` // at the server, of open loops
}

// Spread sums up a list of numbers.
type Spread struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
}

// positional ids stand for "bench-<random>-<position>", of which a client's files
// know the position alone.
const positional = "position "

// log reads and empties the server's log. Answers that are still written when a
// client leaves are logged a moment later.
func (s *sitting) log(ctx context.Context) ([]truthserver.Entry, error) {
	const settling = 100 * time.Millisecond
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(settling):
	}
	return truthserver.ReadLog(ctx, s.url)
}

// join pairs what the client says with what the server did, by ids where there are
// any, else by the order of the starts.
func join(trial *Trial, load Load, said []request, entries []truthserver.Entry) error {
	var whole []truthserver.Entry
	for _, e := range entries {
		if e.Left == "" && e.Finish != "" {
			whole = append(whole, e)
		}
	}
	trial.Requests, trial.Whole, trial.Told = len(entries), len(whole), len(said)
	if len(said) == 0 {
		return fmt.Errorf("it tells of no request; %d reached the server", len(entries))
	}
	slices.SortFunc(whole, func(a, b truthserver.Entry) int { return cmp.Compare(a.Head, b.Head) })
	slices.SortFunc(said, func(a, b request) int { return cmp.Compare(a.start, b.start) })
	pairs, err := pair(said, whole)
	if err != nil {
		return err
	}
	d := &differences{}
	for i := range pairs {
		d.add(&said[i], pairs[i])
	}
	d.sum(trial)
	for _, e := range entries {
		trial.KB += float64(e.Bytes) / 1024 / float64(len(entries))
	}
	if load.Rate > 0 {
		sent := arrival.Examine(offsets(entries), arrival.Process{Rate: load.Rate, Burstiness: 1})
		trial.Arrivals = &sent
	}
	return nil
}

// pair finds each request's entry.
func pair(said []request, whole []truthserver.Entry) ([]*truthserver.Entry, error) {
	pairs := make([]*truthserver.Entry, len(said))
	if said[0].id == "" {
		return pairs, inOrder(pairs, said, whole)
	}
	byID := map[string]*truthserver.Entry{}
	for i := range whole {
		id := whole[i].ID
		byID[id] = &whole[i]
		if at := strings.LastIndexByte(id, '-'); at >= 0 && strings.HasPrefix(id, "bench-") {
			byID[positional+id[at+1:]] = &whole[i]
		}
	}
	for i, r := range said {
		if pairs[i] = byID[r.id]; pairs[i] == nil {
			return nil, fmt.Errorf("it tells of request %q, which the server did not answer", r.id)
		}
	}
	return pairs, nil
}

// inOrder pairs requests without ids. Where a client is silent about some, the start
// of the next one, on the shared clock, tells which: a request comes after it was sent.
func inOrder(pairs []*truthserver.Entry, said []request, whole []truthserver.Entry) error {
	const slack = time.Millisecond // of the clocks
	next := 0
	for i, r := range said {
		silent := len(whole) - next - (len(said) - i) // how many may be passed over
		for ; silent > 0 && whole[next].Head < seconds(r.start)-slack; silent-- {
			next++
		}
		if next == len(whole) {
			return fmt.Errorf("it tells of %d requests without ids, the server answered %d: they cannot be joined", len(said), len(whole))
		}
		pairs[i] = &whole[next]
		next++
	}
	return nil
}

// differences are of client minus truth, in ms.
type differences struct {
	ttft, lag     []float64
	itl           []float64 // magnitudes, of gaps that have their own truth
	unpaired      bool      // some gaps have none
	gaps, trueSum float64   // sums of the gaps' means
	requests      int
}

// add compares one request.
func (d *differences) add(r *request, truth *truthserver.Entry) {
	var all, tokens []time.Duration // times of events, of those with a token
	for _, e := range truth.Events {
		all = append(all, e.At)
		if e.Tokens > 0 {
			tokens = append(tokens, e.At)
		}
	}
	d.ttft = append(d.ttft, r.ttft-ms(tokens[0]-truth.Read))
	times := tokens
	if len(r.gaps)+1 == len(all) {
		times = all // a role event counts for this client
	}
	switch {
	case len(r.gaps) > 0 && len(r.gaps)+1 == len(times):
		for i, gap := range r.gaps {
			d.itl = append(d.itl, math.Abs(gap-ms(times[i+1]-times[i])))
		}
	default:
		d.unpaired = true
	}
	if mean := r.meanITL(); len(tokens) > 1 && !math.IsNaN(mean) {
		d.gaps += mean
		d.trueSum += ms(tokens[len(tokens)-1]-tokens[0]) / float64(len(tokens)-1)
		d.requests++
	}
	if len(r.reads) == len(times) {
		for i, at := range r.reads {
			d.lag = append(d.lag, ms(at-times[i]))
		}
	}
}

// meanITL is the client's own mean of a request, NaN if it has none.
func (r *request) meanITL() float64 {
	if r.meanGap > 0 {
		return r.meanGap
	}
	sum := 0.0
	for _, gap := range r.gaps {
		sum += gap
	}
	return sum / float64(len(r.gaps))
}

// sum fills in the trial.
func (d *differences) sum(trial *Trial) {
	trial.TTFT = spread(d.ttft)
	if d.requests > 0 {
		trial.ITLMean = (d.gaps - d.trueSum) / float64(d.requests)
	}
	if len(d.itl) > 0 && !d.unpaired {
		p99 := spread(d.itl).P99
		trial.ITLP99 = &p99
	}
	if len(d.lag) > 0 {
		lag := spread(d.lag)
		trial.Lag = &lag
	}
}

// use fills in what the processes used while there was load.
func (trial *Trial) use(samples []sample, entries []truthserver.Entry) {
	from, to := span(entries)
	trial.Cores, trial.Peak = cores(samples, from, to), peak(samples)
}

// span is from the first request to the last event.
func span(entries []truthserver.Entry) (from, to time.Duration) {
	for i, e := range entries {
		if i == 0 || e.Head < from {
			from = e.Head
		}
		if n := len(e.Events); n > 0 {
			to = max(to, e.Events[n-1].Done)
		}
	}
	return from, to
}

// offsets are the arrivals after the first one.
func offsets(entries []truthserver.Entry) []time.Duration {
	var heads []time.Duration
	for _, e := range entries {
		heads = append(heads, e.Head)
	}
	slices.Sort(heads)
	for i := range heads {
		heads[len(heads)-1-i] -= heads[0] // the first one last
	}
	return heads[min(1, len(heads)):]
}

// spread sorts the numbers; quantiles are of type 7.
func spread(numbers []float64) Spread {
	slices.Sort(numbers)
	var s Spread
	for _, x := range numbers {
		s.Mean += x / float64(len(numbers))
	}
	s.P50, s.P99 = quantile(numbers, 0.5), quantile(numbers, 0.99)
	return s
}

func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
