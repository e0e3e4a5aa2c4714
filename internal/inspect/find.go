package inspect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// configNames are the files that describe a model, the preferred one first:
// transformers' format and Mistral's own.
var configNames = [...]string{"config.json", "params.json"}

// ConfigNames are the files that describe a model, the preferred one first.
func ConfigNames() []string { return append([]string(nil), configNames[:]...) }

// source is a configuration file and the model it describes.
type source struct{ model, file string }

// find returns the configuration files that path stands for: the file itself, the
// one of a model directory, or those of all model directories in a directory, in
// order of their names. several is true in the last case.
func find(path string) (found []source, several bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, missing(path)
	case err != nil:
		return nil, false, err
	case !info.IsDir() && !info.Mode().IsRegular():
		return nil, false, fmt.Errorf("%s is neither a file nor a directory; name a model's directory or its config file", path)
	case !info.IsDir():
		return []source{{fileModel(path), path}}, false, nil
	}
	if file, ok := configOf(path); ok {
		return []source{{dirModel(path), file}}, false, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, false, err
	}
	for _, e := range entries {
		dir := filepath.Join(path, e.Name())
		if file, ok := configOf(dir); ok {
			found = append(found, source{dirModel(dir), file})
		}
	}
	if len(found) == 0 {
		return nil, false, fmt.Errorf("%s holds no %s, and no directory that holds one; name a model's directory or its config file",
			path, strings.Join(configNames[:], " or "))
	}
	return found, true, nil
}

// configOf returns the configuration file of a model directory, which may also be
// one of the hub's cache: models--org--name/snapshots/REVISION.
func configOf(dir string) (string, bool) {
	for _, name := range configNames {
		if file := filepath.Join(dir, name); isFile(file) {
			return file, true
		}
	}
	revision, err := os.ReadFile(filepath.Join(dir, "refs", "main"))
	if err != nil {
		return "", false
	}
	snapshot := filepath.Join(dir, "snapshots", filepath.Base(strings.TrimSpace(string(revision))))
	for _, name := range configNames {
		if file := filepath.Join(snapshot, name); isFile(file) {
			return file, true
		}
	}
	return "", false
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// hubID is the form of a model's name on the hub.
var hubID = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$`)

// missing is the error for a path that does not exist, which may be a hub id.
func missing(path string) error {
	if hubID.MatchString(path) {
		return fmt.Errorf("%s is not a file or directory here; download it first (hf download %s config.json --local-dir %s) and name that directory",
			path, path, strings.ReplaceAll(path, "/", "__"))
	}
	return fmt.Errorf("%s is not a file or directory here; name a model's directory or its config file", path)
}

// fileModel names the model of a configuration file.
func fileModel(file string) string {
	base := filepath.Base(file)
	for _, name := range configNames {
		if base == name {
			return dirModel(filepath.Dir(file))
		}
	}
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// dirModel names the model of a directory. Directories cannot be called like a
// model on the hub; org__name and the cache's models--org--name stand for org/name.
func dirModel(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs // "." has no name
	}
	if parent := filepath.Dir(dir); filepath.Base(parent) == "snapshots" {
		dir = filepath.Dir(parent)
	}
	name := filepath.Base(dir)
	if rest, ok := strings.CutPrefix(name, "models--"); ok {
		return strings.Replace(rest, "--", "/", 1)
	}
	return strings.Replace(name, "__", "/", 1)
}
