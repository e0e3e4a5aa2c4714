package serve

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"siglab/engine/generate"
	"siglab/engine/vlm"
	"siglab/posembed"
)

// metrics are what /metrics shows: vLLM's names where vLLM has the metric, siglab's
// for the rest.
type metrics struct {
	registry *prometheus.Registry
	handler  http.Handler

	ttft, itl, tpot, e2e   prometheus.Observer
	queue, prefill, decode prometheus.Observer
	promptTokens           prometheus.Counter
	generationTokens       prometheus.Counter
	success                *prometheus.CounterVec
	failures               *prometheus.CounterVec

	batch           prometheus.Observer
	encoder         prometheus.Observer
	resamples       *prometheus.CounterVec
	resampleSeconds *prometheus.HistogramVec
}

// newMetrics registers everything in a registry of its own.
func newMetrics(model string) *metrics {
	registry := prometheus.NewRegistry()
	labels := prometheus.Labels{"engine": "0", "model_name": model}
	vllm := prometheus.WrapRegistererWith(labels, registry)
	m := &metrics{registry: registry, handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{})}
	m.ttft = histogram(vllm, "vllm:time_to_first_token_seconds", "Arrival of the request to its first token.", requestBuckets())
	m.itl = histogram(vllm, "vllm:inter_token_latency_seconds", "Time between successive tokens of a request.", tokenBuckets())
	m.tpot = histogram(vllm, "vllm:request_time_per_output_token_seconds", "Mean time per token of a request after its first.", tokenBuckets())
	m.e2e = histogram(vllm, "vllm:e2e_request_latency_seconds", "Arrival of the request to its last token.", requestBuckets())
	m.queue = histogram(vllm, "vllm:request_queue_time_seconds", "Time that a request waited for admission.", requestBuckets())
	m.prefill = histogram(vllm, "vllm:request_prefill_time_seconds", "Admission to the first token.", requestBuckets())
	m.decode = histogram(vllm, "vllm:request_decode_time_seconds", "First to last token.", requestBuckets())
	m.batch = histogram(vllm, "vllm:iteration_tokens_total", "Requests in one decode step.", prometheus.ExponentialBuckets(1, 2, 10))
	m.promptTokens = counter(vllm, "vllm:prompt_tokens_total", "Prompt tokens taken in, image tokens included.")
	m.generationTokens = counter(vllm, "vllm:generation_tokens_total", "Tokens generated.")
	m.success = counters(vllm, "vllm:request_success_total", "Requests answered, by the reason of the end.", "finished_reason")
	m.failures = counters(registry, "siglab:request_failures_total", "Requests not answered, by HTTP status.", "status")
	m.encoder = histogram(registry, "siglab:encoder_seconds", "One image through the vision tower, resampling included.", kernelBuckets())
	m.resamples = counters(registry, "siglab:pos_embed_resample_total", "Resamplings of the position table.", "mode", "from", "to")
	m.resampleSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "siglab:pos_embed_resample_seconds", Help: "One resampling of the position table.", Buckets: kernelBuckets(),
	}, []string{"mode"})
	registry.MustRegister(m.resampleSeconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watch adds gauges that ask the engine.
func (m *metrics) watch(e *generate.Engine) {
	gauge := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("vllm:num_requests_running", "Requests that are being answered.", func() float64 { n, _ := e.Load(); return float64(n) })
	gauge("vllm:num_requests_waiting", "Requests in the queue.", func() float64 { _, n := e.Load(); return float64(n) })
	gauge("vllm:kv_cache_usage_perc", "Share of the cache in use, 1 is full.", e.KVUsage)
}

// watchCaches adds counters that ask the model for those of its position table.
func (m *metrics) watchCaches(counted func() (plans, results posembed.CacheStats)) {
	add := func(cache, outcome string, value func() uint64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "siglab:pos_embed_cache_total", Help: "What was asked of the caches of the position table, and dropped from them.",
			ConstLabels: prometheus.Labels{"cache": cache, "outcome": outcome},
		}, func() float64 { return float64(value()) }))
	}
	for name, stats := range map[string]func() posembed.CacheStats{
		"plans":   func() posembed.CacheStats { plans, _ := counted(); return plans },
		"results": func() posembed.CacheStats { _, results := counted(); return results },
	} {
		add(name, "hit", func() uint64 { return stats().Hits })
		add(name, "miss", func() uint64 { return stats().Misses })
		add(name, "evicted", func() uint64 { return stats().Evicted })
	}
}

// resampled counts one image's resampling; a table that was copied is none.
func (m *metrics) resampled(r vlm.Resample) {
	if r.Skipped {
		return
	}
	mode := r.Mode.String()
	m.resamples.WithLabelValues(mode, r.From.String(), r.To.String()).Inc()
	m.resampleSeconds.WithLabelValues(mode).Observe(r.Took.Seconds())
}

// failed counts a request that was not answered.
func (m *metrics) failed(err error) {
	m.failures.WithLabelValues(http.StatusText(asAPIError(err).status)).Inc()
}

func histogram(r prometheus.Registerer, name, help string, buckets []float64) prometheus.Observer {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	r.MustRegister(h)
	return h
}

func counter(r prometheus.Registerer, name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	r.MustRegister(c)
	return c
}

func counters(r prometheus.Registerer, name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	r.MustRegister(c)
	return c
}

// requestBuckets are vLLM's for whole requests and their parts, in seconds.
func requestBuckets() []float64 {
	return []float64{.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560}
}

// tokenBuckets are vLLM's for single tokens, with finer ones for a small model.
func tokenBuckets() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80}
}

// kernelBuckets run from 1 µs to 10 s.
func kernelBuckets() []float64 { return prometheus.ExponentialBucketsRange(1e-6, 10, 22) }
