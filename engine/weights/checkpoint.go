// Package weights loads the tensors of published checkpoints: one safetensors file, or
// several with an index, as Hugging Face's transformers writes them.
//
// Every file is checked before any of its data is touched. A Loader then hands out
// tensors by the names that a model's code uses, and collects what is missing, has
// another shape or type, or holds values that are not finite: one error has it all.
package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"siglab/internal/safetensors"
)

// The files of a checkpoint.
const (
	singleFile = "model.safetensors"
	indexFile  = "model.safetensors.index.json"
)

// maxIndex bounds an index; those of the largest published models have some megabytes.
const maxIndex = 64 << 20

// Layout says how an architecture's checkpoints name what its code loads.
type Layout struct {
	// Prefixes translate stored names. The first that begins a name is replaced;
	// several may lead to one beginning, since layouts changed over the years.
	Prefixes []Prefix
	// Unused are beginnings of names, translated ones, that checkpoints of the
	// architecture may hold and its computation does not need.
	Unused []string
}

// Prefix is the beginning of a stored name and what stands for it in the code.
type Prefix struct{ Stored, Name string }

// rename is the name in the code of a stored tensor.
func (l Layout) rename(stored string) string {
	for _, p := range l.Prefixes {
		if rest, ok := strings.CutPrefix(stored, p.Stored); ok {
			return p.Name + rest
		}
	}
	return stored
}

// unused reports whether a tensor is known, but not needed. Buffers that old versions
// of transformers saved hold nothing that was learned.
func (l Layout) unused(name string) bool {
	if strings.HasSuffix(name, ".position_ids") || strings.HasSuffix(name, ".rotary_emb.inv_freq") {
		return true
	}
	return slices.ContainsFunc(l.Unused, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// Checkpoint is an opened checkpoint: all of its files are mapped and checked.
type Checkpoint struct {
	dir     string
	layout  Layout
	files   []*safetensors.File
	tensors map[string]stored // by the names of the code
}

// stored is a tensor with the file that holds it.
type stored struct {
	safetensors.Tensor
	file *safetensors.File
}

// Open opens the checkpoint of a model's directory. Close it when the tensors are
// loaded.
func Open(dir string, layout Layout) (*Checkpoint, error) {
	c := &Checkpoint{dir: dir, layout: layout, tensors: map[string]stored{}}
	err := c.open()
	if err != nil {
		return nil, fmt.Errorf("open the weights: %w", errors.Join(err, c.Close()))
	}
	return c, nil
}

// Close unmaps the files.
func (c *Checkpoint) Close() error {
	var errs []error
	for _, f := range c.files {
		errs = append(errs, f.Close())
	}
	c.files, c.tensors = nil, nil
	return errors.Join(errs...)
}

func (c *Checkpoint) open() error {
	single := filepath.Join(c.dir, singleFile)
	if _, err := os.Stat(single); err == nil {
		f, err := safetensors.Open(single)
		if err != nil {
			return err
		}
		return c.add(f, f.Names())
	}
	index, err := readIndex(filepath.Join(c.dir, indexFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("neither %s nor %s is there%s", singleFile, indexFile, c.otherFormat())
	}
	if err != nil {
		return err
	}
	for _, shard := range slices.Sorted(maps.Keys(index)) {
		f, err := safetensors.Open(filepath.Join(c.dir, shard))
		if err != nil {
			return fmt.Errorf("%s names it: %w", indexFile, err)
		}
		if err := c.add(f, index[shard]); err != nil {
			return err
		}
	}
	return nil
}

// otherFormat is a hint where the weights are there in a format that is not read.
func (c *Checkpoint) otherFormat() string {
	found, err := filepath.Glob(filepath.Join(globEscape(c.dir), "pytorch_model*"))
	if err != nil || len(found) == 0 {
		return ""
	}
	return fmt.Sprintf(", but %s: save the model again with save_pretrained(…, safe_serialization=True)", filepath.Base(found[0]))
}

// globEscape keeps the special characters of a path out of a pattern.
func globEscape(path string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// add takes the named tensors of a file, which belongs to the checkpoint from now on.
func (c *Checkpoint) add(f *safetensors.File, names []string) error {
	c.files = append(c.files, f)
	for _, name := range names {
		t, err := f.Tensor(name)
		if err != nil {
			return fmt.Errorf("%s places it there: %w", indexFile, err)
		}
		canonical := c.layout.rename(name)
		if other, twice := c.tensors[canonical]; twice {
			return fmt.Errorf("tensors %q and %q are two layouts' names of one tensor", other.Name, name)
		}
		c.tensors[canonical] = stored{t, f}
	}
	return nil
}

// readIndex is the names of tensors by the shard that holds them. Shards are files of
// the model's directory: names that lead out of it are refused.
func readIndex(path string) (map[string][]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxIndex {
		return nil, fmt.Errorf("%s has %d bytes: want at most %d", indexFile, info.Size(), maxIndex)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseIndex(data)
}

func parseIndex(data []byte) (map[string][]string, error) {
	var index struct {
		Places map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("%s: %w", indexFile, err)
	}
	if len(index.Places) == 0 {
		return nil, fmt.Errorf("%s has no weight_map", indexFile)
	}
	shards := map[string][]string{}
	for name, shard := range index.Places {
		if !filepath.IsLocal(shard) || strings.ContainsAny(shard, `\:`) {
			return nil, fmt.Errorf("%s places tensor %q in %q, outside of the model's directory", indexFile, name, shard)
		}
		shards[shard] = append(shards[shard], name)
	}
	for _, names := range shards {
		slices.Sort(names)
	}
	return shards, nil
}
