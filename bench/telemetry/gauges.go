package telemetry

import (
	"bytes"

	dto "github.com/prometheus/client_model/go"

	"siglab/bench/record"
)

// gaugeNames are the families with the state of a server: vLLM's (also ours), those of
// vLLM before its V1 engine, and SGLang's.
var gaugeNames = struct{ running, waiting, kvCache []string }{
	running: []string{"vllm:num_requests_running", "sglang:num_running_reqs"},
	waiting: []string{"vllm:num_requests_waiting", "sglang:num_queue_reqs"},
	kvCache: []string{"vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc", "sglang:token_usage"},
}

// gauges reads the state of a server from its /metrics, nil if it tells none. Only the
// lines in question are parsed: servers print thousands.
func gauges(text []byte) *record.Gauges {
	s, err := ParseScrape(only(text, gaugeNames.running, gaugeNames.waiting, gaugeNames.kvCache))
	if err != nil {
		return nil
	}
	g := record.Gauges{Running: s.total(gaugeNames.running), Waiting: s.total(gaugeNames.waiting), KVCache: s.largest(gaugeNames.kvCache)}
	if g == (record.Gauges{}) {
		return nil
	}
	return &g
}

// only keeps the lines of these families.
func only(text []byte, families ...[]string) []byte {
	var kept bytes.Buffer
	for line := range bytes.Lines(text) {
		name := bytes.TrimPrefix(line, []byte("# TYPE "))
		if end := bytes.IndexAny(name, "{ \t"); end > 0 {
			name = name[:end]
		}
		for _, names := range families {
			for _, n := range names {
				if string(name) == n {
					kept.Write(line)
				}
			}
		}
	}
	return kept.Bytes()
}

// total adds a gauge up over its engines; nil if there is none.
func (s Scrape) total(names []string) *float64 {
	return s.fold(names, func(a, b float64) float64 { return a + b })
}

// largest is the gauge of the fullest engine.
func (s Scrape) largest(names []string) *float64 {
	return s.fold(names, func(a, b float64) float64 { return max(a, b) })
}

func (s Scrape) fold(names []string, f func(a, b float64) float64) *float64 {
	for _, name := range names {
		metrics := s[name].GetMetric()
		if len(metrics) == 0 {
			continue
		}
		v := gaugeOf(metrics[0])
		for _, m := range metrics[1:] {
			v = f(v, gaugeOf(m))
		}
		if v-v != 0 { // NaN and infinities have no JSON
			return nil
		}
		return &v
	}
	return nil
}

func gaugeOf(m *dto.Metric) float64 {
	if m.Gauge != nil {
		return m.GetGauge().GetValue()
	}
	return m.GetUntyped().GetValue()
}
