package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"

	"siglab/internal/postable"
	"siglab/internal/safetensors"
	"siglab/posembed"
	"siglab/posembed/posembedcuda"
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
func (c *resampleApplyCmd) Run(ctx context.Context) error {
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
	if err := checkDevice(c.Device); err != nil {
		return err
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
	implementation := plan.Execution().Implementation.String()
	var data []byte
	if c.Device == "cuda" {
		implementation = "cuda"
		data, err = c.onGPU(ctx, plan, table, dtype)
	} else {
		data, err = resampled(plan, table, dtype, onCPU)
	}
	if err != nil {
		return fmt.Errorf("resample apply: %w", err)
	}
	out := safetensors.Tensor{Name: "out", DType: dtype, Shape: []int{to.Len(), table.Dim}, Data: data}
	if err := safetensors.Save(c.Out, []safetensors.Tensor{out}, nil); err != nil {
		return err
	}
	done := applied{Tensor: table.Name, From: table.Grid.String(), To: to.String(), Dim: table.Dim, Convention: convention.String(),
		DType: dtypeName(dtype), Device: c.Device, Implementation: implementation, Out: c.Out}
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

// appliers apply a plan to tables of each type.
type appliers struct {
	float32  func(p *posembed.Plan, dst, src []float32, dim int) error
	bfloat16 func(p *posembed.Plan, dst, src []posembed.BFloat16, dim int) error
	float16  func(p *posembed.Plan, dst, src []posembed.Float16, dim int) error
}

var onCPU = appliers{(*posembed.Plan).Apply, (*posembed.Plan).ApplyBFloat16, (*posembed.Plan).ApplyFloat16}

// onGPU is resampled on the first GPU.
func (c *resampleApplyCmd) onGPU(ctx context.Context, p *posembed.Plan, t *postable.Table, dtype safetensors.DType) (data []byte, err error) {
	gpu, err := openGPU()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, gpu.Close()) }()
	return resampled(p, t, dtype, appliers{applyGPU[float32](ctx, gpu), applyGPU[posembed.BFloat16](ctx, gpu), applyGPU[posembed.Float16](ctx, gpu)})
}

// applyGPU applies plans to tables of one type on a GPU.
func applyGPU[T posembedcuda.Element](ctx context.Context, gpu *posembedcuda.GPU) func(p *posembed.Plan, dst, src []T, dim int) error {
	return func(p *posembed.Plan, dst, src []T, dim int) (err error) {
		table, err := posembedcuda.Upload(gpu, src, p.From(), dim)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, table.Close()) }()
		work, err := table.Apply(p)
		if err != nil {
			return err
		}
		return errors.Join(posembedcuda.Read(ctx, work, dst), work.Close())
	}
}

// resampled is the table's result in little-endian bytes.
func resampled(p *posembed.Plan, t *postable.Table, dtype safetensors.DType, apply appliers) ([]byte, error) {
	n := p.To().Len() * t.Dim
	data := make([]byte, 0, n*dtype.Size())
	switch dtype {
	case safetensors.BF16:
		return resampledHalf(data, n, p, t, posembed.RoundToBFloat16, apply.bfloat16)
	case safetensors.F16:
		return resampledHalf(data, n, p, t, posembed.RoundToFloat16, apply.float16)
	default:
		dst := make([]float32, n)
		err := apply.float32(p, dst, t.Values, t.Dim)
		for _, v := range dst {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
		return data, err
	}
}

// resampledHalf appends n values of the table's result in a 16-bit type to data.
func resampledHalf[T posembed.BFloat16 | posembed.Float16](data []byte, n int, p *posembed.Plan, t *postable.Table,
	round func(float64) T, apply func(p *posembed.Plan, dst, src []T, dim int) error) ([]byte, error) {
	dst, src := make([]T, n), make([]T, len(t.Values))
	for i, v := range t.Values {
		src[i] = round(float64(v))
	}
	err := apply(p, dst, src, t.Dim)
	for _, v := range dst {
		data = binary.LittleEndian.AppendUint16(data, uint16(v))
	}
	return data, err
}
