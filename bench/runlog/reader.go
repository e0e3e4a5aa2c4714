package runlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"siglab/bench/record"
)

// Read reads a run directory. Files that a crash left incomplete give warnings
// in the result; a directory that is not a run, or is from a newer version, is
// an error.
func Read(dir string) (record.Run, error) {
	var run record.Run
	var warnings []string
	var err error
	if run.Manifest, err = ReadManifest(dir); err != nil {
		return run, err
	}
	run.Observations, warnings, err = readObservations(filepath.Join(dir, ObservationsFile), run.Manifest.Blocks)
	if err != nil {
		return run, err
	}
	run.Warnings = append(run.Warnings, warnings...)
	run.Telemetry, warnings, err = readLines[record.Sample](filepath.Join(dir, TelemetryFile))
	run.Warnings = append(run.Warnings, warnings...)
	if err != nil {
		return run, err
	}
	if run.Sizes, err = readSizes(dir); err != nil {
		return run, err
	}
	run.KernelTimes, err = readKernelTimes(dir)
	return run, err
}

// readSizes reads how large the images of the workload are. A workload that is missing
// or cut off is no fault of the measurement.
func readSizes(dir string) (map[string][2]int, error) {
	var sizes map[string][2]int
	_, err := EachItem(dir, func(item record.Item) {
		if sizes == nil {
			sizes = map[string][2]int{}
		}
		sizes[item.ID] = item.ImageSize
	})
	return sizes, err
}

// ReadManifest reads what a run was and how far it came.
func ReadManifest(dir string) (record.Manifest, error) {
	var m record.Manifest
	data, err := os.ReadFile(filepath.Join(dir, ManifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%s is not a run directory: it has no %s", dir, ManifestFile)
	}
	if err != nil {
		return m, fmt.Errorf("read run: %w", err)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("read run: %s: %w", filepath.Join(dir, ManifestFile), err)
	}
	if v := m.Version; v != record.ManifestVersion {
		return m, fmt.Errorf("read run: %s has version %d and this siglab reads version %d; use the siglab that wrote it (%s)",
			ManifestFile, v, record.ManifestVersion, m.Siglab)
	}
	if err := checkSum(data, m.SHA256); err != nil {
		return m, fmt.Errorf("read run: %s: %w", filepath.Join(dir, ManifestFile), err)
	}
	m.SHA256 = ""
	return m, nil
}

// EachItem calls do with every frozen request, without its body. A workload may be
// larger than what is wanted of it.
func EachItem(dir string, do func(record.Item)) (warnings []string, err error) {
	return eachLine(filepath.Join(dir, WorkloadFile), func(line []byte) error {
		var item record.Item
		if err := json.Unmarshal(line, &item); err != nil {
			return err
		}
		do(item)
		return nil
	})
}

// ReadThumbnails reads the small copies of the images by the images' hashes. Runs of
// earlier versions have none.
func ReadThumbnails(dir string) (map[string][]byte, error) {
	rows, _, err := readLines[record.Thumbnail](filepath.Join(dir, ThumbnailsFile))
	out := map[string][]byte{}
	for _, t := range rows {
		out[t.ImageHash] = t.JPEG
	}
	return out, err
}

// readLines reads one JSON document per line.
func readLines[T any](path string) (rows []T, warnings []string, err error) {
	warnings, err = eachLine(path, func(line []byte) error {
		var row T
		if err := json.Unmarshal(line, &row); err != nil {
			return err
		}
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return rows, warnings, nil
}

// eachLine calls parse with every line that is not blank; the bytes are its own until
// it returns. A last line without its newline that does not parse is a warning (the
// writer was killed in it); any other bad line is an error. A missing file is a
// warning.
func eachLine(path string, parse func([]byte) error) (warnings []string, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return []string{filepath.Base(path) + " is missing"}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read run: %w", err)
	}
	defer func() { _ = f.Close() }() // opened for reading
	in := bufio.NewReaderSize(f, 1<<16)
	var long []byte // a line longer than the reader's buffer, put together
	for n := 1; ; n++ {
		line, readErr := in.ReadSlice('\n')
		long = long[:0]
		for errors.Is(readErr, bufio.ErrBufferFull) {
			long = append(long, line...)
			line, readErr = in.ReadSlice('\n')
		}
		if len(long) > 0 {
			long = append(long, line...)
			line = long
		}
		if readErr != nil && readErr != io.EOF {
			return nil, fmt.Errorf("read run: %s: %w", path, readErr)
		}
		if len(bytes.TrimSpace(line)) > 0 {
			if err := parse(line); err != nil {
				if readErr == io.EOF {
					return []string{fmt.Sprintf("%s: line %d is cut off and was left out", filepath.Base(path), n)}, nil
				}
				return nil, fmt.Errorf("read run: %s line %d: %w", path, n, err)
			}
		}
		if readErr == io.EOF {
			return nil, nil
		}
	}
}
