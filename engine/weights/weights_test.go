package weights_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/engine/tensor"
	"siglab/engine/weights"
	"siglab/internal/safetensors"
)

// packed is a matrix that a test looks into.
type packed struct {
	safetensors.Tensor
	values []float32
}

func (p packed) In() int  { return p.Shape[1] }
func (p packed) Out() int { return p.Shape[0] }

// packer keeps what it gets.
type packer struct{}

func (packer) Pack(w safetensors.Tensor) (tensor.Matrix, error) {
	values, err := w.Float32s()
	return packed{w, values}, err
}

// floats is an F32 tensor of ascending values.
func floats(name string, shape ...int) safetensors.Tensor {
	n := 1
	for _, side := range shape {
		n *= side
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i)
	}
	return safetensors.NewF32(name, values, shape...)
}

// save writes a checkpoint of one file.
func save(t *testing.T, dir, name string, tensors ...safetensors.Tensor) {
	t.Helper()
	if err := safetensors.Save(filepath.Join(dir, name), tensors, nil); err != nil {
		t.Fatal(err)
	}
}

// index writes an index by tensor.
func index(t *testing.T, dir string, places map[string]string) {
	t.Helper()
	data, err := json.Marshal(map[string]any{"metadata": map[string]int{"total_size": 1}, "weight_map": places})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string, l weights.Layout) *weights.Loader {
	t.Helper()
	c, err := weights.Open(dir, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return weights.NewLoader(c, packer{})
}

// TestLoad: tensors come by the code's names, in the shapes that it asks for, from one
// file and from several.
func TestLoad(t *testing.T) {
	layout := weights.Layout{
		Prefixes: []weights.Prefix{{Stored: "model.text.", Name: "text."}, {Stored: "tower.inner.", Name: "tower."}},
		Unused:   []string{"head."},
	}
	all := []safetensors.Tensor{
		floats("model.text.norm", 3), floats("tower.inner.kernel", 2, 3, 2, 2), floats("tower.qkv", 6, 2),
		floats("projection", 2, 3), floats("head.probe", 1), floats("a.position_ids", 4), floats("b.rotary_emb.inv_freq", 4),
	}
	single, sharded := t.TempDir(), t.TempDir()
	save(t, single, "model.safetensors", all...)
	places := map[string]string{}
	for i, tensor := range all {
		shard := fmt.Sprintf("model-%d.safetensors", i%2)
		places[tensor.Name] = shard
	}
	save(t, sharded, "model-0.safetensors", all[0], all[2], all[4], all[6])
	save(t, sharded, "model-1.safetensors", all[1], all[3], all[5])
	index(t, sharded, places)
	for _, dir := range []string{single, sharded} {
		l := open(t, dir, layout)
		if diff := cmp.Diff([]float32{0, 1, 2}, l.Vector("text.norm", 3)); diff != "" {
			t.Errorf("vector (-want +got):\n%s", diff)
		}
		kernel := l.Matrix("tower.kernel", 2, 3, 2, 2)
		if kernel.Out() != 2 || kernel.In() != 12 {
			t.Errorf("kernel is [%d, %d], want [2, 12]", kernel.Out(), kernel.In())
		}
		if diff := cmp.Diff([]float32{4, 5, 6, 7}, l.Rows("tower.qkv", 6, 2, 2, 2).(packed).values); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]float32{0, 3, 1, 4, 2, 5}, l.Transposed("projection", 2, 3).(packed).values); diff != "" {
			t.Errorf("transposed (-want +got):\n%s", diff)
		}
		warnings, err := l.Finish()
		if err != nil || warnings != nil {
			t.Errorf("error %v, warnings %v", err, warnings)
		}
		if want := int64(4 * (3 + 24 + 4 + 6)); l.Bytes() != want {
			t.Errorf("%d bytes, want %d", l.Bytes(), want)
		}
	}
}

