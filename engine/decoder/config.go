package decoder

import "math"

// Config is a decoder's shape. The families of decoders differ in what it says; one
// implementation computes them all.
type Config struct {
	Hidden       int // values of a position
	Layers       int // blocks
	Heads        int // query heads of a block; a multiple of KVHeads
	KVHeads      int // key and value heads of a block
	HeadDim      int // values of a head, an even number
	MLP          int // hidden values of a block's MLP
	Vocab        int // tokens
	MaxPositions int // the longest sequence that the model was made for

	Eps            float64    // of the norms
	Activation     Activation // of the gate
	EmbeddingScale float32    // that token embeddings are multiplied by
	TiedHead       bool       // whether the head's matrix is the embeddings
	Biases         Biases
	Norms          Norms
	NormOffset     float32 // added to the weights of norms: 1 in Gemma's

	Scale         float32 // of attention scores
	FirstPosition int     // of a sequence, as the rotary angles count: 1 in PaliGemma
	Rotary        Rotary  // of blocks that see everything
	Local         Rotary  // of blocks that see a window
	Windows       []int   // [Layers] positions that a row sees, itself included; 0 for all
}

// Activation is the function that a block's gate goes through.
type Activation uint8

// The activations, with transformers' names.
const (
	SiLU     Activation = iota // silu
	GELUTanh                   // gelu_pytorch_tanh
)

// Biases says which layers of a block have one.
type Biases uint8

// The choices.
const (
	NoBias        Biases = 0
	QueryKeyValue Biases = 1 << 0 // Qwen2
	AttentionOut  Biases = 1 << 1 // Llama with attention_bias, along with QueryKeyValue
	GatedMLP      Biases = 1 << 2 // Llama with mlp_bias
)

// Norms says where a block has norms.
type Norms uint8

// The placements.
const (
	PreNorm      Norms = iota // before attention and before the MLP
	SandwichNorm              // also behind each of them, and of every query and key: Gemma 3
)

// Rotary is how positions turn queries and keys: the pair i of a head of d values by
// position·frequency, with the frequency Theta^(−2i/d), changed as Scaling says.
type Rotary struct {
	Theta   float64
	Scaling Scaling
	Factor  float64 // of Linear and Llama3

	// Llama3's: where the slow frequencies begin and the fast ones end, in turns over
	// the Original length.
	Low, High, Original float64
}

// Scaling stretches rotary positions to longer texts than a model was trained with.
type Scaling uint8

// The scalings, with transformers' names.
const (
	NoScaling Scaling = iota // default
	Linear                   // linear: all frequencies divided by Factor
	Llama3                   // llama3: only the slow ones
)

// frequencies are the dim/2 angles of one position. They are rounded to float32 at
// every step, as transformers computes them, because an angle is a frequency times up
// to a hundred thousand.
func (r Rotary) frequencies(dim int) []float32 {
	f := make([]float32, dim/2)
	for i := range f {
		exponent := float32(2*i) / float32(dim)
		f[i] = 1 / float32(math.Pow(r.Theta, float64(exponent)))
		switch r.Scaling {
		case Linear:
			f[i] /= float32(r.Factor)
		case Llama3:
			f[i] = r.llama3(f[i])
		}
	}
	return f
}

// llama3 keeps a frequency that turns at least High times over the original length,
// divides one that turns less than Low times, and blends between.
func (r Rotary) llama3(frequency float32) float32 {
	turns := r.Original * float64(frequency) / (2 * math.Pi)
	switch {
	case turns > r.High:
		return frequency
	case turns < r.Low:
		return float32(float64(frequency) / r.Factor)
	}
	smooth := (turns - r.Low) / (r.High - r.Low)
	return float32((1-smooth)*float64(frequency)/r.Factor + smooth*float64(frequency))
}
