package fingerprint

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"siglab/bench/record"
)

// Bounds of what is hashed of a model: configurations and tokenizers whole, of weights
// the beginning, where a safetensors file lists its tensors.
const (
	mostHashed     = 1 << 20
	mostModelFiles = 500
)

// Model names the files of a model: of a directory, or of a name on the hub, as the cache
// of Hugging Face's own libraries holds it.
func Model(model, cache string) *record.ModelFiles {
	if info, err := os.Stat(model); err == nil && info.IsDir() {
		abs, err := filepath.Abs(model)
		if err != nil {
			abs = model
		}
		return listModel(abs, revisionOf(abs))
	}
	if strings.Count(model, "/") != 1 {
		return &record.ModelFiles{Detail: "it is no directory, and no name on the hub"}
	}
	cached := filepath.Join(cache, "models--"+strings.ReplaceAll(model, "/", "--"))
	revision, err := os.ReadFile(filepath.Join(cached, "refs", "main"))
	if err != nil {
		return &record.ModelFiles{Detail: "it is not in the hub's cache at " + cached}
	}
	name := strings.TrimSpace(string(revision))
	return listModel(filepath.Join(cached, "snapshots", filepath.Base(name)), name)
}

// revisionOf is the revision of a snapshot in the hub's cache, "" of another directory.
func revisionOf(dir string) string {
	if filepath.Base(filepath.Dir(dir)) == "snapshots" {
		return filepath.Base(dir)
	}
	return ""
}

// listModel hashes the files of a directory. Links are followed: the cache is of them.
func listModel(dir, revision string) *record.ModelFiles {
	out := &record.ModelFiles{Dir: dir, Revision: revision}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if path != dir && strings.HasPrefix(entry.Name(), ".") {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		if len(out.Files) == mostModelFiles {
			out.Detail = "it has more files than are listed"
			return filepath.SkipAll
		}
		sum, n, err := fileHash(path, mostHashed)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		out.Files = append(out.Files, record.ModelFile{Name: filepath.ToSlash(name), Size: info.Size(), SHA256: sum, Hashed: n})
		return nil
	})
	if err != nil {
		out.Detail = err.Error()
	}
	return out
}
