package vlm_test

import (
	"fmt"
	"testing"

	"siglab/engine/vlm"
	"siglab/posembed"
)

// BenchmarkRequest times a request from pixels to the 32nd token on one thread, and
// its parts. random:tiny is to take at most 25 ms of a core.
func BenchmarkRequest(b *testing.B) {
	const text = "Describe this image in detail. Say what is in the foreground and what is behind it."
	for _, mode := range posembed.Modes() {
		b.Run(fmt.Sprintf("part=all/mode=%v", mode), func(b *testing.B) {
			m := open(b, mode, 1)
			px := picture(1)
			for b.Loop() {
				features, _, err := m.EncodeImage(px)
				if err != nil {
					b.Fatal(err)
				}
				answer(b, m, text, features, 32)
			}
		})
	}
	m := open(b, posembed.Exact, 1)
	image := encode(b, m, 1)
	b.Run("part=encode/mode=exact", func(b *testing.B) {
		px := picture(1)
		for b.Loop() {
			if _, _, err := m.EncodeImage(px); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run(fmt.Sprintf("part=prefill/tokens=%d", len(question(m, text))), func(b *testing.B) {
		for b.Loop() {
			prefill(b, m, text, image)
		}
	})
	for _, batch := range []int{1, 8} {
		b.Run(fmt.Sprintf("part=step/batch=%d", batch), func(b *testing.B) { benchmarkStep(b, m, image, batch) })
	}
}

// benchmarkStep times a decode step of so many sequences, made anew when full.
func benchmarkStep(b *testing.B, m *vlm.Model, image vlm.Features, batch int) {
	seqs, tokens, logits := make([]*vlm.Sequence, batch), make([]int, batch), make([][]float32, batch)
	left := 0
	for b.Loop() {
		if left == 0 {
			b.StopTimer()
			for i := range seqs {
				seqs[i], logits[i] = prefill(b, m, "Why?", image)
				tokens[i] = 300 + i
			}
			left = 64
			b.StartTimer()
		}
		if err := m.Step(seqs, tokens, logits); err != nil {
			b.Fatal(err)
		}
		left--
	}
}
