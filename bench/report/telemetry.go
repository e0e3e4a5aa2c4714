package report

import (
	"fmt"
	"strings"

	"siglab/bench/compare"
)

// telemetryLines say how the machine was read, what that cost, and what the GPUs did.
func telemetryLines(t compare.Telemetry) []string {
	if t.Samples == 0 {
		return nil
	}
	line := fmt.Sprintf("%d samples", t.Samples)
	if known(t.Rate) {
		line += fmt.Sprintf(", %.1f a second", t.Rate)
	}
	if known(t.Own) {
		line += fmt.Sprintf(", took %.2f %% of a core", t.Own)
	}
	if len(t.Missing) > 0 {
		line += "; not told here: " + strings.Join(t.Missing, ", ")
	}
	lines := []string{line}
	for _, g := range t.GPUs {
		lines = append(lines, fmt.Sprintf("%s (%s), %s", g.UUID, g.Name, g))
	}
	return lines
}

type telemetryJSON struct {
	Samples int           `json:"samples"`
	Rate    number        `json:"samples_per_s"`
	Own     number        `json:"own_cpu_percent_of_a_core"`
	Missing []string      `json:"missing"`
	GPUs    []gpuLoadJSON `json:"gpus"`
}

type gpuLoadJSON struct {
	UUID      string `json:"uuid"`
	Name      string `json:"name"`
	Variant   string `json:"variant"`
	Busy      number `json:"utilization_percent"`
	SMMHz     number `json:"sm_mhz_at_work"`
	Watts     number `json:"power_w"`
	Memory    uint64 `json:"max_memory_bytes"`
	Throttled number `json:"throttled_share"`
	Reasons   string `json:"throttle_reasons"`
}

func telemetryDocument(t compare.Telemetry) telemetryJSON {
	d := telemetryJSON{Samples: t.Samples, Rate: num(t.Rate), Own: num(t.Own), Missing: []string{}, GPUs: []gpuLoadJSON{}}
	d.Missing = append(d.Missing, t.Missing...)
	for _, g := range t.GPUs {
		d.GPUs = append(d.GPUs, gpuLoadJSON{g.UUID, g.Name, g.Variant, num(g.Busy), num(g.SMMHz), num(g.Watts), g.Memory, num(g.Throttled), g.Reasons})
	}
	return d
}
