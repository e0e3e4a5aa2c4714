package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"text/tabwriter"

	"siglab/internal/postable"
	"siglab/posembed"
	"siglab/posembed/accuracy"
)

type resampleAccuracyCmd struct {
	Model  string   `type:"path" help:"Model folder or safetensors file that holds the table."`
	Tensor string   `help:"Name of the table's tensor (found by its name)."`
	Table  []string `sep:"," help:"Tables to make up instead: white (independent normal values), smooth (long waves); both if no model is named."`
	From   string   `help:"Grid of the table, ROWSxCOLS (the tensor's; 32x32 for made-up ones)."`
	To     []string `sep:"," help:"Grids of the results, ROWSxCOLS (24x24,36x36,64x64)."`
	Dim    int      `default:"256" help:"Channels of made-up tables (${default})."`
	Seed   uint64   `default:"0" help:"Seed of made-up tables (${default})."`
	Image  string   `type:"path" help:"Also compare what the vision tower of --model makes of this image, on each grid."`
	SVG    string   `name:"svg" type:"path" help:"File for a plot of the cosines."`
	JSON   bool     `name:"json" help:"Print the rows as JSON."`
}

// tableRows are the rows of one table.
type tableRows struct {
	Table string         `json:"table"`
	Dim   int            `json:"dim"`
	Rows  []accuracyRow  `json:"rows"`
	rows  []accuracy.Row // the same
}

// accuracyRow names its table, so that rows can stand alone.
type accuracyRow struct {
	Table string `json:"table"`
	accuracy.Row
}

// Run compares the conventions on every table and grid.
func (c *resampleAccuracyCmd) Run() error {
	if len(c.To) == 0 {
		c.To = []string{"24x24", "36x36", "64x64"}
	}
	grids, err := parseGrids("--to", c.To)
	if err != nil {
		return err
	}
	tables, err := c.tables()
	if err != nil {
		return err
	}
	if c.Image != "" && c.Model == "" {
		return usagef("--image %s: the tower that looks at it is that of --model: name a model folder", c.Image)
	}
	var all []tableRows
	for _, t := range tables {
		r := tableRows{Table: t.Name, Dim: t.Dim}
		for _, to := range grids {
			rows, err := accuracy.Compare(t.Values, t.Grid, to, t.Dim)
			if err != nil {
				return err
			}
			r.rows = append(r.rows, rows...)
		}
		for _, row := range r.rows {
			r.Rows = append(r.Rows, accuracyRow{t.Name, row})
		}
		all = append(all, r)
	}
	if c.SVG != "" {
		if err := os.WriteFile(c.SVG, []byte(accuracySVG(all, grids)), 0o644); err != nil {
			return fmt.Errorf("resample accuracy: %w", err)
		}
	}
	var towers []towerRow
	if c.Image != "" {
		if towers, err = c.towers(grids); err != nil {
			return fmt.Errorf("resample accuracy: %w", err)
		}
	}
	if c.JSON {
		rows := []accuracyRow{}
		for _, r := range all {
			rows = append(rows, r.Rows...)
		}
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		document := map[string]any{"rows": rows}
		if towers != nil {
			document["towers"] = towers
		}
		return enc.Encode(document)
	}
	for _, r := range all {
		if err := writeAccuracy(os.Stdout, r, grids); err != nil {
			return err
		}
	}
	return writeTowers(os.Stdout, c.Image, towers)
}

