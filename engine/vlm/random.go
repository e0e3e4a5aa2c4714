package vlm

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"

	"siglab/engine/decoder"
	"siglab/engine/siglip"
	"siglab/engine/tensor"
	"siglab/engine/weights"
	"siglab/internal/safetensors"
	"siglab/posembed"
)

// draw is a source of random tensors in place of a checkpoint's. Each comes from a
// stream of its own, in the order in which they are asked for: changing the size of
// one leaves the others as they are.
type draw struct {
	seed, stream uint64
	dtype        safetensors.DType // of the matrices
	scales       scales
	tower        siglip.Config
	decoder      decoder.Config
	packer       weights.Packer
	bytes        int64  // of all tensors
	buffer       []byte // of the matrix that is being drawn
	err          error  // the first
}

func newDraw(p preset, seed uint64, packer weights.Packer) *draw {
	return &draw{seed: seed, dtype: p.dtype, scales: p.scales, tower: p.tower, decoder: p.decoder, packer: packer}
}

// finish is the first error.
func (d *draw) finish() ([]string, error) { return nil, d.err }

// Vector draws a bias, a norm's weights, or a table.
func (d *draw) Vector(name string, shape ...int) []float32 {
	n := 1
	for _, side := range shape {
		n *= side
	}
	d.bytes += 4 * int64(n)
	switch {
	case strings.HasSuffix(name, "position_embedding.weight"):
		return d.positions(d.tower.Trained, d.tower.Hidden)
	case strings.HasSuffix(name, ".bias"):
		return d.normals(n, 0, d.scales.bias)
	case strings.HasPrefix(name, decoderPrefix):
		return d.normals(n, 1-float64(d.decoder.NormOffset), d.scales.bias)
	default:
		return d.normals(n, 1, d.scales.bias)
	}
}

// Matrix draws a matrix, [out, in].
func (d *draw) Matrix(name string, out int, in ...int) tensor.Matrix {
	inputs := 1
	for _, side := range in {
		inputs *= side
	}
	deviation := d.gain(name) / math.Sqrt(float64(inputs))
	if strings.HasSuffix(name, "embed_tokens.weight") && !d.decoder.TiedHead {
		deviation = d.scales.embedding
	}
	w := safetensors.Tensor{Name: name, DType: d.dtype, Shape: []int{out, inputs}}
	if d.dtype == safetensors.F32 {
		w = safetensors.NewF32(name, d.float32s(name, out, inputs, deviation), out, inputs)
	} else {
		w.Data = d.bfloat16s(out, inputs, deviation)
	}
	d.bytes += int64(len(w.Data))
	m, err := d.packer.Pack(w)
	if d.err == nil {
		d.err = err
	}
	return m
}

// Rows draws a matrix of its own: no preset has a part of a larger one.
func (d *draw) Rows(name string, _, in, _, count int) tensor.Matrix { return d.Matrix(name, count, in) }

// Transposed draws a matrix; random ones have no order.
func (d *draw) Transposed(name string, in, out int) tensor.Matrix { return d.Matrix(name, out, in) }

// gain is the size of a matrix's outputs for inputs of size 1.
func (d *draw) gain(name string) float64 {
	score := strings.Contains(name, "q_proj") || strings.Contains(name, "k_proj")
	switch s := d.scales; {
	case strings.HasPrefix(name, projectorPrefix):
		return s.projector
	case strings.HasPrefix(name, towerPrefix) && strings.Contains(name, "patch_embedding"):
		return s.patch
	case strings.HasPrefix(name, towerPrefix) && score:
		return s.towerScore
	case strings.HasPrefix(name, towerPrefix):
		return s.tower
	case strings.HasPrefix(name, "lm_head.") || strings.Contains(name, "embed_tokens"):
		return s.head
	case score:
		return s.decoderScore
	case strings.Contains(name, "self_attn"):
		return s.attention
	default:
		return s.mlp
	}
}

