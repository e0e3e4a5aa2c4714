package report

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"siglab/bench/compare"
	"siglab/bench/vllmbench"
)

// Benchstat writes the blocks that count in the Go benchmark format, one line per block
// with all its metrics, for `benchstat -col variant -`. That tool knows neither pairs
// nor gates, so a run that is not valid says so in its configuration.
func Benchstat(w io.Writer, c *compare.Comparison) error {
	var b bytes.Buffer
	written := map[string]bool{}
	for _, m := range c.Metrics {
		if better := map[compare.Direction]string{compare.LowerIsBetter: "lower", compare.HigherIsBetter: "higher"}[m.Better]; better != "" && !written[m.Metric] {
			written[m.Metric] = true
			fmt.Fprintf(&b, "Unit %s better=%s\n", m.Metric, better)
		}
	}
	fmt.Fprintf(&b, "\nmodel: %s\nload: %s\nvalid: %t\n", oneLine(c.Manifest.Experiment.Model), oneLine(c.Manifest.Experiment.Load()), c.Valid)
	for _, arm := range c.Arms {
		fmt.Fprintf(&b, "\nvariant: %s\n", oneLine(arm.Variant.Name))
		for _, block := range arm.Blocks {
			if block.Block.Void == "" {
				benchstatLine(&b, block)
			}
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// benchstatLine writes the values of one block that are numbers.
func benchstatLine(b *bytes.Buffer, block compare.BlockSummary) {
	line := "BenchmarkServing 1"
	values := 0
	for _, m := range vllmbench.Metrics() {
		if v, has := block.Values[m.Key]; has && known(v) {
			line += " " + strconv.FormatFloat(v, 'g', -1, 64) + " " + m.Key
			values++
		}
	}
	if values > 0 {
		b.WriteString(line + "\n")
	}
}

// oneLine keeps a value from becoming another line of the format.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
