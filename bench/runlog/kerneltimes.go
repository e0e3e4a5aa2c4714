package runlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// WriteKernelTimes keeps what resampling one image takes, by variant.
func WriteKernelTimes(dir string, times map[string]time.Duration) error {
	texts := map[string]string{}
	for name, took := range times {
		texts[name] = took.String()
	}
	return writeJSON(filepath.Join(dir, KernelTimesFile), texts)
}

// readKernelTimes reads them; nil where none were measured apart.
func readKernelTimes(dir string) (map[string]time.Duration, error) {
	data, err := os.ReadFile(filepath.Join(dir, KernelTimesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read run: %w", err)
	}
	var texts map[string]string
	if err := json.Unmarshal(data, &texts); err != nil {
		return nil, fmt.Errorf("read run: %s: %w", KernelTimesFile, err)
	}
	times := map[string]time.Duration{}
	for name, text := range texts {
		took, err := time.ParseDuration(text)
		if err != nil || took <= 0 {
			return nil, fmt.Errorf("read run: %s: %q of variant %q is no time that a kernel takes", KernelTimesFile, text, name)
		}
		times[name] = took
	}
	return times, nil
}
