package sidebyside

import (
	"fmt"
	"math"

	"siglab/bench/compare"
	"siglab/bench/peerfiles"
	"siglab/bench/vllmbench"
)

// Blocks returns the blocks of each variant of an analysed run as results: each
// measured stretch that counts is one. A block value that rests on failed requests is
// left out, as is every other that is no number.
func Blocks(dir string, c *compare.Comparison) map[string][]peerfiles.Result {
	byVariant := map[string][]peerfiles.Result{}
	experiment := c.Manifest.Experiment
	for _, arm := range c.Arms {
		name := arm.Variant.Name
		for _, b := range arm.Blocks {
			if b.Block.Void != "" {
				continue
			}
			r := peerfiles.Result{Tool: peerfiles.Siglab, Version: c.Manifest.Siglab, Format: "run directory"}
			r.Source = fmt.Sprintf("%s#%s block %d", dir, name, b.Block.ID)
			r.About = vllmbench.About{
				Program: peerfiles.Siglab, Model: experiment.Model, Label: name, Prompts: b.Block.Requests,
				Date: c.Manifest.Started.Add(b.Block.Start), Endless: experiment.Saturates(),
			}
			r.Workload = fmt.Sprintf("%.12s", c.Manifest.Workload.SHA256)
			r.Host = fmt.Sprintf("%s, %d cores, kernel %s", c.Manifest.Environment.CPU, c.Manifest.Environment.Cores, c.Manifest.Environment.Kernel)
			if !c.Valid {
				r.Notes = append(r.Notes, peerfiles.Note{Code: "not-valid", Text: fmt.Sprintf("The run in %s failed a gate: see `siglab report %s`.", dir, dir)})
			}
			put := func(key string, v float64) {
				if !math.IsNaN(v) && !math.IsInf(v, 0) {
					r.Metrics = append(r.Metrics, vllmbench.Value{Key: key, Value: v})
				}
			}
			put("completed", float64(b.Block.Requests-b.Failed))
			put("failed", float64(b.Failed))
			if experiment.RequestRate > 0 {
				put("request_rate", experiment.RequestRate)
			}
			if experiment.MaxConcurrency > 0 {
				put("max_concurrency", float64(experiment.MaxConcurrency))
			}
			put("duration", (b.Block.End - b.Block.Start).Seconds())
			for _, m := range vllmbench.Metrics() {
				if v, ok := b.Values[m.Key]; ok {
					put(m.Key, v)
				}
			}
			byVariant[name] = append(byVariant[name], r)
		}
	}
	return byVariant
}
