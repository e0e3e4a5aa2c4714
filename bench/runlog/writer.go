package runlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"siglab/bench/record"
	"siglab/internal/filelock"
)

// Writer fills a run directory. It is for one goroutine.
type Writer struct {
	dir          string
	observations *os.File
	telemetry    *os.File
}

// Create makes a run directory. A directory that holds anything is refused, so
// that two runs are never mixed.
func Create(dir string) (*Writer, error) {
	empty, err := isEmptyDir(dir)
	if err != nil {
		return nil, fmt.Errorf("run directory: %w", err)
	}
	if !empty {
		return nil, fmt.Errorf("run directory %s is not empty; name another with --out, or remove it", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("run directory: %w", err)
	}
	w := &Writer{dir: dir}
	if w.observations, err = openAppend(dir, ObservationsFile); err != nil {
		return nil, err
	}
	if w.telemetry, err = openAppend(dir, TelemetryFile); err == nil {
		err = own(w.observations)
	}
	if err != nil {
		_ = w.Close() // nothing was written yet
		return nil, err
	}
	return w, nil
}

// Resume opens the run directory of a run that ended early, to append to it, and
// reads what is there. A last line that was cut off is taken away first. A run that
// another process is still writing is refused.
func Resume(dir string) (*Writer, record.Run, error) {
	run, err := Read(dir)
	if err != nil {
		return nil, run, err
	}
	w := &Writer{dir: dir}
	if w.observations, err = openAppend(dir, ObservationsFile); err != nil {
		return nil, run, err
	}
	if w.telemetry, err = openAppend(dir, TelemetryFile); err == nil {
		err = errors.Join(own(w.observations), endLine(dir, ObservationsFile), endLine(dir, TelemetryFile))
	}
	if err == nil {
		// Once more, now that nobody else writes: the lines that were whole.
		run, err = Read(dir)
	}
	if err != nil {
		_ = w.Close() // nothing was written
		return nil, run, fmt.Errorf("resume %s: %w", dir, err)
	}
	return w, run, nil
}

// endLine cuts a file off behind its last whole line.
func endLine(dir, name string) error {
	path := filepath.Join(dir, name)
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.Truncate(path, int64(bytes.LastIndexByte(data, '\n')+1))
}

func openAppend(dir, name string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("run directory: %w", err)
	}
	return f, nil
}

// Manifest replaces manifest.json.
func (w *Writer) Manifest(m record.Manifest) error {
	m.SHA256 = noSum
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", ManifestFile, err)
	}
	data = signed(append(data, '\n'))
	return WriteFile(filepath.Join(w.dir, ManifestFile), func(out io.Writer) error {
		_, err := out.Write(data)
		return err
	})
}

// Workload writes workload.jsonl.
func (w *Writer) Workload(items []record.Item) error {
	f, err := openAppend(w.dir, WorkloadFile)
	if err != nil {
		return err
	}
	return errors.Join(appendLines(f, items), f.Close())
}

// Thumbnails writes thumbnails.jsonl.
func (w *Writer) Thumbnails(thumbnails []record.Thumbnail) error {
	if len(thumbnails) == 0 {
		return nil
	}
	f, err := openAppend(w.dir, ThumbnailsFile)
	if err != nil {
		return err
	}
	return errors.Join(appendLines(f, thumbnails), f.Close())
}

// Telemetry appends a block's samples and makes them durable.
func (w *Writer) Telemetry(samples []record.Sample) error {
	return appendLines(w.telemetry, samples)
}

// ReadBack reads the observations of those blocks that count, all of which have ended.
// What a run has seen is on disk, not in its memory.
func (w *Writer) ReadBack(blocks []record.Block) ([]record.Observation, error) {
	rows, warnings, err := readObservations(filepath.Join(w.dir, ObservationsFile), blocks)
	if err == nil && len(warnings) > 0 {
		err = fmt.Errorf("read back what was measured: %s", strings.Join(warnings, "; "))
	}
	counts := map[int]bool{}
	for _, b := range blocks {
		counts[b.ID] = b.Void == ""
	}
	return slices.DeleteFunc(rows, func(o record.Observation) bool { return !counts[o.Block] }), err
}

// Close closes the files; everything that was appended is on disk already.
func (w *Writer) Close() error {
	if w.telemetry == nil { // opening it failed
		return w.observations.Close()
	}
	return errors.Join(w.observations.Close(), w.telemetry.Close())
}

// own keeps other processes from writing the run directory until the file is closed or
// the process ends, however it ends.
func own(f *os.File) error {
	err := filelock.Lock(f)
	if errors.Is(err, filelock.ErrHeld) {
		return errors.New("another siglab is still writing this run directory; wait for it, or end it")
	}
	return err
}
