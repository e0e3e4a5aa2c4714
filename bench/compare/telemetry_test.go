package compare

import (
	"strings"
	"testing"
	"time"

	"siglab/bench/record"
)

// onGPU gives every sample a GPU, and another that no server uses.
func onGPU(of func(variant string) record.GPUSample) func(*record.Run) {
	return func(run *record.Run) {
		run.Manifest.Instruments = record.Instruments{Interval: 100 * time.Millisecond, GPUs: []record.GPUInfo{{UUID: "GPU-a", Name: "Fake"}, {UUID: "GPU-b", Name: "Fake"}}}
		for i := range run.Telemetry {
			g := of(run.Telemetry[i].Variant)
			g.UUID, g.ServerMemory = "GPU-a", new(uint64(1<<30))
			run.Telemetry[i].GPUs = []record.GPUSample{g, {UUID: "GPU-b", Throttle: new(uint64(8)), SMMHz: new(300)}}
		}
	}
}

func TestTelemetryWarnings(t *testing.T) {
	working := func(mhz int, throttle uint64) record.GPUSample {
		return record.GPUSample{Utilization: new(60), SMMHz: &mhz, Throttle: &throttle, Watts: new(312.4), MemoryUsed: new(uint64(20 << 30))}
	}
	tests := []struct {
		name   string
		change func(*record.Run)
		want   []string // codes, of those that are about telemetry
		text   string
	}{
		{"full speed", onGPU(func(string) record.GPUSample { return working(1980, 0) }), nil, ""},
		{"idle and set clocks are no fault", onGPU(func(string) record.GPUSample { return working(1980, 1|2) }), nil, ""},
		{"held back by the power limit", onGPU(func(v string) record.GPUSample {
			if v == "main" {
				return working(1980, 0)
			}
			return working(1980, 4|0x40)
		}), []string{"clocks-throttled"}, "sw_power_cap, hw_thermal_slowdown"},
		{"other clocks in one arm", onGPU(func(v string) record.GPUSample {
			if v == "main" {
				return working(1980, 0)
			}
			return working(1755, 0)
		}), []string{"clocks-differ"}, "-11.4 %"},
		{"clocks of a GPU without work do not count", onGPU(func(v string) record.GPUSample {
			g := working(1980, 0)
			if v != "main" {
				g.SMMHz, g.Utilization = new(345), new(3)
			}
			return g
		}), nil, ""},
		{"a host that others use", func(run *record.Run) {
			for i := range run.Telemetry {
				run.Telemetry[i].Steal = 4
			}
		}, []string{"host-steal", "host-steal"}, "4.0 %"},
		{"sampling that costs too much", func(run *record.Run) {
			for i := range run.Manifest.Blocks {
				run.Manifest.Blocks[i].Sampling = record.Sampling{Samples: 100, Lasted: 10 * time.Second, CPU: 300 * time.Millisecond}
			}
		}, []string{"telemetry-cost"}, "3.00 %"},
	}
	about := map[string]bool{"clocks-throttled": true, "clocks-differ": true, "host-steal": true, "telemetry-cost": true}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := analyse(t, fake{change: tt.change})
			var codes []string
			var text string
			for _, w := range c.Warnings {
				if about[w.Code] {
					codes, text = append(codes, w.Code), text+w.Text
				}
			}
			if strings.Join(codes, " ") != strings.Join(tt.want, " ") || !strings.Contains(text, tt.text) {
				t.Errorf("warnings %v: %s; want %v with %q", codes, text, tt.want, tt.text)
			}
		})
	}
}

func TestTelemetrySum(t *testing.T) {
	c := analyse(t, fake{pairs: 2, change: func(run *record.Run) {
		onGPU(func(string) record.GPUSample {
			return record.GPUSample{Utilization: new(45), SMMHz: new(1980), Watts: new(310.2), MemoryUsed: new(uint64(20 << 30)), Throttle: new(uint64(4))}
		})(run)
		for i := range run.Manifest.Blocks {
			run.Manifest.Blocks[i].Sampling = record.Sampling{Samples: 100, Lasted: 10 * time.Second, CPU: 25 * time.Millisecond}
		}
	}})
	if c.Telemetry.Samples != 400 || c.Telemetry.Own != 0.25 || len(c.Telemetry.GPUs) != 2 {
		t.Errorf("%+v", c.Telemetry)
	}
	const want = `variant "main": busy 45 %, 1980 MHz at work, 310 W, at most 20.0 GiB, clocks held back in 100 % of the samples (sw_power_cap)`
	if got := c.Telemetry.GPUs[0].String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
