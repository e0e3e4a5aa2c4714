package sample

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
)

// Pick is the token that was picked.
type Pick struct {
	ID      int
	Logprob float64     // natural logarithm of its probability; with Params.Top only
	Top     []Candidate // the likeliest tokens, best first
}

// Candidate is a token that could have been.
type Candidate struct {
	ID      int
	Logprob float64
}

// ErrNoToken is returned for logits that are not numbers, or leave nothing to pick.
var ErrNoToken = errors.New("the model's logits leave no token to pick: they are not numbers, or all are ruled out")

var negInf = float32(math.Inf(-1))

// Sampler picks the tokens of one answer. It is for one goroutine at a time.
type Sampler struct {
	params Params
	rng    *rand.Rand
	ends   []int // tokens that end the answer
	count  int   // of tokens picked

	prompt   map[int]bool // tokens of the prompt; with a repetition penalty only
	answered map[int]int  // tokens of the answer, and how often; with a penalty only

	weights []float64 // [vocabulary], scratch
	largest []float32 // scratch of kthLargest
}

// New begins an answer to a prompt. ends are the tokens that Params.MinTokens holds
// back.
func New(p Params, prompt, ends []int) *Sampler {
	s := &Sampler{params: p, rng: rand.New(rand.NewPCG(p.Seed, 0)), ends: ends}
	if s.params.Repetition == 0 {
		s.params.Repetition = 1
	}
	if s.params.Repetition != 1 {
		s.prompt = make(map[int]bool)
		for _, id := range prompt {
			s.prompt[id] = true
		}
	}
	if s.params.Repetition != 1 || p.Presence != 0 || p.Frequency != 0 {
		s.answered = make(map[int]int)
	}
	return s
}

// Next picks from logits [vocabulary], which it overwrites; those of tokens that are
// never to be picked are −Inf. Equal ones go to the lowest id.
func (s *Sampler) Next(logits []float32) (Pick, error) {
	var pick Pick
	norm, raw := 0.0, logits
	if s.params.Top >= 0 {
		norm = logSumExp(logits)
		pick.Top = s.candidates(logits, norm)
		if s.changes() {
			raw = slices.Clone(logits)
		}
	}
	s.adjust(logits)
	best := argmax(logits)
	if v := float64(logits[best]); math.IsNaN(v) || math.IsInf(v, 0) {
		return Pick{}, ErrNoToken
	}
	pick.ID = best
	if s.params.Temperature >= greedyBelow {
		pick.ID = s.draw(logits, best)
	}
	if s.params.Top >= 0 {
		pick.Logprob = float64(raw[pick.ID]) - norm
	}
	s.count++
	if s.answered != nil {
		s.answered[pick.ID]++
	}
	return pick, nil
}

// changes reports whether adjust has anything to do.
func (s *Sampler) changes() bool {
	return len(s.params.Bias) > 0 || s.count < s.params.MinTokens || s.answered != nil
}

// adjust applies what changes single logits, in vLLM's order.
func (s *Sampler) adjust(logits []float32) {
	for id, bias := range s.params.Bias {
		logits[id] += float32(bias)
	}
	if s.count < s.params.MinTokens {
		for _, id := range s.ends {
			logits[id] = negInf
		}
	}
	if s.params.Repetition != 1 {
		r := float32(min(max(s.params.Repetition, math.SmallestNonzeroFloat32), math.MaxFloat32))
		for id := range s.prompt {
			logits[id] = repeated(logits[id], r)
		}
		for id := range s.answered {
			if !s.prompt[id] {
				logits[id] = repeated(logits[id], r)
			}
		}
	}
	for id, n := range s.answered {
		logits[id] -= float32(s.params.Frequency)*float32(n) + float32(s.params.Presence)
	}
}

// repeated is a logit after the repetition penalty. One that was finite stays so.
func repeated(v, penalty float32) float32 {
	if v == negInf {
		return v
	}
	changed := float64(v) * float64(penalty)
	if v > 0 {
		changed = float64(v) / float64(penalty)
	}
	return float32(min(max(changed, -math.MaxFloat32), math.MaxFloat32))
}

// argmax is the lowest index of the largest value, or of a NaN that comes first.
func argmax(logits []float32) int {
	best := 0
	for i, v := range logits {
		if v > logits[best] {
			best = i
		}
	}
	return best
}

// logSumExp is log Σ exp(logits).
func logSumExp(logits []float32) float64 {
	largest := float64(logits[argmax(logits)])
	sum := 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v) - largest)
	}
	return largest + math.Log(sum)
}
