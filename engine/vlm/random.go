package vlm

import (
	"math"
	"math/rand/v2"

	"siglab/engine/cpu"
	"siglab/engine/decoder"
	"siglab/engine/projector"
	"siglab/engine/siglip"
	"siglab/engine/tensor"
	"siglab/internal/safetensors"
	"siglab/posembed"
)

// weights are all of a model's tensors.
type weights struct {
	tower     siglip.Weights
	projector projector.Weights
	decoder   decoder.Weights
}

// randomWeights draws a preset's weights from a seed, packed by a device.
func randomWeights(p preset, seed uint64, device *cpu.Device) (weights, error) {
	d := &draw{seed: seed, device: device}
	w := weights{
		tower:     d.tower(p.tower, p.scales),
		projector: d.projector(p.tower.Hidden, p.decoder.Hidden, p.scales),
		decoder:   d.decoder(p.decoder, p.scales),
	}
	return w, d.err
}

// draw draws tensors, each from a stream of its own: changing the size of one
// leaves the others as they are.
type draw struct {
	seed, stream uint64
	device       *cpu.Device
	err          error // the first
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

// matrix is one of in inputs and out outputs with the given gain. It is drawn input by
// input.
func (d *draw) matrix(in, out int, gain float64) tensor.Matrix {
	drawn := d.normals(in*out, 0, gain/math.Sqrt(float64(in)))
	values := make([]float32, len(drawn))
	for i, v := range drawn {
		values[i%out*in+i/out] = v
	}
	return d.pack(values, out, in)
}

// pack is values [out, in] in the device's layout.
func (d *draw) pack(values []float32, out, in int) tensor.Matrix {
	m, err := d.device.Pack(safetensors.NewF32("random", values, out, in))
	if d.err == nil {
		d.err = err
	}
	return m
}

// tower draws a vision tower.
func (d *draw) tower(c siglip.Config, s scales) siglip.Weights {
	const channels = 3
	w := siglip.Weights{
		Patch:        d.matrix(channels*c.Patch*c.Patch, c.Hidden, s.patch),
		PatchBias:    d.normals(c.Hidden, 0, s.bias),
		Positions:    d.positions(c.Trained, c.Hidden, s),
		PostNorm:     d.normals(c.Hidden, 1, s.bias),
		PostNormBias: d.normals(c.Hidden, 0, s.bias),
	}
	for range c.Layers {
		w.Blocks = append(w.Blocks, siglip.Block{
			AttentionNorm: d.normals(c.Hidden, 1, s.bias), AttentionNormBias: d.normals(c.Hidden, 0, s.bias),
			Query: d.matrix(c.Hidden, c.Hidden, s.towerScore), QueryBias: d.normals(c.Hidden, 0, s.bias),
			Key: d.matrix(c.Hidden, c.Hidden, s.towerScore), KeyBias: d.normals(c.Hidden, 0, s.bias),
			Value: d.matrix(c.Hidden, c.Hidden, s.tower), ValueBias: d.normals(c.Hidden, 0, s.bias),
			Out: d.matrix(c.Hidden, c.Hidden, s.tower), OutBias: d.normals(c.Hidden, 0, s.bias),
			MLPNorm: d.normals(c.Hidden, 1, s.bias), MLPNormBias: d.normals(c.Hidden, 0, s.bias),
			Up: d.matrix(c.Hidden, c.MLP, s.tower), UpBias: d.normals(c.MLP, 0, s.bias),
			Down: d.matrix(c.MLP, c.Hidden, s.tower), DownBias: d.normals(c.Hidden, 0, s.bias),
		})
	}
	return w
}

// positions draws a table [g.Rows, g.Cols, dim] that looks like a trained one to a
// degree: noise, and for each channel a sum of the grid's slowest cosines, slower
// ones larger.
func (d *draw) positions(g posembed.Grid, dim int, s scales) []float32 {
	const waves = 3 // along each axis, the constant one included
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

// projector draws a projector.
func (d *draw) projector(vision, hidden int, s scales) projector.Weights {
	return projector.Weights{
		In: d.matrix(vision, hidden, s.projector), InBias: d.normals(hidden, 0, s.bias),
		Out: d.matrix(hidden, hidden, s.projector), OutBias: d.normals(hidden, 0, s.bias),
	}
}

// decoder draws a language model.
func (d *draw) decoder(c decoder.Config, s scales) decoder.Weights {
	kv := c.Hidden / c.Heads * c.KVHeads
	w := decoder.Weights{
		Embeddings: d.pack(d.normals(c.Vocab*c.Hidden, 0, s.embedding), c.Vocab, c.Hidden),
		Norm:       d.normals(c.Hidden, 1, s.bias),
		Head:       d.matrix(c.Hidden, c.Vocab, s.head),
	}
	for range c.Layers {
		w.Blocks = append(w.Blocks, decoder.Block{
			AttentionNorm: d.normals(c.Hidden, 1, s.bias),
			Query:         d.matrix(c.Hidden, c.Hidden, s.decoderScore), QueryBias: d.normals(c.Hidden, 0, s.bias),
			Key: d.matrix(c.Hidden, kv, s.decoderScore), KeyBias: d.normals(kv, 0, s.bias),
			Value: d.matrix(c.Hidden, kv, s.attention), ValueBias: d.normals(kv, 0, s.bias),
			Out:     d.matrix(c.Hidden, c.Hidden, s.attention),
			MLPNorm: d.normals(c.Hidden, 1, s.bias),
			Gate:    d.matrix(c.Hidden, c.MLP, s.mlp), Up: d.matrix(c.Hidden, c.MLP, s.mlp),
			Down: d.matrix(c.MLP, c.Hidden, s.mlp),
		})
	}
	return w
}
