// Package runlog writes and reads the run directory: the files from which every
// result of a run can be computed again.
//
//	manifest.json       what was asked for, the environment, the measured blocks
//	workload.jsonl      one frozen request per line
//	observations.jsonl  what was seen of one request per line, appended per block
//	telemetry.jsonl     readings of the server's process tree
//	kernel_times.json   times of the kernels that were measured apart, if any were
//	thumbnails.jsonl    small copies of the images, for people; not part of any result
//
// Whole files are written by temporary file, fsync and rename, so that a reader
// finds the old or the new one and never half of either. The line files are only
// appended to; a last line that a crash cut off is a warning, not an error.
package runlog

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Names of the files in a run directory.
const (
	ManifestFile     = "manifest.json"
	WorkloadFile     = "workload.jsonl"
	ObservationsFile = "observations.jsonl"
	TelemetryFile    = "telemetry.jsonl"
	ThumbnailsFile   = "thumbnails.jsonl"
	KernelTimesFile  = "kernel_times.json"
)

// WriteFile writes a whole file so that it is there entirely or not at all.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	defer func() {
		if err != nil {
			_ = tmp.Close() // the first error is the one to report
			_ = os.Remove(tmp.Name())
			err = fmt.Errorf("write %s: %w", filepath.Base(path), err)
		}
	}()
	buffered := bufio.NewWriter(tmp)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// writeJSON writes v as an indented JSON document.
func writeJSON(path string, v any) error {
	return WriteFile(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	})
}

// isEmptyDir reports whether dir holds nothing; a directory that does not exist
// holds nothing.
func isEmptyDir(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return len(entries) == 0, err
}
