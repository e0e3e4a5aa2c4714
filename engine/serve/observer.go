package serve

import (
	"time"

	"siglab/engine/vlm"
	"siglab/posembed"
)

// observer passes what the engine does on to the metrics and the log.
type observer struct{ *Server }

func (o observer) Admitted(queue time.Duration) { o.metrics.queue.Observe(queue.Seconds()) }

func (o observer) Encoded(d time.Duration, r vlm.Resample) {
	o.metrics.encoder.Observe(d.Seconds())
	o.metrics.resampled(r)
	if o.config.DebugSiglip && !r.Skipped && isFastPath(r.Mode) {
		o.log.Printf("[SIGLIP] fast_interpolate called: h=%d, w=%d", r.To.Rows, r.To.Cols)
	}
}

// isFastPath reports whether a mode stands for the code that the debug line is of.
func isFastPath(m posembed.Mode) bool {
	return m == posembed.BilinearGather || m == posembed.BilinearFused
}

func (o observer) Prefilled(d time.Duration, promptTokens int) {
	o.metrics.prefill.Observe(d.Seconds())
	o.metrics.promptTokens.Add(float64(promptTokens))
}

func (o observer) Round(tokens int) { o.metrics.round.Observe(float64(tokens)) }
