package results

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"siglab/bench/compare"
	"siglab/bench/record"
	"siglab/bench/report"
	"siglab/bench/runlog"
)

// recorded writes a small valid run with hashes, as bench does.
func recorded(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := writeLargeRun(dir, 4, 40); err != nil {
		t.Fatal(err)
	}
	return dir
}

// change rewrites a file of a run directory. A manifest loses its hash, as if a siglab
// had written it that had none: what it says has to be looked at all the same.
func change(t *testing.T, dir, name string, edit func(string) string) {
	t.Helper()
	tamper(t, dir, name, func(s string) string { return edit(strings.Replace(s, "manifest_sha256", "unsigned", 1)) })
}

// tamper rewrites a file of a run directory.
func tamper(t *testing.T, dir, name string, edit func(string) string) {
	t.Helper()
	path := filepath.Join(dir, name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(edit(string(data))), 0o644); err != nil {
		t.Fatal(err)
	}
}

func replace(old, with string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, with, 1) }
}

// TestDamagedRuns: a run directory that is not as it was written gives an error that
// names what is wrong, or a comparison that is not valid, or one whose verdicts do not
// rest on what is wrong and which warns of it.
func TestDamagedRuns(t *testing.T) {
	tests := []struct {
		name    string
		damage  func(t *testing.T, dir string)
		err     string // what the error has; "" for none
		warning string // what a warning has; "" for none
		valid   bool
	}{
		{"an intact run is valid", func(*testing.T, string) {}, "", "", true},
		{"the last line is cut off", func(t *testing.T, dir string) {
			change(t, dir, "observations.jsonl", func(s string) string { return s[:len(s)-30] })
		}, "", "cut off", false},
		{"the second half of the observations is gone", func(t *testing.T, dir string) {
			change(t, dir, "observations.jsonl", func(s string) string { return s[:strings.Index(s[len(s)/2:], "\n")+len(s)/2+1] })
		}, "", "lines of block 5", false},
		{"there are no observations", func(t *testing.T, dir string) {
			change(t, dir, "observations.jsonl", func(string) string { return "" })
		}, "", "0 of the 40 lines", false},
		{"the file of the observations is missing", func(_ *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "observations.jsonl")) }, "", "missing", false},
		{"one stamp of one request was changed", func(t *testing.T, dir string) {
			change(t, dir, "observations.jsonl", replace(`"first_token_ns":4`, `"first_token_ns":3`))
		}, "were edited or come from another run", "", false},
		{"a line is there twice", func(t *testing.T, dir string) {
			change(t, dir, "observations.jsonl", func(s string) string { return s[:strings.Index(s, "\n")+1] + s })
		}, "lines of block 1", "", false},
		{"the observations are another run's", func(t *testing.T, dir string) {
			change(t, dir, "observations.jsonl", func(s string) string { return strings.ReplaceAll(s, `"status":200`, `"status":201`) })
		}, "from another run", "", false},
		{"a line in the middle is no JSON", func(t *testing.T, dir string) { change(t, dir, "observations.jsonl", replace("\n", "\nnot json\n")) }, "observations.jsonl line 2", "", false},
		{"the manifest is cut off", func(t *testing.T, dir string) {
			change(t, dir, "manifest.json", func(s string) string { return s[:len(s)/2] })
		}, "manifest.json", "", false},
		{"the manifest is from a newer version", func(t *testing.T, dir string) {
			change(t, dir, "manifest.json", replace(`"version": 1`, `"version": 2`))
		}, "use the siglab that wrote it", "", false},
		{"another level was wanted", func(t *testing.T, dir string) {
			tamper(t, dir, "manifest.json", replace(`"alpha": 0.05`, `"alpha": 0.25`))
		}, "not what siglab wrote", "", false},
		{"the observations are from a newer version", func(t *testing.T, dir string) { change(t, dir, "observations.jsonl", replace(`"v":1`, `"v":2`)) }, "line 1 has version 2", "", false},
		{"the manifest lists a block less", func(t *testing.T, dir string) { dropBlock(t, dir) }, "which the manifest does not list", "", false},
		{"the manifest plans more pairs than there are", func(t *testing.T, dir string) { change(t, dir, "manifest.json", replace(`"pairs": 4`, `"pairs": 9`)) }, "", "", false},
		{"the manifest plans no pairs", func(t *testing.T, dir string) { change(t, dir, "manifest.json", replace(`"pairs": 4`, `"pairs": 0`)) }, "", "", false},
		{"two variants have one name", func(t *testing.T, dir string) {
			change(t, dir, "manifest.json", replace(`"name": "optimized"`, `"name": "main"`))
		}, "two variants are called", "", false},
		{"a variant's name is a path", func(t *testing.T, dir string) {
			change(t, dir, "manifest.json", func(s string) string {
				return strings.NewReplacer(`"optimized"`, `"../optimized"`, "observations_sha256", "none").Replace(s)
			})
			change(t, dir, "observations.jsonl", func(s string) string { return strings.ReplaceAll(s, `"optimized"`, `"../optimized"`) })
		}, "cannot be part of a file's name", "", false},
		{"the workload is another run's", func(t *testing.T, dir string) {
			change(t, dir, "workload.jsonl", replace(`"body_sha256":"`, `"body_sha256":"x`))
		}, "", "not the workload of this run", true},
		{"the workload is gone", func(_ *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "workload.jsonl")) }, "", "workload.jsonl is missing", true},
		{"the telemetry is no JSON", func(t *testing.T, dir string) { change(t, dir, "telemetry.jsonl", replace("{", "")) }, "telemetry.jsonl line 1", "", false},
		{"the telemetry is gone", func(_ *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "telemetry.jsonl")) }, "", "telemetry.jsonl is missing", true},
		{"the thumbnails are no JSON", func(_ *testing.T, dir string) {
			_ = os.WriteFile(filepath.Join(dir, "thumbnails.jsonl"), []byte("x\n"), 0o644)
		}, "", "images are not shown", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := recorded(t)
			tt.damage(t, dir)
			c, err := Write(dir)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.Valid != tt.valid {
				t.Errorf("valid: %v, gates %+v", c.Valid, c.Gates)
			}
			texts := ""
			for _, w := range c.Warnings {
				texts += w.Text + "\n"
			}
			if !strings.Contains(texts, tt.warning) {
				t.Errorf("no warning has %q:\n%s", tt.warning, texts)
			}
			for _, m := range c.Metrics {
				if !tt.valid && m.Verdict != compare.None {
					t.Errorf("%s has the verdict %s", m.Metric, m.Verdict)
				}
			}
		})
	}
}

