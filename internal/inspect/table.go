package inspect

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteTable writes one row per model, the reason last. Values that are not known
// or do not apply are printed as "-".
func WriteTable(w io.Writer, reports []Report) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	rows := [][]string{{"MODEL", "ARCHITECTURE", "VISION TOWER", "AUTOCONFIG", "SIGLIP", "RESOLUTION", "PATCH", "GRID", "POSITIONS", "CONVENTION", "INTERPOLATES", "EXPECTED GAIN", "REASON"}}
	for _, r := range reports {
		patch := ""
		if r.PatchSize > 0 {
			patch = fmt.Sprint(r.PatchSize)
		}
		rows = append(rows, []string{r.Model, r.Architecture, r.VisionTower, r.ConfigClass, r.UsesSigLIP.String(), r.TrainingResolution,
			patch, r.Grid, r.PositionEmbedding, r.Convention, string(r.When), r.ExpectedGain, r.Reason})
	}
	for _, row := range rows {
		for i, cell := range row {
			row[i] = cmp.Or(oneLine(cell), "-")
		}
		if _, err := fmt.Fprintln(tw, strings.Join(row, "\t")); err != nil {
			return fmt.Errorf("write the table of models: %w", err)
		}
	}
	if err := tw.Flush(); err != nil {
		return fmt.Errorf("write the table of models: %w", err)
	}
	return nil
}

// oneLine keeps a cell in its row, whatever a configuration says.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
