package calibrate

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"siglab/bench/record"
	"siglab/bench/truthserver"
)

// logPatience is how long the server may take to log its last requests: it sees the
// end of some only when the client closes their connections.
const logPatience = 5 * time.Second

// readLog reads the server's log until it has an entry for each of the requests that
// reached the server, or patience ends; what is missing then is a mismatch.
func readLog(ctx context.Context, url string, sent []record.Observation, patience time.Duration) (map[string][]truthserver.Entry, error) {
	entries := map[string][]truthserver.Entry{}
	for deadline := time.Now().Add(patience); ; {
		if err := readLogOnce(ctx, url, entries); err != nil {
			return nil, err
		}
		missing := slices.ContainsFunc(sent, func(o record.Observation) bool { return entries[o.Item] == nil })
		if !missing || time.Now().After(deadline) {
			return entries, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func readLogOnce(ctx context.Context, url string, into map[string][]truthserver.Entry) error {
	entries, err := truthserver.ReadLog(ctx, url)
	for _, e := range entries {
		into[e.ID] = append(into[e.ID], e)
	}
	return err
}

// differences are of client minus truth, in ms.
type differences struct {
	ttft, itl, lag, write []float64
	itlOurs, itlTrue      float64 // sums
	tpotOurs, tpotTrue    float64
	failed                int
	mismatches            []Mismatch
}

// compare joins both sides request by request.
func (t *trial) compare() *differences {
	e := &differences{}
	seen := map[string]bool{}
	for i := range t.observations {
		o := &t.observations[i]
		entries := t.entries[o.Item]
		switch {
		case seen[o.Item]:
			e.mismatch(o.Item, "observations", "two", "")
		case len(entries) == 0:
			e.mismatch(o.Item, "requests", o.Error, "none came")
		case len(entries) != 1+o.Connection.Retries:
			e.mismatch(o.Item, "requests", strconv.Itoa(1+o.Connection.Retries), strconv.Itoa(len(entries)))
		default:
			e.request(t, o, &entries[len(entries)-1])
		}
		seen[o.Item] = true
		if !o.OK() {
			e.failed++
		}
	}
	for id := range t.entries {
		if !seen[id] && id != "" {
			e.mismatch(id, "observations", "none", "one request")
		}
	}
	return e
}

func (e *differences) mismatch(id, what, client, server string) {
	e.mismatches = append(e.mismatches, Mismatch{ID: id, What: what, Client: client, Server: server})
}

// request compares one request.
func (e *differences) request(t *trial, o *record.Observation, truth *truthserver.Entry) {
	before := len(e.mismatches)
	differ := func(what string, client, server any) {
		if c, s := fmt.Sprint(client), fmt.Sprint(server); c != s {
			e.mismatch(o.Item, what, c, s)
		}
	}
	differ("outcome", o.Failure, seenAs(truth.Fault))
	switch truth.Fault {
	case truthserver.FaultReset, truthserver.FaultEndless: // what was on its way is lost, or not waited for
		if len(o.ChunkAt) > len(truth.Events) {
			differ("events", len(o.ChunkAt), len(truth.Events))
		}
	default:
		differ("events", len(o.ChunkAt), len(truth.Events))
	}
	if o.OK() {
		tokens := truth.Tokens
		if o.TokenSource == record.TokensCounted {
			tokens = withTokens(truth.Events)
		}
		differ("tokens", o.OutputTokens, tokens)
		differ("finish reason", o.FinishReason, truth.Finish)
		differ("bytes of text", len(o.Text)+len(o.Reasoning), truth.Tokens*len(truthserver.Word))
	}
	if len(o.ChunkTokens) > 0 {
		differ("tokens of the events", o.ChunkTokens, tokensOf(truth.Events))
	}
	if len(e.mismatches) == before && o.OK() {
		e.times(t.origin, o, truth)
	}
}

func tokensOf(events []truthserver.Event) []int {
	var tokens []int
	for _, event := range events {
		tokens = append(tokens, event.Tokens)
	}
	return tokens
}

func withTokens(events []truthserver.Event) int {
	n := 0
	for _, event := range events {
		if event.Tokens > 0 {
			n++
		}
	}
	return n
}

// times compares the stamps of an answer whose events agree.
func (e *differences) times(origin time.Duration, o *record.Observation, truth *truthserver.Entry) {
	first := -1
	for i, event := range truth.Events {
		e.lag = append(e.lag, ms(origin+o.ChunkAt[i]-event.At))
		e.write = append(e.write, ms(event.Done-event.At))
		if event.Tokens == 0 {
			continue
		}
		if first < 0 {
			first = i
			e.ttft = append(e.ttft, ms((o.FirstToken-o.Sent)-(event.At-truth.Read)))
			continue
		}
		ours, real := ms(o.ChunkAt[i]-o.ChunkAt[i-1]), ms(event.At-truth.Events[i-1].At)
		e.itl = append(e.itl, ours-real)
		e.itlOurs += ours
		e.itlTrue += real
	}
	if last := len(truth.Events) - 1; o.OutputTokens > 1 && first >= 0 {
		e.tpotOurs += ms(o.LastToken-o.FirstToken) / float64(o.OutputTokens-1)
		tokens := float64(truth.Tokens - 1)
		if o.TokenSource == record.TokensCounted {
			tokens = float64(withTokens(truth.Events) - 1)
		}
		e.tpotTrue += ms(truth.Events[last].At-truth.Events[first].At) / tokens
	}
}

// fill sums the errors up.
func (e *differences) fill(cell *Cell) {
	magnitude := make([]float64, len(e.itl))
	for i, x := range e.itl {
		magnitude[i] = math.Abs(x)
	}
	cell.TTFT, cell.Lag, cell.ServerWrite = spread(e.ttft), spread(e.lag), spread(e.write)
	cell.ITL = spread(magnitude)
	cell.ITL.Mean = spread(e.itl).Mean
	if e.itlTrue > 0 {
		cell.ITLMeanPct = 100 * (e.itlOurs/e.itlTrue - 1)
	}
	if e.tpotTrue > 0 {
		cell.TPOTMeanPct = 100 * (e.tpotOurs/e.tpotTrue - 1)
	}
}

// spread sorts the numbers. Without any, all is 0.
func spread(numbers []float64) Spread {
	if len(numbers) == 0 {
		return Spread{}
	}
	slices.Sort(numbers)
	s := Spread{P50: quantile(numbers, 0.5), P99: quantile(numbers, 0.99)}
	for _, x := range numbers {
		s.Mean += x / float64(len(numbers))
	}
	return s
}

// quantile is type 7, of ascending numbers.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }

// sendLag is of those that were sent.
func (t *trial) sendLag() Spread {
	var lags []float64
	for _, o := range t.observations {
		if o.Failure != record.FailedNotSent {
			lags = append(lags, ms(o.Sent-o.Scheduled))
		}
	}
	return spread(lags)
}

// sent are the sends, from the schedule's start.
func (t *trial) sent() []time.Duration {
	var offsets []time.Duration
	for _, o := range t.observations {
		if o.Failure != record.FailedNotSent {
			offsets = append(offsets, o.Sent-t.start)
		}
	}
	return offsets
}

// received are the arrivals at the server, from the schedule's start.
func (t *trial) received() []time.Duration {
	var offsets []time.Duration
	for _, entries := range t.entries {
		for _, e := range entries {
			offsets = append(offsets, e.Head-t.origin-t.start)
		}
	}
	return offsets
}

// kinds are the failures of the requests whose ids begin like this.
func (t *trial) kinds(prefix string) string {
	found := map[string]bool{}
	for _, o := range t.observations {
		if strings.HasPrefix(o.Item, prefix) {
			found[string(o.Failure)] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(found)), ", ")
}
