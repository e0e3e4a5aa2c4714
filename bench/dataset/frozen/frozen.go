// Package frozen keeps the rows of a data set in a folder that another machine can
// replay exactly:
//
//	frozen.json        where the rows come from, and every row with the hash of its image
//	images/HASH.jpeg   the images, each once, named by their SHA-256
//
// Everything is checked against the hashes when it is read; a folder in which anything
// was changed does not open.
package frozen

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"siglab/bench/dataset"
)

// File is the name of the manifest in the folder; a folder that has it is a frozen set.
const File = "frozen.json"

const version = 1

// Bounds of a manifest.
const (
	mostManifest = 1 << 30
	mostRows     = 5_000_000
)

// manifest is what frozen.json holds.
type manifest struct {
	Version int           `json:"version"`
	Source  dataset.About `json:"source"` // of the set that was frozen
	SHA256  string        `json:"sha256"` // over the rows, as in dataset.HashRows
	Rows    []row         `json:"rows"`
}

type row struct {
	ID       string `json:"id"`
	Prompt   string `json:"prompt"`
	Language string `json:"language,omitempty"`
	Image    string `json:"image"` // file in the folder, slash-separated
	SHA256   string `json:"image_sha256"`
	MIME     string `json:"image_mime"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
}

// Write freezes rows of a set, in this order, in a folder that is new or empty.
func Write(dir string, about dataset.About, rows []dataset.Row) error {
	if len(rows) == 0 {
		return errors.New("freeze a data set: there are no rows")
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("freeze a data set: %s is not empty; name a new folder", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("freeze a data set: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "images"), 0o755); err != nil {
		return fmt.Errorf("freeze a data set: %w", err)
	}
	m := manifest{Version: version, Source: about, SHA256: dataset.HashRows(rows)}
	written := map[string]bool{}
	for _, r := range rows {
		file := path.Join("images", r.Image.SHA256+"."+strings.TrimPrefix(r.Image.MIME, "image/"))
		m.Rows = append(m.Rows, row{r.ID, r.Prompt, r.Language, file, r.Image.SHA256, r.Image.MIME, r.Image.Width, r.Image.Height})
		if written[file] {
			continue
		}
		written[file] = true
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(file)), r.Image.Data, 0o644); err != nil {
			return fmt.Errorf("freeze row %s: %w", r.ID, err)
		}
	}
	data, err := json.MarshalIndent(m, "", " ")
	if err == nil { // last: a folder without it is not taken for a whole one
		err = os.WriteFile(filepath.Join(dir, File), append(data, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("freeze a data set: %w", err)
	}
	return nil
}

// Open reads a frozen folder; name opens the set again. Its deck has the order of the
// manifest at first. Anything that differs from a hash is an error.
func Open(dir, name string) (*dataset.Set, error) {
	m, err := readManifest(filepath.Join(dir, File))
	if err != nil {
		return nil, fmt.Errorf("frozen data set %s: %w", dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("frozen data set %s: %w", dir, err)
	}
	defer func() { _ = root.Close() }() // opened for reading
	images := map[string]dataset.Image{}
	var rows []dataset.Row
	for _, r := range m.Rows {
		img, ok := images[r.SHA256]
		if !ok {
			if img, err = readImage(root.FS(), r); err != nil {
				return nil, fmt.Errorf("frozen data set %s: row %.80q: image %.100s: %w", dir, r.ID, r.Image, err)
			}
			images[r.SHA256] = img
		}
		if strings.TrimSpace(r.Prompt) == "" {
			return nil, fmt.Errorf("frozen data set %s: row %.80q has an empty prompt", dir, r.ID)
		}
		rows = append(rows, dataset.Row{ID: r.ID, Prompt: r.Prompt, Language: r.Language, Image: img})
	}
	if sum := dataset.HashRows(rows); sum != m.SHA256 {
		return nil, fmt.Errorf("frozen data set %s: the rows of %s were changed: their SHA-256 is %s, it says %.64s", dir, File, sum, m.SHA256)
	}
	about := m.Source
	about.Name = name
	about.Selection = fmt.Sprintf("frozen from %s: %s", m.Source.Name, m.Source.Selection)
	return dataset.NewSet(about, rows, true), nil
}

var hexHash = regexp.MustCompile(`^[0-9a-f]{64}$`)

func readManifest(file string) (m manifest, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return m, err
	}
	if info.Size() > mostManifest {
		return m, fmt.Errorf("%s has %d bytes, at most %d", File, info.Size(), mostManifest)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return m, err
	}
	return parseManifest(data)
}

func parseManifest(data []byte) (m manifest, err error) {
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%s: %w", File, err)
	}
	switch {
	case m.Version != version:
		return m, fmt.Errorf("%s has version %d, this program reads %d", File, m.Version, version)
	case len(m.Rows) == 0 || len(m.Rows) > mostRows:
		return m, fmt.Errorf("%s has %d rows", File, len(m.Rows))
	}
	for _, r := range m.Rows {
		if !hexHash.MatchString(r.SHA256) || !fs.ValidPath(r.Image) || r.Image == "." {
			return m, fmt.Errorf("%s: row %.80q names image %.100q, hash %.70q", File, r.ID, r.Image, r.SHA256)
		}
	}
	return m, nil
}

// readImage reads an image and checks everything that its row says.
func readImage(folder fs.FS, r row) (dataset.Image, error) {
	info, err := fs.Stat(folder, r.Image)
	if err != nil {
		return dataset.Image{}, err
	}
	if !info.Mode().IsRegular() || info.Size() > dataset.MostImageBytes {
		return dataset.Image{}, fmt.Errorf("it is no file of at most %d bytes", dataset.MostImageBytes)
	}
	data, err := fs.ReadFile(folder, r.Image)
	if err != nil {
		return dataset.Image{}, err
	}
	img, _, err := dataset.Inspect(data)
	if err != nil {
		return dataset.Image{}, err
	}
	if img.SHA256 != r.SHA256 || img.MIME != r.MIME || img.Width != r.Width || img.Height != r.Height {
		return dataset.Image{}, fmt.Errorf("it was changed: it is %s of %dx%d pixels with SHA-256 %s, the manifest says %.40s of %dx%d with %s",
			img.MIME, img.Width, img.Height, img.SHA256, r.MIME, r.Width, r.Height, r.SHA256)
	}
	img.Name = r.Image
	return img, nil
}