// dropBlock takes the third block out of the manifest.
func dropBlock(t *testing.T, dir string) {
	t.Helper()
	change(t, dir, "manifest.json", func(s string) string {
		var m record.Manifest
		if err := json.Unmarshal([]byte(s), &m); err != nil {
			t.Fatal(err)
		}
		m.Blocks = append(m.Blocks[:2], m.Blocks[3:]...)
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	})
}

// FuzzReport: whatever a manifest and a file of observations say, there is an error or
// a report, in every form.
func FuzzReport(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "run")
	if err := writeLargeRun(dir, 1, 3); err != nil {
		f.Fatal(err)
	}
	var files [2][]byte
	for i, name := range []string{runlog.ManifestFile, runlog.ObservationsFile} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			f.Fatal(err)
		}
		files[i] = data
	}
	f.Add(files[0], files[1])
	f.Add([]byte(strings.NewReplacer(`"observations_sha256"`, `"x"`, `"manifest_sha256"`, `"y"`).Replace(string(files[0]))), files[1])
	f.Add([]byte(`{"version":1,"variants":[{"name":"a"}],"blocks":[{"id":1,"variant":"a","requests":1}]}`), []byte(`{"v":1,"block":1,"variant":"a"}`+"\n"))
	f.Fuzz(func(t *testing.T, manifest, observations []byte) {
		dir := t.TempDir()
		for name, data := range map[string][]byte{runlog.ManifestFile: manifest, runlog.ObservationsFile: observations} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		reportAll(t, dir)
	})
}

// TestEditedValues replaces values of a run one by one by others of no sense: no
// report may fail over what a file says.
func TestEditedValues(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if err := writeLargeRun(dir, 2, 3); err != nil {
		t.Fatal(err)
	}
	change(t, dir, runlog.ManifestFile, replaceAll("observations_sha256", "none"))
	manifest, observations := read(t, dir, runlog.ManifestFile), read(t, dir, runlog.ObservationsFile)
	number := regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)
	for _, file := range []struct{ name, text string }{{runlog.ManifestFile, manifest}, {runlog.ObservationsFile, observations}} {
		places := number.FindAllStringIndex(file.text, -1)
		for i := 0; i < len(places); i += max(1, len(places)/70) {
			at := places[i]
			with := []string{"0", "-1", "9223372036854775807", "-9223372036854775808", "3", "1000000"}[i%6]
			edited := file.text[:at[0]] + with + file.text[at[1]:]
			change(t, dir, file.name, func(string) string { return edited })
			reportAll(t, dir)
		}
		change(t, dir, file.name, func(string) string { return file.text })
	}
}

func replaceAll(old, with string) func(string) string {
	return func(s string) string { return strings.ReplaceAll(s, old, with) }
}

// reportAll reads a run and, if that can be done, writes its report in every form.
func reportAll(t *testing.T, dir string) {
	t.Helper()
	run, err := runlog.Read(dir)
	if err != nil {
		return
	}
	c, err := compare.Analyse(run)
	if err != nil {
		return
	}
	for name, write := range map[string]func() error{
		"html": func() error { return report.HTML(io.Discard, dir, c, report.Details{}) }, "text": func() error { return report.Text(io.Discard, dir, c) },
		"markdown": func() error { return report.Markdown(io.Discard, dir, c) }, "csv": func() error { return report.CSV(io.Discard, c) },
		"json": func() error { return encode(io.Discard, Document(dir, c)) },
	} {
		if err := write(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, v := range run.Manifest.Variants {
		vllmResult(run, v.Name)
	}
}