// normals are n values of the given mean and standard deviation.
func (d *draw) normals(n int, mean, deviation float64) []float32 {
	rng := rand.New(rand.NewPCG(d.seed, d.stream))
	d.stream++
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(mean + deviation*rng.NormFloat64())
	}
	return x
}

// float32s are the values of a small matrix [out, in], drawn input by input, those of
// embeddings token by token.
func (d *draw) float32s(name string, out, in int, deviation float64) []float32 {
	drawn := d.normals(in*out, 0, deviation)
	if strings.HasSuffix(name, "embed_tokens.weight") {
		return drawn
	}
	values := make([]float32, len(drawn))
	for i, v := range drawn {
		values[i%out*in+i/out] = v
	}
	return values
}

// bfloat16s are the values of a large matrix [out, in], drawn fast: the rows in
// parallel, each from a stream of its own, each byte of the stream one of 256 evenly
// spaced values. They are valid until the next ones are drawn: a device keeps none.
func (d *draw) bfloat16s(out, in int, deviation float64) []byte {
	var levels [256][2]byte
	for i := range levels {
		v := float32(math.Sqrt(3) * deviation * (float64(i) - 127.5) / 127.5)
		binary.LittleEndian.PutUint16(levels[i][:], uint16(math.Float32bits(v)>>16))
	}
	stream := d.stream
	d.stream++
	d.buffer = slices.Grow(d.buffer[:0], 2*out*in)
	data := d.buffer[:2*out*in]
	var drawing sync.WaitGroup
	threads := min(runtime.GOMAXPROCS(0), out)
	for t := range threads {
		drawing.Go(func() {
			for row := t * out / threads; row < (t+1)*out/threads; row++ {
				drawRow(data[2*row*in:][:2*in], &levels, d.seed^stream<<32^uint64(row))
			}
		})
	}
	drawing.Wait()
	return data
}

// drawRow fills a row with levels by SplitMix64 (Steele, Lea and Flood 2014).
func drawRow(row []byte, levels *[256][2]byte, seed uint64) {
	for len(row) > 0 {
		seed += 0x9E3779B97F4A7C15
		z := (seed ^ seed>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		for range min(8, len(row)/2) {
			row[0], row[1] = levels[byte(z)][0], levels[byte(z)][1]
			row, z = row[2:], z>>8
		}
	}
}

// positions draws a table [g.Rows, g.Cols, dim] that looks like a trained one to a
// degree: noise, and for each channel a sum of the grid's slowest cosines, slower
// ones larger.
func (d *draw) positions(g posembed.Grid, dim int) []float32 {
	const waves = 3 // along each axis, the constant one included
	s := d.scales
	table := d.normals(g.Len()*dim, 0, s.positionWhite)
	norm := 0.0
	for ky := range waves {
		for kx := range waves {
			if ky+kx > 0 {
				norm += 1 / float64(ky*ky+kx*kx) / 2 // a cosine's mean square is ½, roughly
			}
		}
	}
	for ky := range waves {
		for kx := range waves {
			if ky+kx == 0 {
				continue
			}
			amplitude := s.positionSmooth / math.Sqrt(norm*float64(ky*ky+kx*kx))
			addWave(table, d.normals(dim, 0, amplitude), g, ky, kx)
		}
	}
	return table
}

// addWave adds amplitudes [dim] times a cosine of ky and kx half periods over the
// grid's sides to a table [g.Rows, g.Cols, dim].
func addWave(table, amplitudes []float32, g posembed.Grid, ky, kx int) {
	for y := range g.Rows {
		for x := range g.Cols {
			wave := math.Cos(math.Pi*float64(ky)*(float64(y)+0.5)/float64(g.Rows)) *
				math.Cos(math.Pi*float64(kx)*(float64(x)+0.5)/float64(g.Cols))
			row := table[(y*g.Cols+x)*len(amplitudes):][:len(amplitudes)]
			for i, a := range amplitudes {
				row[i] += a * float32(wave)
			}
		}
	}
}
