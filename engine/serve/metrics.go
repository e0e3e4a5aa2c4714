package serve

import (
	"errors"
	"net/http"
	"strconv"

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
	labelled prometheus.Registerer // adds vLLM's labels
	handler  http.Handler

	ttft, itl, tpot, e2e              prometheus.Observer
	queue, prefill, decode, inference prometheus.Observer
	round                             prometheus.Observer
	promptTokens, generationTokens    prometheus.Counter
	promptLength, answerLength        prometheus.Observer
	askedTokens, askedAnswers         prometheus.Observer
	success                           *prometheus.CounterVec
	rejections                        *prometheus.CounterVec

	failures        *prometheus.CounterVec
	encoder         prometheus.Observer
	resamples       *prometheus.CounterVec
	resampleSeconds *prometheus.HistogramVec
}

// newMetrics registers everything in a registry of its own.
func newMetrics(model string) *metrics {
	registry := prometheus.NewRegistry()
	vllm := prometheus.WrapRegistererWith(prometheus.Labels{"engine": "0", "model_name": model}, registry)
	m := &metrics{registry: registry, labelled: vllm, handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{})}
	m.ttft = histogram(vllm, "vllm:time_to_first_token_seconds", "Arrival of the request to its first token.", requestBuckets())
	m.itl = histogram(vllm, "vllm:inter_token_latency_seconds", "Time between successive tokens of a request.", tokenBuckets())
	m.tpot = histogram(vllm, "vllm:request_time_per_output_token_seconds", "Mean time per token of a request after its first.", tokenBuckets())
	m.e2e = histogram(vllm, "vllm:e2e_request_latency_seconds", "Arrival of the request to its last token.", requestBuckets())
	m.queue = histogram(vllm, "vllm:request_queue_time_seconds", "Time that a request waited for admission.", requestBuckets())
	m.prefill = histogram(vllm, "vllm:request_prefill_time_seconds", "Admission to the first token.", requestBuckets())
	m.decode = histogram(vllm, "vllm:request_decode_time_seconds", "First to last token.", requestBuckets())
	m.inference = histogram(vllm, "vllm:request_inference_time_seconds", "Admission to the last token.", requestBuckets())
	m.round = histogram(vllm, "vllm:iteration_tokens_total", "Positions computed in one round: parts of prompts, and one for each answer.",
		[]float64{1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384})
	m.promptTokens = counter(vllm, "vllm:prompt_tokens_total", "Prompt tokens taken in, image tokens included.")
	m.generationTokens = counter(vllm, "vllm:generation_tokens_total", "Tokens generated.")
	m.promptLength = histogram(vllm, "vllm:request_prompt_tokens", "Prompt tokens of a request that was answered.", lengthBuckets())
	m.answerLength = histogram(vllm, "vllm:request_generation_tokens", "Tokens of an answer.", lengthBuckets())
	m.askedTokens = histogram(vllm, "vllm:request_params_max_tokens", "Most tokens that a request allowed.", lengthBuckets())
	m.askedAnswers = histogram(vllm, "vllm:request_params_n", "Answers that a request asked for.", []float64{1, 2, 5, 10, 20})
	m.success = counters(vllm, "vllm:request_success_total", "Requests that ended, by the reason.", "finished_reason")
	for _, reason := range []string{"stop", "length", "abort", "error", "repetition"} {
		m.success.WithLabelValues(reason)
	}
	m.rejections = counters(prometheus.WrapRegistererWith(prometheus.Labels{"model_name": model}, registry),
		"vllm:admission_rejections_total", "Requests that a limit of the queue turned away.", "reason")
	for _, reason := range []string{"max_num_queued_reqs", "max_num_queued_tokens"} {
		m.rejections.WithLabelValues(reason)
	}
	m.addOwn(registry)
	return m
}

