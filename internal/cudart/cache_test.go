package cudart

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// fakeCompile counts its calls.
type fakeCompile struct {
	calls atomic.Int32
	cubin []byte
	err   error
}

func (f *fakeCompile) compile() ([]byte, string, error) {
	f.calls.Add(1)
	return f.cubin, "a warning", f.err
}

func testRecipe() recipe {
	return recipe{source: "kernel", arch: "sm_90", options: []string{"-a", "-b"}, driver: "13.0", compiler: "12.9"}
}

func TestCacheHit(t *testing.T) {
	cache := Cache{Dir: filepath.Join(t.TempDir(), "made", "when", "needed")}
	f := &fakeCompile{cubin: []byte("\x7fELF binary")}
	for i, cached := range []bool{false, true, true} {
		cubin, b, err := cache.build(testRecipe(), f.compile)
		if err != nil || b.CacheErr != nil {
			t.Fatal(err, b.CacheErr)
		}
		if !bytes.Equal(cubin, f.cubin) || b.Cached != cached || (b.Log == "") != cached {
			t.Errorf("build %d: %q, %+v", i, cubin, b)
		}
	}
	if n := f.calls.Load(); n != 1 {
		t.Errorf("compiled %d times", n)
	}
	entries, err := os.ReadDir(cache.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != testRecipe().key()+".cubin" || len(testRecipe().key()) != 64 {
		t.Errorf("files %v", entries)
	}
}

// TestCacheOff checks that the zero value keeps nothing.
func TestCacheOff(t *testing.T) {
	t.Chdir(t.TempDir())
	f := &fakeCompile{cubin: []byte("x")}
	for range 2 {
		if _, b, err := (Cache{}).build(testRecipe(), f.compile); err != nil || b.Cached || b.CacheErr != nil {
			t.Fatal(err, b)
		}
	}
	entries, err := os.ReadDir(".")
	if err != nil || len(entries) != 0 || f.calls.Load() != 2 {
		t.Errorf("files %v (%v), compiled %d times", entries, err, f.calls.Load())
	}
}

// TestCacheKey checks that everything that a binary depends on tells keys apart.
func TestCacheKey(t *testing.T) {
	seen := map[string]string{testRecipe().key(): "the same"}
	for name, change := range map[string]func(*recipe){
		"source":           func(r *recipe) { r.source += " " },
		"arch":             func(r *recipe) { r.arch = "sm_90a" },
		"driver":           func(r *recipe) { r.driver = "12.9" },
		"compiler":         func(r *recipe) { r.compiler = "13.0" },
		"versions swapped": func(r *recipe) { r.driver, r.compiler = r.compiler, r.driver },
		"an option less":   func(r *recipe) { r.options = r.options[:1] },
		"order":            func(r *recipe) { r.options = []string{"-b", "-a"} },
		"options joined":   func(r *recipe) { r.options = []string{"-a-b"} },
		"boundary moved":   func(r *recipe) { r.source, r.arch = "kernels", "m_90" },
	} {
		r := testRecipe()
		change(&r)
		if other, ok := seen[r.key()]; ok {
			t.Errorf("%s: the same key as %s", name, other)
		}
		seen[r.key()] = name
	}
}

// TestCacheDamage checks that no damaged entry is used, and that it is replaced.
func TestCacheDamage(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"empty":          func([]byte) []byte { return nil },
		"header alone":   func(b []byte) []byte { return b[:len(entryMagic)+32] },
		"cut short":      func(b []byte) []byte { return b[:len(b)-1] },
		"longer":         func(b []byte) []byte { return append(b, 0) },
		"a bit flipped":  func(b []byte) []byte { b[len(b)-3] ^= 4; return b },
		"checksum wrong": func(b []byte) []byte { b[len(entryMagic)] ^= 1; return b },
		"zeros":          func(b []byte) []byte { clear(b); return b },
		"another format": func(b []byte) []byte { return append([]byte("siglab cubin v9\n"), b[len(entryMagic):]...) },
	} {
		t.Run(name, func(t *testing.T) {
			cache := Cache{Dir: t.TempDir()}
			f := &fakeCompile{cubin: []byte("a binary of some length")}
			if _, _, err := cache.build(testRecipe(), f.compile); err != nil {
				t.Fatal(err)
			}
			file := cache.file(testRecipe().key())
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, damage(content), 0o600); err != nil {
				t.Fatal(err)
			}
			cubin, b, err := cache.build(testRecipe(), f.compile)
			if err != nil || !bytes.Equal(cubin, f.cubin) || b.Cached {
				t.Fatalf("%q, %+v, %v", cubin, b, err)
			}
			if b.CacheErr == nil || !strings.Contains(b.CacheErr.Error(), file) {
				t.Errorf("the damage is not reported with the file: %v", b.CacheErr)
			}
			if _, b, err = cache.build(testRecipe(), f.compile); err != nil || !b.Cached || b.CacheErr != nil {
				t.Errorf("not mended: %+v, %v", b, err)
			}
		})
	}
}

// TestCacheUnusableFolder checks that a module is built without a cache that works.
func TestCacheUnusableFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	for name, unusable := range map[string]string{"a file": file, "below a file": filepath.Join(file, "x"), "not writable": closed} {
		t.Run(name, func(t *testing.T) {
			if unusable == closed {
				if probe, err := os.CreateTemp(closed, ""); err == nil {
					_ = probe.Close()
					t.Skip("this user may write everywhere")
				}
			}
			f := &fakeCompile{cubin: []byte("x")}
			cubin, b, err := Cache{Dir: unusable}.build(testRecipe(), f.compile)
			if err != nil || string(cubin) != "x" {
				t.Fatalf("%q, %v", cubin, err)
			}
			if b.CacheErr == nil || !strings.Contains(b.CacheErr.Error(), unusable) {
				t.Errorf("not reported with the folder: %v", b.CacheErr)
			}
		})
	}
}

// TestCacheRenameFails checks that an entry that cannot be put in place leaves no
// temporary file.
func TestCacheRenameFails(t *testing.T) {
	cache := Cache{Dir: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(cache.file(testRecipe().key()), "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := &fakeCompile{cubin: []byte("x")}
	_, b, err := cache.build(testRecipe(), f.compile)
	if err != nil || b.CacheErr == nil {
		t.Errorf("error %v, of the cache %v", err, b.CacheErr)
	}
	if left, _ := filepath.Glob(filepath.Join(cache.Dir, "*.tmp")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestCacheKeepsNoFailure(t *testing.T) {
	cache := Cache{Dir: t.TempDir()}
	failure := errors.New("does not compile")
	f := &fakeCompile{err: failure}
	for range 2 {
		if _, _, err := cache.build(testRecipe(), f.compile); !errors.Is(err, failure) {
			t.Errorf("error %v", err)
		}
	}
	if n := f.calls.Load(); n != 2 {
		t.Errorf("compiled %d times", n)
	}
}

// TestCacheConcurrent checks that builds at the same time all get the binary.
func TestCacheConcurrent(t *testing.T) {
	cache := Cache{Dir: t.TempDir()}
	f := &fakeCompile{cubin: bytes.Repeat([]byte("binary "), 100_000)}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 10 {
				cubin, b, err := cache.build(testRecipe(), f.compile)
				if err != nil || b.CacheErr != nil || !bytes.Equal(cubin, f.cubin) {
					t.Errorf("%d bytes, %v, %v", len(cubin), err, b.CacheErr)
				}
			}
		})
	}
	wg.Wait()
	if entries, _ := os.ReadDir(cache.Dir); len(entries) != 1 {
		t.Errorf("files %v", entries)
	}
}
