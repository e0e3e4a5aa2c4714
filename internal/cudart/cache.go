package cudart

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Cache keeps compiled modules in a folder, so that a process need not compile what
// an earlier one did. Processes may share it, at once too. Its files are code that
// the GPU runs: only who may change the program should be able to write there.
// Entries are never removed; the folder may be at any time.
type Cache struct {
	Dir string // made when needed; "" keeps nothing
}

// recipe is all that a compiled module depends on.
type recipe struct {
	source, arch     string
	options          []string
	driver, compiler string // versions
}

// key is the recipe's name in a cache.
func (r recipe) key() string {
	h := sha256.New()
	parts := append([]string{r.source, r.arch, r.driver, r.compiler}, r.options...)
	for _, part := range parts { // each behind its length, so that none runs into the next
		var length [8]byte
		binary.LittleEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Build tells how a module came about.
type Build struct {
	Key      string // the hash of source, options, architecture and versions
	Arch     string
	Compiler string // its version
	Cached   bool   // whether the cache had it
	Log      string // the compiler's warnings, if it was compiled now
	// CacheErr says why the cache was of no use: an entry was damaged, or could not be
	// read or written. The module is good all the same.
	CacheErr error
}

// build gives the binary of a recipe: the cache's, or a new one that is then kept.
func (c Cache) build(r recipe, compile func() (cubin []byte, log string, err error)) ([]byte, Build, error) {
	b := Build{Key: r.key(), Arch: r.arch, Compiler: r.compiler}
	if c.Dir != "" {
		cubin, err := c.load(b.Key)
		if err == nil {
			b.Cached = true
			return cubin, b, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			b.CacheErr = err
		}
	}
	cubin, log, err := compile()
	b.Log = log
	if err != nil {
		return nil, b, err
	}
	if c.Dir != "" {
		b.CacheErr = errors.Join(b.CacheErr, c.store(b.Key, cubin))
	}
	return cubin, b, nil
}

// entryMagic begins a file of the cache. The SHA-256 of the binary follows, then the
// binary.
const entryMagic = "siglab cubin v1\n"

func (c Cache) file(key string) string { return filepath.Join(c.Dir, key+".cubin") }

// load reads an entry. One that is not there is an fs.ErrNotExist.
func (c Cache) load(key string) ([]byte, error) {
	name := c.file(key)
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read a compiled module: %w", err)
	}
	rest, ok := bytes.CutPrefix(content, []byte(entryMagic))
	if !ok || len(rest) <= sha256.Size {
		return nil, fmt.Errorf("compiled module %s: not a whole file of this cache", name)
	}
	sum, cubin := rest[:sha256.Size], rest[sha256.Size:]
	if got := sha256.Sum256(cubin); !bytes.Equal(got[:], sum) {
		return nil, fmt.Errorf("compiled module %s: its checksum is wrong", name)
	}
	return cubin, nil
}

// store writes an entry, whole or not at all: readers see the old file or the new.
func (c Cache) store(key string, cubin []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("keep a compiled module: %w", err)
		}
	}()
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(c.Dir, key+".*.tmp")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(cubin)
	_, err = f.Write(append(append([]byte(entryMagic), sum[:]...), cubin...))
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), c.file(key))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
