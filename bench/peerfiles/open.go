package peerfiles

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// MaxSize bounds what is read of a file, in bytes.
const MaxSize = 256 << 20

// Open reads the results of a file or of a directory that a tool wrote, at least
// one. A number behind the path picks one result of several: "runs.jsonl#2".
func Open(path string) ([]Result, error) {
	file, pick := path, 0
	if _, err := os.Stat(path); err != nil {
		if before, after, ok := cutLast(path, "#"); ok {
			n, err := strconv.Atoi(after)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("%s: %q is not the number of a result (1 is the first)", path, after)
			}
			file, pick = before, n
		}
	}
	results, err := open(file)
	if err != nil {
		return nil, err
	}
	for i := range results {
		results[i].Source = file
		if len(results) > 1 {
			results[i].Source = fmt.Sprintf("%s#%d", file, i+1)
		}
	}
	switch {
	case pick > len(results):
		return nil, fmt.Errorf("%s: the file holds %d results", path, len(results))
	case pick > 0:
		return results[pick-1 : pick], nil
	}
	return results, nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// open reads one file, or the summary in a directory.
func open(path string) ([]Result, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return openDir(path)
	}
	raw, err := readFile(path)
	if err != nil {
		return nil, err
	}
	results, err := Read(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return results, nil
}

// readFile reads a file up to MaxSize, also one whose size is not known before.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	tooLarge := fmt.Errorf("%s: the file has more than %d MB, too many for a summary; save it without the single requests", path, MaxSize>>20)
	var content bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		if info.Size() > MaxSize {
			return nil, tooLarge
		}
		content.Grow(int(info.Size()) + bytes.MinRead) // else reading doubles the buffer time and again
	}
	n, err := content.ReadFrom(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if n > MaxSize {
		return nil, tooLarge
	}
	return content.Bytes(), nil
}

// summaries are the files that stand for a directory, by tool.
var summaries = [...]string{"summary_lifecycle_metrics.json", "profile_export_aiperf.json", "profile_export_genai_perf.json", "benchmarks.json"}

// openDir reads the summary of a directory. inference-perf's does not say the rate;
// where there is one stage, its file does.
func openDir(dir string) ([]Result, error) {
	for _, name := range summaries {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		results, err := open(path)
		if err == nil && results[0].Tool == InferencePerf {
			err = addStages(dir, &results[0])
		}
		return results, err
	}
	return nil, fmt.Errorf("%s is a directory without a result that is known (%s); name the file itself", dir, strings.Join(summaries[:], ", "))
}

// addStages takes the rate from the only stage, or notes that there were several.
func addStages(dir string, r *Result) error {
	stages, err := filepath.Glob(filepath.Join(escapeGlob(dir), "stage_*_lifecycle_metrics.json"))
	if err != nil || len(stages) == 0 {
		return err
	}
	if len(stages) > 1 {
		r.note("mixed-stages", "", fmt.Sprintf("The summary pools %d stages of different load; compare the stage files instead.", len(stages)))
		return nil
	}
	stage, err := open(stages[0])
	if err != nil {
		return err
	}
	if rate, ok := stage[0].Get("request_rate"); ok {
		r.put("request_rate", rate)
	}
	return nil
}

// escapeGlob keeps brackets in a directory's name from being patterns.
func escapeGlob(dir string) string {
	return strings.NewReplacer("[", `\[`, "*", `\*`, "?", `\?`).Replace(dir)
}
