package runlog

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/record"
)

func write(t *testing.T) (string, record.Run) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	run := record.Run{
		Manifest: record.Manifest{Version: record.ManifestVersion, Siglab: "test", Started: time.Unix(1e9, 0).UTC(), Stopped: "complete"},
		Observations: []record.Observation{
			{Version: record.ObservationVersion, Block: 1, Item: "a", Sent: 5, Text: "<ü>", ChunkAt: []time.Duration{7, 9}},
			{Version: record.ObservationVersion, Block: 1, Item: "b", Error: "HTTP 500: \"no\""},
		},
		Telemetry: []record.Sample{{At: 3, Block: 1, CPU: 12.5}},
		Sizes:     map[string][2]int{"a": {640, 480}, "b": {}},
	}
	w, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := w.Observations(run.Observations)
	run.Manifest.Blocks = []record.Block{{ID: 1, Requests: 2, ObservationsHash: hash}}
	for _, err := range []error{
		err, w.Manifest(run.Manifest), w.Telemetry(run.Telemetry),
		w.Workload([]record.Item{{ID: "a", ImageSize: [2]int{640, 480}}, {ID: "b"}}), w.Thumbnails([]record.Thumbnail{{ImageHash: "h", JPEG: []byte{1}}}), w.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir, run
}

func TestRoundTrip(t *testing.T) {
	dir, want := write(t)
	got, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
	items := 0
	warnings, err := EachItem(dir, func(record.Item) { items++ })
	if err != nil || len(warnings) > 0 || items != 2 {
		t.Errorf("workload: %d items, %v, %v", items, warnings, err)
	}
	thumbnails, err := ReadThumbnails(dir)
	if err != nil || len(thumbnails["h"]) != 1 {
		t.Errorf("thumbnails: %v %v", thumbnails, err)
	}
}

func TestCreateRefusesADirectoryWithFiles(t *testing.T) {
	dir, _ := write(t)
	if _, err := Create(dir); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("Create over a run: %v", err)
	}
}

func TestReadDamagedRuns(t *testing.T) {
	edit := func(name string, change func(string) string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, name)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(change(string(data))), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name    string
		damage  func(*testing.T, string)
		warning string // "" for none
		err     string // "" for none
	}{
		{"a last line that a crash cut off is left out", edit(ObservationsFile, func(s string) string { return s[:len(s)-20] }), "cut off", ""},
		{"a file that lost whole lines is a warning that says of which block", edit(ObservationsFile, func(s string) string {
			return s[:strings.Index(s, "\n")+1]
		}), "1 of the 2 lines of block 1", ""},
		{"an edited line is an error", edit(ObservationsFile, func(s string) string {
			return strings.Replace(s, `"sent_ns":5`, `"sent_ns":4`, 1)
		}), "", "lines of block 1"},
		{"a line too many is an error", edit(ObservationsFile, func(s string) string {
			return s + s[:strings.Index(s, "\n")+1]
		}), "", "edited or come from another run"},
		{"a bad line in the middle is an error", edit(ObservationsFile, func(s string) string { return "{\n" + s }), "", "line 1"},
		{"a newer manifest is refused", edit(ManifestFile, func(s string) string {
			return strings.Replace(s, `"version": 1`, `"version": 99`, 1)
		}), "", "version 99"},
		{"an edited manifest is refused", edit(ManifestFile, func(s string) string {
			return strings.Replace(s, `"complete"`, `"decided"`, 1)
		}), "", "not what siglab wrote"},
		{"a manifest without a hash is taken", edit(ManifestFile, func(s string) string {
			return strings.NewReplacer("manifest_sha256", "x", `"complete"`, `"decided"`).Replace(s)
		}), "", ""},
		{"a broken manifest is refused", edit(ManifestFile, func(s string) string { return s[:30] }), "", "manifest.json"},
		{"newer observations are refused", edit(ObservationsFile, func(s string) string {
			return strings.Replace(s, `"v":1`, `"v":2`, 1)
		}), "", "version 2"},
		{"missing telemetry is a warning", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, TelemetryFile)); err != nil {
				t.Fatal(err)
			}
		}, "missing", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, _ := write(t)
			tt.damage(t, dir)
			run, err := Read(dir)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(run.Warnings, "; "); !strings.Contains(got, tt.warning) {
				t.Errorf("warnings %q, want %q", got, tt.warning)
			}
		})
	}
	if _, err := Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a run directory") {
		t.Errorf("empty directory: %v", err)
	}
}

func TestWriteFileLeavesNothingBehindOnError(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := WriteFile(path, func(io.Writer) error { return errors.New("boom") }); err == nil {
		t.Fatal("no error")
	}
	if empty, err := isEmptyDir(dir); err != nil || !empty {
		t.Errorf("left files behind: %v %v", empty, err)
	}
}
