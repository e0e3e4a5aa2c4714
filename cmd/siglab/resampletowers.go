package main

import (
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"siglab/engine/vlm"
	"siglab/posembed"
	"siglab/posembed/accuracy"
)

// towerRow is how far apart the outputs of a vision tower are whose position table was
// resampled by two conventions.
type towerRow struct {
	A  string `json:"a"`
	B  string `json:"b"`
	To string `json:"to"`
	accuracy.Distance
	LowestCosine accuracy.Number `json:"lowest_position_cosine"` // of the position that differs most
}

// towerModes are one mode for each convention that a tower can run with.
func towerModes() []posembed.Mode {
	return []posembed.Mode{posembed.Exact, posembed.BilinearFused, posembed.Antialias}
}

// towers runs the model's vision tower on the image, resized to fill each grid, in every
// mode, and compares the last hidden states.
func (c *resampleAccuracyCmd) towers(grids []posembed.Grid) ([]towerRow, error) {
	outputs := make([][][]float32, len(grids)) // by grid and mode, [positions, hidden]
	hidden := 0
	for _, mode := range towerModes() {
		states, dim, err := c.lastStates(mode, grids)
		if err != nil {
			return nil, err
		}
		for i, s := range states {
			outputs[i] = append(outputs[i], s)
		}
		hidden = dim
	}
	var rows []towerRow
	for i, grid := range grids {
		for a, first := range towerModes() {
			for b := a + 1; b < len(towerModes()); b++ {
				rows = append(rows, towerRow{
					A: first.Convention().String(), B: towerModes()[b].Convention().String(), To: grid.String(),
					Distance:     accuracy.Between(outputs[i][a], outputs[i][b]),
					LowestCosine: lowestCosine(outputs[i][a], outputs[i][b], hidden),
				})
			}
		}
	}
	return rows, nil
}

// lastStates are the tower's last hidden states [positions, hidden] of the image in one
// mode, on every grid.
func (c *resampleAccuracyCmd) lastStates(mode posembed.Mode, grids []posembed.Grid) (states [][]float32, hidden int, err error) {
	img, err := readImage(c.Image)
	if err != nil {
		return nil, 0, err
	}
	encoder, err := vlm.OpenEncoder(c.Model, vlm.EncoderOptions{PosEmbed: &mode})
	if err != nil {
		return nil, 0, err
	}
	defer encoder.Close()
	for _, grid := range grids {
		patches, err := encoder.PrepareAt(img, grid)
		if err != nil {
			return nil, 0, err
		}
		out, err := encoder.Encode(patches)
		if err != nil {
			return nil, 0, err
		}
		states = append(states, out.Last)
	}
	return states, encoder.Config().Hidden, nil
}

// lowestCosine is the cosine of the position [dim] in which two outputs differ most.
func lowestCosine(a, b []float32, dim int) accuracy.Number {
	lowest := accuracy.Number(1)
	for at := 0; at < len(a); at += dim {
		lowest = min(lowest, accuracy.Between(a[at:][:dim], b[at:][:dim]).Cosine)
	}
	return lowest
}

// writeTowers writes the rows, or nothing without any.
func writeTowers(w io.Writer, image string, rows []towerRow) error {
	if len(rows) == 0 {
		return nil
	}
	fmt.Fprintf(w, "Vision tower on %s, resized to fill the grid: last hidden state\n", filepath.Base(image))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  to\ta\tb\tcosine\tlowest of a position\trel. L2\tnorm b/a")
	for _, r := range rows {
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%.6f\t%.6f\t%.4f\t%.4f\n", r.To, r.A, r.B, r.Cosine, r.LowestCosine, r.RelL2, r.NormRatio)
	}
	return tw.Flush()
}