// TestFinish: all that is wrong is in one error, each thing once; what is too much is
// a warning.
func TestFinish(t *testing.T) {
	dir := t.TempDir()
	broken := floats("inf", 2)
	copy(broken.Data[4:], []byte{0, 0, 0x80, 0xff})
	whole := safetensors.Tensor{Name: "whole", DType: safetensors.I32, Shape: []int{1}, Data: make([]byte, 4)}
	save(t, dir, "model.safetensors", floats("good", 2, 2), floats("bad", 2, 3), floats("surprise", 1), broken, whole)

	l := open(t, dir, weights.Layout{})
	l.Matrix("good", 2, 2)
	if warnings, err := l.Finish(); err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "4 tensors of the checkpoint are not used: bad, inf, surprise, whole") {
		t.Errorf("error %v, warnings %q", err, warnings)
	}

	l = open(t, dir, weights.Layout{})
	l.Matrix("good", 2, 2)
	for range 2 {
		if m := l.Rows("bad", 3, 2, 0, 1); m != nil {
			t.Errorf("a misshapen matrix is %v", m)
		}
		l.Vector("gone", 1)
	}
	l.Vector("inf", 2)
	l.Vector("whole", 1)
	_, err := l.Finish()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"1 tensors are missing: gone;", `"bad": has shape [2 3], want [3 2]`, `"inf": value 1 is not finite`, `"whole": is I32`, "not used: surprise"} {
		if strings.Count(err.Error(), want) != 1 {
			t.Errorf("error has not %q once: %v", want, err)
		}
	}
}

// TestOpenErrors: directories that hold no checkpoint, or a broken one.
func TestOpenErrors(t *testing.T) {
	write := func(name, data string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	const indexName = "model.safetensors.index.json"
	for _, test := range []struct {
		why   string
		build func(t *testing.T, dir string)
		want  string
	}{
		{"nothing", func(*testing.T, string) {}, "neither model.safetensors nor"},
		{"another format", write("pytorch_model.bin", "x"), "save the model again"},
		{"a broken file", write("model.safetensors", "x"), "want at least 8"},
		{"an index that is no JSON", write(indexName, "{"), "unexpected end"},
		{"an index of nothing", write(indexName, "{}"), "no weight_map"},
		{"a shard that is not there", func(t *testing.T, dir string) { index(t, dir, map[string]string{"a": "model-1.safetensors"}) }, "model-1.safetensors"},
		{"a shard in another directory", func(t *testing.T, dir string) { index(t, dir, map[string]string{"a": "../x.safetensors"}) }, "outside of the model's directory"},
		{"a shard by absolute path", func(t *testing.T, dir string) { index(t, dir, map[string]string{"a": "/etc/passwd"}) }, "outside of the model's directory"},
		{"a shard by Windows' paths", func(t *testing.T, dir string) { index(t, dir, map[string]string{"a": `..\x`}) }, "outside of the model's directory"},
		{"a shard that has not its tensor", func(t *testing.T, dir string) {
			save(t, dir, "s.safetensors", floats("b", 1))
			index(t, dir, map[string]string{"a": "s.safetensors"})
		}, `no tensor "a"`},
		{"two layouts at once", func(t *testing.T, dir string) { save(t, dir, "model.safetensors", floats("a.x", 1), floats("b.x", 1)) }, `"a.x" and "b.x" are two`},
	} {
		t.Run(test.why, func(t *testing.T) {
			dir := t.TempDir()
			test.build(t, dir)
			c, err := weights.Open(dir, weights.Layout{Prefixes: []weights.Prefix{{Stored: "b.", Name: "a."}}})
			if err == nil {
				_ = c.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// TestValues: types are widened, and the code's names may be the files'.
func TestValues(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, "model.safetensors",
		safetensors.Tensor{Name: "bf16", DType: safetensors.BF16, Shape: []int{2}, Data: []byte{0x80, 0x3f, 0, 0xc0}},
		safetensors.Tensor{Name: "f16", DType: safetensors.F16, Shape: []int{1}, Data: []byte{0, 0x3c}})
	l := open(t, dir, weights.Layout{})
	if diff := cmp.Diff([][]float32{{1, -2}, {1}}, [][]float32{l.Vector("bf16", 2), l.Vector("f16", 1)}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if l.Bytes() != 12 {
		t.Errorf("%d bytes, want 12", l.Bytes())
	}
}
