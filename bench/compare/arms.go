package compare

import (
	"maps"

	"siglab/bench/record"
)

// summarize describes every variant over its blocks.
func (s *study) summarize() []Arm {
	samples := map[int][]record.Sample{} // by block
	for _, sample := range s.run.Telemetry {
		samples[sample.Block] = append(samples[sample.Block], sample)
	}
	out := make([]Arm, len(s.arms))
	for i, v := range s.arms {
		arm := Arm{Variant: v}
		for _, b := range s.blocks {
			if b.arm == i {
				arm.Blocks = append(arm.Blocks, summarizeBlock(b, samples[b.ID]))
			}
		}
		var used []record.Sample
		for _, b := range s.counted(i) {
			arm.Requests += len(b.observations)
			arm.Failed += b.failed
			used = append(used, samples[b.ID]...)
		}
		l := latenciesOf(s.observations(i))
		arm.Quantiles = map[string][]float64{
			"ttft_ms": percentiles(l.ttft), "tpot_ms": percentiles(l.tpot), "e2el_ms": percentiles(l.e2el),
		}
		arm.CPU, _, arm.RSS = load(used)
		out[i] = arm
	}
	return out
}

func summarizeBlock(b *block, samples []record.Sample) BlockSummary {
	summary := BlockSummary{
		Block: b.Block, Failed: b.failed, Values: maps.Clone(b.values), LagP99: quantile(lags(b.observations), 0.99),
	}
	summary.CPU, summary.HostCPU, summary.MaxRSS = load(samples)
	return summary
}

// load is the mean CPU of the server's process tree (percent of one core), that of
// the host (percent of all cores), and the tree's largest memory in bytes. The
// means are NaN without samples.
func load(samples []record.Sample) (cpu, host float64, rss uint64) {
	var ofServer, ofHost []float64
	for _, s := range samples {
		ofServer, ofHost = append(ofServer, s.CPU), append(ofHost, s.Host)
		rss = max(rss, s.RSS)
	}
	return mean(ofServer), mean(ofHost), rss
}
