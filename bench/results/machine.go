package results

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"siglab/bench/record"
)

// writeCPU writes the readings of a variant's process tree, in the manner of
// nvidia-smi's csv.
func writeCPU(w io.Writer, run record.Run, name string) error {
	out := csv.NewWriter(w)
	out.UseCRLF = false
	rows := [][]string{{"timestamp", "offset [s]", "block", "utilization.cpu [% of a core]", "memory.used [MiB]", "client.cpu [% of a core]", "host.cpu [%]", "threads", "host.steal [%]"}}
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
	for _, s := range run.Telemetry {
		if s.Variant != name {
			continue
		}
		rows = append(rows, []string{
			run.Manifest.Started.Add(s.At).UTC().Format(stampFormat), strconv.FormatFloat(s.At.Seconds(), 'f', 3, 64),
			strconv.Itoa(s.Block), number(s.CPU), number(float64(s.RSS) / (1 << 20)), number(s.Client), number(s.Host),
			strconv.Itoa(s.Threads), number(s.Steal),
		})
	}
	if err := out.WriteAll(rows); err != nil {
		return err
	}
	return out.Error()
}

// stampFormat is that of nvidia-smi.
const stampFormat = "2006/01/02 15:04:05.000"

// gpuColumns are those of nvidia-smi --format=csv, by the names and with the units that
// it prints.
var gpuColumns = [...]string{
	"timestamp", "index", "uuid", "name", "utilization.gpu [%]", "utilization.memory [%]", "memory.used [MiB]", "memory.total [MiB]",
	"clocks.current.sm [MHz]", "clocks.current.memory [MHz]", "power.draw [W]", "temperature.gpu", "clocks_event_reasons.active",
}

// writeGPUs writes the readings of the GPUs under a variant as nvidia-smi would have
// printed them.
func writeGPUs(w io.Writer, run record.Run, name string) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, strings.Join(gpuColumns[:], ", "))
	for _, sample := range run.Telemetry {
		if sample.Variant != name {
			continue
		}
		stamp := run.Manifest.Started.Add(sample.At).UTC().Format(stampFormat)
		for _, g := range sample.GPUs {
			fmt.Fprintln(out, strings.Join(gpuRow(stamp, g, run.Manifest.Instruments.GPUs), ", "))
		}
	}
	return out.Flush()
}

func gpuRow(stamp string, g record.GPUSample, gpus []record.GPUInfo) []string {
	index, name, total := unknownField, unknownField, unknownField
	for _, info := range gpus {
		if info.UUID == g.UUID {
			index, name, total = strconv.Itoa(info.Index), info.Name, field("%d MiB", new(info.MemoryBytes>>20))
		}
	}
	var used *uint64
	if g.MemoryUsed != nil {
		used = new(*g.MemoryUsed >> 20)
	}
	return []string{
		stamp, index, g.UUID, name, field("%d %%", g.Utilization), field("%d %%", g.MemoryUtilization), field("%d MiB", used), total,
		field("%d MHz", g.SMMHz), field("%d MHz", g.MemoryMHz), field("%.2f W", g.Watts), field("%d", g.Celsius), field("0x%016X", g.Throttle),
	}
}

// unknownField is how nvidia-smi says that a GPU does not tell.
const unknownField = "[N/A]"

func field[T any](format string, v *T) string {
	if v == nil {
		return unknownField
	}
	return fmt.Sprintf(format, *v)
}
