package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"

	"siglab/internal/postable"
	"siglab/internal/safetensors"
	"siglab/posembed"
)

type resampleApplyCmd struct {
	In         string `required:"" type:"path" help:"Safetensors file or model folder that holds the table."`
	Tensor     string `help:"Name of the table's tensor (found by its name)."`
	From       string `help:"Grid of the table, ROWSxCOLS (the tensor's, or a square)."`
	To         string `required:"" help:"Grid of the result, ROWSxCOLS."`
	Convention string `default:"bicubic" help:"One of bicubic, bicubic-offset, bicubic-align-corners, bicubic-antialias, bilinear, bilinear-align-corners, bilinear-antialias (${default})."`
	DType      string `name:"dtype" help:"Type of table and result: f32, bf16 or f16 (the tensor's)."`
	Device     string `default:"cpu" help:"cpu or cuda (${default})."`
	Threads    int    `default:"1" help:"Goroutines that share the rows (${default})."`
	Out        string `required:"" type:"path" help:"Safetensors file to write: tensor out [rows·cols, channels]."`
	JSON       bool   `name:"json" help:"Print what was done as JSON."`
}

// applied is what resample apply did.
type applied struct {
	Tensor         string `json:"tensor"`
	From           string `json:"from"`
	To             string `json:"to"`
	Dim            int    `json:"dim"`
	Convention     string `json:"convention"`
	DType          string `json:"dtype"`
	Device         string `json:"device"`
	Implementation string `json:"implementation"`
	Out            string `json:"out"`
}

// Run writes the result, or nothing.
func (c *resampleApplyCmd) Run() error {
	convention, err := posembed.ParseConvention(c.Convention)
	if err != nil {
		return usagef("--convention: %w", err)
	}
	to, err := posembed.ParseGrid(c.To)
	if err != nil {
		return usagef("--to: %w", err)
	}
	var from posembed.Grid
	if c.From != "" {
		if from, err = posembed.ParseGrid(c.From); err != nil {
			return usagef("--from: %w", err)
		}
	}
	if c.Device != "cpu" {
		return usagef("--device %s: want cpu", c.Device)
	}
	table, err := postable.Load(c.In, c.Tensor, from)
	if err != nil {
		return fmt.Errorf("resample apply: %w", err)
	}
	dtype, err := c.dtype(table)
	if err != nil {
		return err
	}
	plan, err := posembed.NewPlan(table.Grid, to, convention)
	if err == nil {
		plan, err = plan.With(posembed.Execution{Threads: c.Threads})
	}
	if err != nil {
		return usagef("resample apply: %w", err)
	}
	if table.Dim > math.MaxInt/8/to.Len() {
		return usagef("--to %v: a result with %d channels is larger than the address space", to, table.Dim)
	}
	data, err := resampled(plan, table, dtype)
	if err != nil {
		return fmt.Errorf("resample apply: %w", err)
	}
	out := safetensors.Tensor{Name: "out", DType: dtype, Shape: []int{to.Len(), table.Dim}, Data: data}
	if err := safetensors.Save(c.Out, []safetensors.Tensor{out}, nil); err != nil {
		return err
	}
	done := applied{Tensor: table.Name, From: table.Grid.String(), To: to.String(), Dim: table.Dim, Convention: convention.String(),
		DType: dtypeName(dtype), Device: c.Device, Implementation: plan.Execution().Implementation.String(), Out: c.Out}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(done)
	}
	fmt.Printf("%s: %s, %s to %s, %d channels, %s, by %s on the %s; tensor out [%d, %d] is in %s\n", done.Tensor, done.Convention,
		done.From, done.To, done.Dim, done.DType, done.Implementation, done.Device, to.Len(), table.Dim, done.Out)
	return nil
}

// dtype is the type that the flag names, or else the tensor's.
func (c *resampleApplyCmd) dtype(t *postable.Table) (safetensors.DType, error) {
	switch c.DType {
	case "f32":
		return safetensors.F32, nil
	case "bf16":
		return safetensors.BF16, nil
	case "f16":
		return safetensors.F16, nil
	case "":
		if t.DType == safetensors.F64 {
			return 0, usagef("tensor %q is F64: name the type to resample it in, such as --dtype f32", t.Name)
		}
		return t.DType, nil
	default:
		return 0, usagef("--dtype %q: want one of f32, bf16, f16", c.DType)
	}
}

// dtypeName is the type as flags write it.
func dtypeName(d safetensors.DType) string {
	return map[safetensors.DType]string{safetensors.F32: "f32", safetensors.BF16: "bf16", safetensors.F16: "f16"}[d]
}

// resampled is the table's result in little-endian bytes.
func resampled(p *posembed.Plan, t *postable.Table, dtype safetensors.DType) ([]byte, error) {
	n := p.To().Len() * t.Dim
	data := make([]byte, n*dtype.Size())
	switch dtype {
	case safetensors.BF16:
		dst, src := make([]posembed.BFloat16, n), make([]posembed.BFloat16, len(t.Values))
		for i, v := range t.Values {
			src[i] = posembed.RoundToBFloat16(float64(v))
		}
		err := p.ApplyBFloat16(dst, src, t.Dim)
		for i, v := range dst {
			binary.LittleEndian.PutUint16(data[2*i:], uint16(v))
		}
		return data, err
	case safetensors.F16:
		dst, src := make([]posembed.Float16, n), make([]posembed.Float16, len(t.Values))
		for i, v := range t.Values {
			src[i] = posembed.RoundToFloat16(float64(v))
		}
		err := p.ApplyFloat16(dst, src, t.Dim)
		for i, v := range dst {
			binary.LittleEndian.PutUint16(data[2*i:], uint16(v))
		}
		return data, err
	default:
		dst := make([]float32, n)
		err := p.Apply(dst, t.Values, t.Dim)
		for i, v := range dst {
			binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(v))
		}
		return data, err
	}
}
