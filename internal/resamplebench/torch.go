package resamplebench

import (
	"bufio"
	"bytes"
	"context"
	_ "embed" // the script
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"

	"siglab/posembed"
)

//go:embed torch.py
var torchScript string

// torchLine is what the script writes.
type torchLine struct {
	Convention     string  `json:"convention"`
	Implementation string  `json:"implementation"`
	To             [2]int  `json:"to"`
	NS             float64 `json:"ns"`
	MaxAbsErr      float64 `json:"max_abs_err"`
	Error          string  `json:"error"`
	Version        string  `json:"version"`
	Name           string  `json:"name"`
}

// Torch is what a run of the script gave.
type Torch struct {
	Version string
	Rows    []Row
	Failed  []string // forms that did not run, each with its reason
}

// RunTorch times torch's eager and compiled forms in a process of the given Python.
// ours are the rows of Run, whose floors are copied to the same grids. If it fails, what
// was timed until then comes with the error.
func RunTorch(ctx context.Context, python string, c Config, device string, ours []Row) (Torch, error) {
	type pair = [2]int
	job := struct {
		From        pair     `json:"from"`
		To          []pair   `json:"to"`
		Dim         int      `json:"dim"`
		DType       string   `json:"dtype"`
		Threads     int      `json:"threads"`
		Device      string   `json:"device"`
		Conventions []string `json:"conventions"`
	}{From: pair{c.From.Rows, c.From.Cols}, Dim: c.Dim, DType: c.DType, Threads: max(1, c.Threads), Device: device}
	for _, to := range c.To {
		job.To = append(job.To, pair{to.Rows, to.Cols})
	}
	for _, convention := range c.Conventions {
		job.Conventions = append(job.Conventions, convention.String())
	}
	input, err := json.Marshal(job)
	if err != nil {
		return Torch{}, err
	}
	cmd := exec.CommandContext(ctx, python, "-c", torchScript)
	cmd.Stdin = bytes.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t, _ := readTorch(stdout.Bytes(), c, device, ours) // what it had timed until then
		if said := lastLine(stderr.String()); said != "" {
			err = fmt.Errorf("%w: %s", err, said)
		}
		return t, fmt.Errorf("time torch with %s: %w; name a python that has torch with --python", python, err)
	}
	return readTorch(stdout.Bytes(), c, device, ours)
}

// readTorch reads the script's lines.
func readTorch(output []byte, c Config, device string, ours []Row) (Torch, error) {
	var t Torch
	lines := bufio.NewScanner(bytes.NewReader(output))
	for lines.Scan() {
		var l torchLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return t, fmt.Errorf("read what torch.py wrote: %w in %q", err, lines.Text())
		}
		to := posembed.Grid{Rows: l.To[0], Cols: l.To[1]}.String()
		switch {
		case l.Version != "":
			t.Version = strings.TrimSpace(l.Version + " " + l.Name)
			continue
		case l.Error != "":
			t.Failed = append(t.Failed, fmt.Sprintf("%s, %s to %s: %s", l.Implementation, l.Convention, to, l.Error))
			continue
		}
		row := Row{Convention: l.Convention, Implementation: l.Implementation, Device: device, DType: c.DType, Threads: max(1, c.Threads),
			From: c.From.String(), To: to, Dim: c.Dim, NS: l.NS, MaxAbsErr: l.MaxAbsErr}
		for _, r := range ours {
			if r.Device == device && r.To == to {
				row.FloorNS, row.CopyNS = r.FloorNS, r.CopyNS
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t, lines.Err()
}

// lastLine of what a process complained about.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