// tables are those of the model or the made-up ones.
func (c *resampleAccuracyCmd) tables() ([]*postable.Table, error) {
	var from posembed.Grid
	if c.From != "" {
		g, err := posembed.ParseGrid(c.From)
		if err != nil {
			return nil, usagef("--from: %w", err)
		}
		from = g
	}
	if c.Model != "" {
		if len(c.Table) > 0 {
			return nil, usagef("--model %s and --table %s: name one of them", c.Model, strings.Join(c.Table, ","))
		}
		t, err := postable.Load(c.Model, c.Tensor, from)
		if err != nil {
			return nil, fmt.Errorf("resample accuracy: %w", err)
		}
		return []*postable.Table{t}, nil
	}
	if from == (posembed.Grid{}) {
		from = posembed.Grid{Rows: 32, Cols: 32}
	}
	kinds := c.Table
	if len(kinds) == 0 {
		kinds = postable.Kinds()
	}
	var tables []*postable.Table
	for _, kind := range kinds {
		t, err := postable.Make(kind, from, c.Dim, c.Seed)
		if err != nil {
			return nil, usagef("resample accuracy: %w", err)
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// writeAccuracy writes a table's distances, and which part of the seed's switch,
// bicubic to bilinear with aligned corners, is the kernel's and which the
// alignment's.
func writeAccuracy(w io.Writer, t tableRows, grids []posembed.Grid) error {
	fmt.Fprintf(w, "Table %s, %s, %d channels\n", t.Table, t.rows[0].From, t.Dim)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  to\ta\tb\tcosine\trel. L2\tmax abs\tnorm b/a\tdiffer in")
	for _, r := range t.rows {
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%.6f\t%.4f\t%.4f\t%.4f\t%v\n", r.To, r.A, r.B, r.Cosine, r.RelL2, r.MaxAbs, r.NormRatio, r.DiffersIn)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\n  bicubic to bilinear-align-corners is two changes (relative L2 of each alone):")
	for _, to := range grids {
		both, ok1 := accuracy.Find(t.rows, posembed.Bicubic, posembed.BilinearAlignCorners, to)
		kernel, ok2 := accuracy.Find(t.rows, posembed.Bicubic, posembed.Bilinear, to)
		alignment, ok3 := accuracy.Find(t.rows, posembed.Bicubic, posembed.BicubicAlignCorners, to)
		if ok1 && ok2 && ok3 {
			fmt.Fprintf(w, "    %v: both %.4f; the kernel %.4f (bicubic to bilinear); the alignment %.4f (bicubic to bicubic-align-corners)\n",
				to, both.RelL2, kernel.RelL2, alignment.RelL2)
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}

// accuracySVG plots, for every table, the cosine of every convention with bicubic
// over the target grids.
func accuracySVG(tables []tableRows, grids []posembed.Grid) string {
	const width, height, left, top, right, bottom = 760, 320, 70, 40, 210, 50
	colours := []string{"#1b6ca8", "#c0392b", "#27864a", "#8e44ad", "#b9770e", "#5d6d7e"}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height*len(tables))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height*len(tables))
	for at, t := range tables {
		lowest := 1.0
		for _, r := range t.rows {
			if r.A == posembed.Bicubic.String() && !math.IsNaN(float64(r.Cosine)) {
				lowest = min(lowest, float64(r.Cosine))
			}
		}
		span := max(1-lowest, 1e-9) * 1.05
		x := func(i int) float64 {
			return left + float64(i)*float64(width-left-right)/float64(max(1, len(grids)-1))
		}
		y := func(v float64) float64 {
			return float64(at*height+top) + (1-v)/span*float64(height-top-bottom)
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" font-size="14">cosine with bicubic, table %s from %s</text>`+"\n", left, at*height+22, escapeXML(t.Table), t.rows[0].From)
		for tick := range 5 {
			v := 1 - span*float64(tick)/4
			fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%.5f</text>`+"\n",
				left, width-right, y(v), y(v), left-6, y(v)+4, v)
		}
		for i, g := range grids {
			fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%v</text>`+"\n", x(i), at*height+height-bottom+20, g)
		}
		for k, c := range posembed.Conventions()[1:] {
			var points []string
			for i, g := range grids {
				if r, ok := accuracy.Find(t.rows, posembed.Bicubic, c, g); ok && !math.IsNaN(float64(r.Cosine)) {
					points = append(points, fmt.Sprintf("%.1f,%.1f", x(i), y(float64(r.Cosine))))
					fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(i), y(float64(r.Cosine)), colours[k])
				}
			}
			fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", strings.Join(points, " "), colours[k])
			legend := at*height + top + 10 + 20*k
			fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%d" y2="%d" stroke="%s" stroke-width="3"/><text x="%d" y="%d">%v</text>`+"\n",
				width-right+20, width-right+40, legend, legend, colours[k], width-right+46, legend+4, c)
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// escapeXML makes a text safe to stand between tags.
func escapeXML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
