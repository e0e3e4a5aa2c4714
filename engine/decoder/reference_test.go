package decoder_test

import (
	"fmt"
	"math"

	"siglab/engine/decoder"
)

// reference computes logits in float64, row by row, from the definition: no cache, no
// batches. ends is what every row sees, x [rows][Hidden] are embeddings.
type reference struct {
	decoder.Config
	weights map[string][]float32
}

func (r reference) logits(x [][]float64, ends []int) [][]float64 {
	h := make([][]float64, len(x))
	for i := range x {
		h[i] = append([]float64(nil), x[i]...)
	}
	for layer := range r.Layers {
		r.block(h, ends, layer)
	}
	head := "lm_head.weight"
	if r.TiedHead {
		head = "embed_tokens.weight"
	}
	for i := range h {
		h[i] = r.linear(head, "", r.norm("norm.weight", h[i]))
	}
	return h
}

func (r reference) block(h [][]float64, ends []int, layer int) {
	name := func(rest string) string { return fmt.Sprintf("layers.%d.%s", layer, rest) }
	var q, k, v [][]float64
	window, rotary := 0, r.Rotary
	if r.Windows != nil && r.Windows[layer] > 0 {
		window, rotary = r.Windows[layer], r.Local
	}
	for i := range h {
		n := r.norm(name("input_layernorm.weight"), h[i])
		q = append(q, r.heads(name("self_attn.q_"), n, r.Heads, i, rotary))
		k = append(k, r.heads(name("self_attn.k_"), n, r.KVHeads, i, rotary))
		v = append(v, r.linear(name("self_attn.v_proj.weight"), name("self_attn.v_proj.bias"), n))
	}
	mlpNorm := name("post_attention_layernorm.weight")
	if r.Norms == decoder.SandwichNorm {
		mlpNorm = name("pre_feedforward_layernorm.weight")
	}
	for i := range h {
		begin := 0
		if window > 0 {
			begin = max(0, i-window+1)
		}
		out := r.linear(name("self_attn.o_proj.weight"), name("self_attn.o_proj.bias"), r.attend(q[i], k[begin:ends[i]], v[begin:ends[i]]))
		r.add(h[i], out, name("post_attention_layernorm.weight"))

		n := r.norm(mlpNorm, h[i])
		gate := r.linear(name("mlp.gate_proj.weight"), name("mlp.gate_proj.bias"), n)
		for c, up := range r.linear(name("mlp.up_proj.weight"), name("mlp.up_proj.bias"), n) {
			if r.Activation == decoder.GELUTanh {
				g := gate[c]
				gate[c] = g / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(g+0.044715*g*g*g))) * up
			} else {
				gate[c] = gate[c] / (1 + math.Exp(-gate[c])) * up
			}
		}
		r.add(h[i], r.linear(name("mlp.down_proj.weight"), name("mlp.down_proj.bias"), gate), name("post_feedforward_layernorm.weight"))
	}
}

// add is a residual, behind a norm in a sandwich.
func (r reference) add(h, y []float64, norm string) {
	if r.Norms == decoder.SandwichNorm {
		y = r.norm(norm, y)
	}
	for c, v := range y {
		h[c] += v
	}
}

// heads are a row's queries or keys, normed and turned by its position.
func (r reference) heads(prefix string, n []float64, heads, position int, rotary decoder.Rotary) []float64 {
	x := r.linear(prefix+"proj.weight", prefix+"proj.bias", n)
	for head := range heads {
		part := x[head*r.HeadDim:][:r.HeadDim]
		if r.Norms == decoder.SandwichNorm {
			copy(part, r.norm(prefix+"norm.weight", part))
		}
		half := r.HeadDim / 2
		for i := range half {
			sin, cos := math.Sincos(float64(position+r.FirstPosition) * frequency(rotary, i, r.HeadDim))
			a, b := part[i], part[i+half]
			part[i], part[i+half] = a*cos-b*sin, b*cos+a*sin
		}
	}
	return x
}

// frequency is transformers' modeling_rope_utils in float64.
func frequency(r decoder.Rotary, i, dim int) float64 {
	f := math.Pow(r.Theta, -2*float64(i)/float64(dim))
	switch r.Scaling {
	case decoder.Linear:
		return f / r.Factor
	case decoder.Llama3:
		length := 2 * math.Pi / f
		smooth := (r.Original/length - r.Low) / (r.High - r.Low)
		smooth = min(max(smooth, 0), 1)
		return (1-smooth)*f/r.Factor + smooth*f
	}
	return f
}

func (r reference) attend(q []float64, k, v [][]float64) []float64 {
	out := make([]float64, r.Heads*r.HeadDim)
	for head := range r.Heads {
		shared := head / (r.Heads / r.KVHeads) * r.HeadDim
		sum, weights := 0.0, make([]float64, len(k))
		for p := range k {
			for i := range r.HeadDim {
				weights[p] += q[head*r.HeadDim+i] * k[p][shared+i] * float64(r.Scale)
			}
			weights[p] = math.Exp(weights[p])
			sum += weights[p]
		}
		for p := range v {
			for i := range r.HeadDim {
				out[head*r.HeadDim+i] += weights[p] / sum * v[p][shared+i]
			}
		}
	}
	return out
}

func (r reference) norm(name string, x []float64) []float64 {
	squares, y := 0.0, make([]float64, len(x))
	for _, v := range x {
		squares += v * v / float64(len(x))
	}
	for i, v := range x {
		y[i] = v / math.Sqrt(squares+r.Eps) * float64(r.weights[name][i]+r.NormOffset)
	}
	return y
}

// linear is a layer, without a bias where the decoder has none.
func (r reference) linear(weight, bias string, x []float64) []float64 {
	w, b := r.weights[weight], r.weights[bias]
	y := make([]float64, len(w)/len(x))
	for o := range y {
		if b != nil {
			y[o] = float64(b[o])
		}
		for i, v := range x {
			y[o] += v * float64(w[o*len(x)+i])
		}
	}
	return y
}
