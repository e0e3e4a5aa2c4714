package telemetry

import (
	"bytes"
	"fmt"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"siglab/bench/record"
)

// Scrape is one reading of a server's /metrics, by family name.
type Scrape map[string]*dto.MetricFamily

// ParseScrape reads the Prometheus text format.
func ParseScrape(text []byte) (Scrape, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read /metrics: %w", err)
	}
	return families, nil
}

// Delta is what a server counted between two scrapes. The names are vLLM's where
// vLLM has one.
func Delta(before, after Scrape) record.ServerDelta {
	sum := func(name string) float64 { return after.histSum(name) - before.histSum(name) }
	count := func(name string) float64 { return after.histCount(name) - before.histCount(name) }
	counter := func(name string) float64 { return after.counter(name) - before.counter(name) }
	return record.ServerDelta{
		Scraped:       true,
		TTFTSum:       sum("vllm:time_to_first_token_seconds"),
		TTFTCount:     count("vllm:time_to_first_token_seconds"),
		E2ELSum:       sum("vllm:e2e_request_latency_seconds"),
		E2ELCount:     count("vllm:e2e_request_latency_seconds"),
		QueueSum:      sum("vllm:request_queue_time_seconds"),
		PrefillSum:    sum("vllm:request_prefill_time_seconds"),
		PromptTokens:  counter("vllm:prompt_tokens_total"),
		OutputTokens:  counter("vllm:generation_tokens_total"),
		EncoderSum:    sum("siglab:encoder_seconds"),
		EncoderCount:  count("siglab:encoder_seconds"),
		ResampleSum:   sum("siglab:pos_embed_resample_seconds"),
		ResampleCount: count("siglab:pos_embed_resample_seconds"),
		Resamples:     resamples(before, after),
	}
}

func (s Scrape) histSum(name string) (sum float64) {
	for _, m := range s[name].GetMetric() {
		sum += m.GetHistogram().GetSampleSum()
	}
	return sum
}

func (s Scrape) histCount(name string) (count float64) {
	for _, m := range s[name].GetMetric() {
		count += float64(m.GetHistogram().GetSampleCount())
	}
	return count
}

func (s Scrape) counter(name string) (total float64) {
	for _, m := range s[name].GetMetric() {
		total += m.GetCounter().GetValue()
	}
	return total
}

// resamples counts siglab:pos_embed_resample_total by "mode from→to".
func resamples(before, after Scrape) map[string]int64 {
	const name = "siglab:pos_embed_resample_total"
	counts := map[string]int64{}
	add := func(s Scrape, sign float64) {
		for _, m := range s[name].GetMetric() {
			label := map[string]string{}
			for _, l := range m.GetLabel() {
				label[l.GetName()] = l.GetValue()
			}
			counts[record.ResampleKey(label["mode"], label["from"], label["to"])] += int64(sign * m.GetCounter().GetValue())
		}
	}
	add(after, 1)
	add(before, -1)
	for key, n := range counts {
		if n == 0 {
			delete(counts, key)
		}
	}
	return counts
}
