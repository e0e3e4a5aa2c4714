// Package sample picks the next token of an answer from a model's logits, as vLLM's
// sampler does: biases, a minimum length and penalties first, then the temperature,
// min-p, top-k and top-p, in this order. Log probabilities are those of the logits as
// the model gave them (vLLM's logprobs_mode raw_logprobs).
//
// Everything of a Sampler is a function of its parameters, of the logits and of the
// tokens so far: who else is being answered does not matter.
//
// # Deviations
//
// vLLM draws by exponential noise on the device's generator; here the cumulative sum
// is inverted in float64. The distribution is the same, the draws of one seed are not.
package sample

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Params say how tokens are picked. The zero value is greedy, without log
// probabilities.
type Params struct {
	Temperature float64 // below 1e-5: the likeliest token, always
	TopP        float64 // the likeliest tokens that together have this probability. Zero: all
	TopK        int     // so many of the likeliest tokens, and those as likely as the last. Below 1: all
	MinP        float64 // tokens with at least this share of the likeliest one's probability
	Seed        uint64  // of the draws

	Repetition float64 // divides (multiplies, where negative) the logits of tokens of prompt and answer. Zero: 1
	Presence   float64 // is taken off the logits of the answer's tokens
	Frequency  float64 // likewise, once for each time

	Bias      map[int]float64 // added to logits, by token
	MinTokens int             // before so many, no token that ends the answer
	Top       int             // the likeliest tokens to report with each one's log probability; below 0: nothing
}

// ParamError is a parameter out of its range.
type ParamError struct {
	Name   string // as in the protocol: "top_p"
	Reason string
}

func (e *ParamError) Error() string { return e.Reason }

// MostTop bounds Params.Top, as vLLM's max_logprobs does.
const MostTop = 20

// greedyBelow is vLLM's _SAMPLING_EPS.
const greedyBelow = 1e-5

// Check reports the first parameter that is out of its range, by vLLM's limits;
// vocabulary bounds the tokens. The error is a *ParamError.
func (p Params) Check(vocabulary int) error {
	wrong := func(name, want string, got any) error {
		if f, ok := got.(float64); ok {
			got = decimal(f)
		}
		return &ParamError{name, fmt.Sprintf("%s must be %s, got %v. (parameter=%[1]s, value=%[3]v)", name, want, got)}
	}
	switch {
	case !(p.Temperature >= 0) || math.IsInf(p.Temperature, 1):
		return wrong("temperature", "non-negative", p.Temperature)
	case !(p.TopP >= 0 && p.TopP <= 1):
		return wrong("top_p", "in (0, 1]", p.TopP)
	case p.TopK < -1:
		return wrong("top_k", "0 (disable), or at least 1", p.TopK)
	case !(p.MinP >= 0 && p.MinP <= 1):
		return wrong("min_p", "in [0, 1]", p.MinP)
	case !(p.Repetition >= 0) || math.IsInf(p.Repetition, 1):
		return wrong("repetition_penalty", "greater than zero", p.Repetition)
	case !(p.Presence >= -2 && p.Presence <= 2):
		return wrong("presence_penalty", "in [-2, 2]", p.Presence)
	case !(p.Frequency >= -2 && p.Frequency <= 2):
		return wrong("frequency_penalty", "in [-2, 2]", p.Frequency)
	case p.MinTokens < 0:
		return wrong("min_tokens", "greater than or equal to 0", p.MinTokens)
	case p.Top > MostTop:
		return wrong("top_logprobs", fmt.Sprintf("at most %d", MostTop), p.Top)
	}
	for id, bias := range p.Bias {
		if id < 0 || id >= vocabulary {
			return &ParamError{"logit_bias", fmt.Sprintf("token_id %d in logit_bias contains out-of-vocab token id. Vocabulary size: %d", id, vocabulary)}
		}
		if math.IsNaN(bias) {
			return wrong("logit_bias", "a number", bias)
		}
	}
	return nil
}

// decimal writes a number as Python does: 2 is 2.0.
func decimal(v float64) string {
	text := strconv.FormatFloat(v, 'g', -1, 64)
	if strings.ContainsAny(text, ".eIN") {
		return text
	}
	return text + ".0"
}