// addOwn registers what vLLM does not have.
func (m *metrics) addOwn(registry *prometheus.Registry) {
	m.failures = counters(registry, "siglab:request_failures_total", "Requests not answered, by HTTP status.", "status")
	m.encoder = histogram(registry, "siglab:encoder_seconds", "One image through the vision tower, resampling included.", kernelBuckets())
	m.resamples = counters(registry, "siglab:pos_embed_resample_total", "Resamplings of the position table.", "mode", "from", "to")
	m.resampleSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "siglab:pos_embed_resample_seconds", Help: "One resampling of the position table.", Buckets: kernelBuckets(),
	}, []string{"mode"})
	registry.MustRegister(m.resampleSeconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// watch adds gauges and counters that ask the engine.
func (m *metrics) watch(e *generate.Engine) {
	gauge := func(name, help string, labels prometheus.Labels, value func() float64) {
		m.labelled.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, value))
	}
	count := func(name, help string, value func() float64) {
		m.labelled.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value))
	}
	none := func() float64 { return 0 }
	waiting := func() float64 { _, n := e.Load(); return float64(n) }
	gauge("vllm:num_requests_running", "Requests that are being answered.", nil, func() float64 { n, _ := e.Load(); return float64(n) })
	gauge("vllm:num_requests_waiting", "Requests in the queue.", nil, waiting)
	gauge("vllm:num_requests_waiting_by_reason", "Requests in the queue, by the reason.", prometheus.Labels{"reason": "capacity"}, waiting)
	gauge("vllm:num_requests_waiting_by_reason", "Requests in the queue, by the reason.", prometheus.Labels{"reason": "deferred"}, none)
	gauge("vllm:kv_cache_usage_perc", "Share of the memory for keys and values that is reserved, 1 is full.", nil, e.KVUsage)
	count("vllm:mm_cache_queries_total", "Images that the encoder cache was asked for.", func() float64 { return float64(e.EncoderCache().Queries) })
	count("vllm:mm_cache_hits_total", "Images that the encoder cache had.", func() float64 { return float64(e.EncoderCache().Hits) })
	count("vllm:prefix_cache_queries_total", "Tokens of prompts that the prefix cache was asked for.", func() float64 { return float64(e.PrefixCache().Queries) })
	count("vllm:prefix_cache_hits_total", "Tokens of prompts whose keys and values the prefix cache had.", func() float64 { return float64(e.PrefixCache().Hits) })
	count("vllm:num_preemptions_total", "Requests that lost their place: none ever does.", none)
	c, caching := e.Config(), "False"
	if c.PrefixCache {
		caching = "True"
	}
	gauge("vllm:cache_config_info", "How the caches were set up.", prometheus.Labels{
		"enable_prefix_caching": caching, "kv_cache_bytes": strconv.FormatInt(c.KVBytes, 10), "encoder_cache_bytes": strconv.FormatInt(c.EncoderCache, 10),
	}, func() float64 { return 1 })
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

// answered records a finished answer.
func (m *metrics) answered(a *answer) {
	m.e2e.Observe(a.last.Sub(a.arrived).Seconds())
	m.decode.Observe(a.last.Sub(a.first).Seconds())
	if a.tokens > 1 {
		m.tpot.Observe(a.last.Sub(a.first).Seconds() / float64(a.tokens-1))
	}
	m.inference.Observe(a.last.Sub(a.from.Admitted()).Seconds())
	m.promptLength.Observe(float64(len(a.request.Prompt)))
	m.answerLength.Observe(float64(a.tokens))
	m.askedTokens.Observe(float64(a.request.MaxTokens))
	m.askedAnswers.Observe(1)
	m.success.WithLabelValues(string(a.finish)).Inc()
}

// failed counts a request that was not answered.
func (m *metrics) failed(err error) {
	status := asAPIError(err).status
	var full *generate.QueueFullError
	switch {
	case errors.As(err, &full):
		m.rejections.WithLabelValues(full.Limit).Inc()
	case status == statusClientGone:
		m.success.WithLabelValues("abort").Inc()
	case status == http.StatusInternalServerError:
		m.success.WithLabelValues("error").Inc()
	}
	text := http.StatusText(status)
	if status == statusClientGone {
		text = "Client Closed Request"
	}
	m.failures.WithLabelValues(text).Inc()
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

// lengthBuckets are vLLM's for numbers of tokens, up to a context of 200,000.
func lengthBuckets() []float64 {
	return []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000}
}

// tokenBuckets are vLLM's for single tokens, with finer ones for a small model.
func tokenBuckets() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80}
}

// kernelBuckets run from 1 µs to 10 s.
func kernelBuckets() []float64 { return prometheus.ExponentialBucketsRange(1e-6, 10, 22) }
