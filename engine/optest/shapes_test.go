package optest_test

import (
	"math"
	"runtime/debug"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/tensor"
	"siglab/internal/safetensors"
)

// The models that are timed are loops over the operations, with weights of one value:
// the work is that of trained ones.

// matrix is a packed one [out, in].
func matrix(t testing.TB, d *cpu.Device, dtype safetensors.DType, out, in int) tensor.Matrix {
	data := make([]byte, out*in*dtype.Size())
	for i := dtype.Size() - 1; i < len(data); i += dtype.Size() {
		data[i] = 0x3c // 2⁻⁷ in bfloat16 and float32
	}
	m, err := d.Pack(safetensors.Tensor{Name: "weight", DType: dtype, Shape: []int{out, in}, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ones are n values of 1.
func ones(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	return x
}

// tower is SigLIP-So400m's vision tower.
type tower struct {
	device *cpu.Device
	patch  tensor.Matrix
	layers []towerLayer
	memory []float32 // of activations
}

type towerLayer struct{ query, key, value, out, up, down tensor.Matrix }

const (
	towerHidden, towerLayers, towerHeads, towerMLP = 1152, 27, 16, 4304
	towerPixels                                    = 3 * 14 * 14 // values of a patch
)

func newTower(t testing.TB, d *cpu.Device, dtype safetensors.DType) *tower {
	w := &tower{device: d, patch: matrix(t, d, dtype, towerHidden, towerPixels)}
	square := func() tensor.Matrix { return matrix(t, d, dtype, towerHidden, towerHidden) }
	for range towerLayers {
		w.layers = append(w.layers, towerLayer{square(), square(), square(), square(),
			matrix(t, d, dtype, towerMLP, towerHidden), matrix(t, d, dtype, towerHidden, towerMLP)})
	}
	return w
}

// run computes an image of so many patches.
func (w *tower) run(patches int) {
	const hidden, mlp, eps = towerHidden, towerMLP, 1e-6
	d, bias := w.device, ones(mlp)
	if need := patches * (6*hidden + mlp); len(w.memory) < need {
		w.memory = make([]float32, need)
	}
	rest := w.memory
	slice := func(width int) (s []float32) {
		s, rest = rest[:patches*width], rest[patches*width:]
		return s
	}
	x, normed, q, k, v, att, middle := slice(hidden), slice(hidden), slice(hidden), slice(hidden), slice(hidden), slice(hidden), slice(mlp)
	d.Linear(x, ones(patches*towerPixels), w.patch, bias[:hidden])
	for _, l := range w.layers {
		d.LayerNorm(normed, x, bias[:hidden], bias[:hidden], eps)
		d.Linear(q, normed, l.query, bias[:hidden])
		d.Linear(k, normed, l.key, bias[:hidden])
		d.Linear(v, normed, l.value, bias[:hidden])
		d.Attention(att, q, k, v, towerHeads, hidden/towerHeads)
		d.LinearAdd(x, att, l.out, bias[:hidden])
		d.LayerNorm(normed, x, bias[:hidden], bias[:hidden], eps)
		d.Linear(middle, normed, l.up, bias)
		d.GELUTanh(middle)
		d.LinearAdd(x, middle, l.down, bias[:hidden])
	}
	d.LayerNorm(x, x, bias[:hidden], bias[:hidden], eps)
}

// operations of an image's matrix products and attention, in float.
func (w *tower) operations(patches int) float64 {
	const weights = towerHidden*towerPixels + towerLayers*(4*towerHidden*towerHidden+2*towerHidden*towerMLP)
	return 2*float64(weights)*float64(patches) + 4*towerLayers*towerHidden*float64(patches)*float64(patches)
}

// languageShape is the shape of a decoder.
type languageShape struct{ layers, hidden, heads, kvHeads, dim, mlp, vocab int }

// qwen2 is Qwen2-1.5B's with fewer layers and a smaller vocabulary.
func qwen2(layers int) languageShape {
	return languageShape{layers: layers, hidden: 1536, heads: 12, kvHeads: 2, dim: 128, mlp: 8960, vocab: 32000}
}

// languageContext is the length of the sequences.
const languageContext = 128

// language is a decoder whose step is timed for a number of sequences.
type language struct {
	shape                       languageShape
	device                      *cpu.Device
	layers                      []languageLayer
	head                        tensor.Matrix
	sequences                   int
	bytes                       int // of its weights
	x, normed, att, logits      []float32
	query, key, value, gate, up []float32
	cos, sin, weight            []float32
	positions                   []int
	visible                     []tensor.Span
}

type languageLayer struct {
	query, key, value, out, gate, up, down tensor.Matrix
	caches                                 []tensor.KeyValues
}

func newLanguage(t testing.TB, d *cpu.Device, dtype safetensors.DType, s languageShape, most int) *language {
	hidden, kv, mlp := s.hidden, s.kvHeads*s.dim, s.mlp
	angles := languageContext * s.dim / 2
	m := &language{device: d, shape: s, cos: ones(angles), sin: make([]float32, angles), weight: ones(hidden)}
	packed := func(out, in int) tensor.Matrix {
		m.bytes += out * in * dtype.Size()
		return matrix(t, d, dtype, out, in)
	}
	for range s.layers {
		l := languageLayer{packed(hidden, hidden), packed(kv, hidden), packed(kv, hidden), packed(hidden, hidden),
			packed(mlp, hidden), packed(mlp, hidden), packed(hidden, mlp), nil}
		for range most {
			l.caches = append(l.caches, d.NewKeyValues(s.kvHeads, s.dim, languageContext))
		}
		m.layers = append(m.layers, l)
	}
	m.head = packed(s.vocab, hidden)
	return m
}

// batch makes room for a step of so many sequences.
func (m *language) batch(sequences int) {
	m.sequences = sequences
	slice := func(width int) []float32 { return make([]float32, sequences*width) }
	hidden, kv, mlp := m.shape.hidden, m.shape.kvHeads*m.shape.dim, m.shape.mlp
	m.x, m.normed, m.att, m.query, m.logits = slice(hidden), slice(hidden), slice(hidden), slice(hidden), slice(m.shape.vocab)
	m.key, m.value, m.gate, m.up = slice(kv), slice(kv), slice(mlp), slice(mlp)
	m.positions, m.visible = make([]int, sequences), make([]tensor.Span, sequences)
	for i := range m.positions {
		m.positions[i], m.visible[i] = languageContext-1, tensor.Span{End: languageContext}
	}
}

// step is a decode step of the batch, the last position of its context.
func (m *language) step() {
	const eps = 1e-6
	d, s, hidden, kv := m.device, m.shape, m.shape.hidden, m.shape.kvHeads*m.shape.dim
	scale := float32(1 / math.Sqrt(float64(s.dim)))
	for i := range m.layers {
		l := &m.layers[i]
		d.RMSNorm(m.normed, m.x, m.weight, eps)
		d.Linear(m.query, m.normed, l.query, nil)
		d.Linear(m.key, m.normed, l.key, nil)
		d.Linear(m.value, m.normed, l.value, nil)
		d.RoPE(m.query, m.cos, m.sin, m.positions, s.heads, s.dim)
		d.RoPE(m.key, m.cos, m.sin, m.positions, s.kvHeads, s.dim)
		for n := range m.sequences {
			d.Store(l.caches[n], m.key[n*kv:][:kv], m.value[n*kv:][:kv], languageContext-1)
			d.CachedAttention(m.att[n*hidden:][:hidden], m.query[n*hidden:][:hidden], l.caches[n], m.visible[n:n+1], s.heads, scale)
		}
		d.LinearAdd(m.x, m.att, l.out, nil)
		d.RMSNorm(m.normed, m.x, m.weight, eps)
		d.Linear(m.gate, m.normed, l.gate, nil)
		d.Linear(m.up, m.normed, l.up, nil)
		d.SiLUMul(m.gate, m.up)
		d.LinearAdd(m.x, m.gate, l.down, nil)
	}
	d.RMSNorm(m.normed, m.x, m.weight, eps)
	d.Linear(m.logits, m.normed, m.head, nil)
}

// TestStepAllocates: a decode step allocates nothing, of one sequence or of several, on
// one thread or on two.
func TestStepAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	// The runtime forgets how to park a goroutine without allocating when it collects.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for _, isa := range cpu.ISAs() {
		for _, threads := range []int{1, 2} {
			d := cpu.New(cpu.Options{Threads: threads, ISA: isa})
			m := newLanguage(t, d, safetensors.BF16, languageShape{layers: 2, hidden: 256, heads: 4, kvHeads: 2, dim: 64, mlp: 1200, vocab: 500}, 3)
			for _, sequences := range []int{1, 3} {
				m.batch(sequences)
				if n := testing.AllocsPerRun(20, m.step); n > 0 {
					t.Errorf("%v, %d threads: a step of %d sequences allocates %v times", isa, threads, sequences, n)
				}
			}
			d.Close()
		}
	}
}
