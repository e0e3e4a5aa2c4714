package experiment

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/compare"
	"siglab/bench/record"
	"siglab/bench/runlog"
)

// TestResume: a run that ended in its third pair goes on there. What the earlier
// process completed is kept; the block that it was in, and its half pair, are void.
func TestResume(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		why  string
		end  func(dir string, m *record.Manifest, t *testing.T) // what else happened when it ended
		void []int
	}{
		{"interrupted", nil, []int{5, 6}},
		{"killed before it could list its last block, in the middle of a line", func(dir string, m *record.Manifest, t *testing.T) {
			m.Stopped, m.Blocks = "running", m.Blocks[:5]
			appendTo(t, filepath.Join(dir, runlog.ObservationsFile), `{"v":1,"blo`)
		}, []int{5, 6}},
	} {
		t.Run(test.why, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			l := newLab(t, 4, &fakeServer{}, &fakeServer{})
			first := l.run(ctx, t, func(e Event) {
				if e.Answer != nil && e.Block.ID == 6 {
					cancel()
				}
			})
			if test.end != nil {
				test.end(l.dir, &first.Manifest, t)
				if err := l.log.Manifest(first.Manifest); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.log.Close(); err != nil {
				t.Fatal(err)
			}
			l.plan.Environment.Kernel = "6.5"
			run := resumed(t, l)
			if i := slices.IndexFunc(run.Manifest.Notes, func(n record.Note) bool { return n.Code == record.NoteMachine }); i < 0 || !strings.Contains(run.Manifest.Notes[i].Text, "kernel none → 6.5") {
				t.Errorf("no note of the other kernel: %v", run.Manifest.Notes)
			}
			var void []int
			order := map[int][]string{}
			for _, b := range run.Manifest.Blocks {
				if b.Void != "" {
					void = append(void, b.ID)
				} else {
					order[b.Pair] = append(order[b.Pair], b.Variant)
				}
			}
			if diff := cmp.Diff(test.void, void); diff != "" {
				t.Errorf("void blocks (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(map[int][]string{0: {"v0", "v1"}, 1: {"v1", "v0"}, 2: {"v0", "v1"}, 3: {"v1", "v0"}}, order); diff != "" {
				t.Errorf("blocks that count, by pair (-want +got):\n%s", diff)
			}
			if m := run.Manifest; m.Stopped != StoppedComplete || len(m.Resumed) != 1 {
				t.Errorf("stopped %q, resumed %v", m.Stopped, m.Resumed)
			}
			c, err := compare.Analyse(run)
			if err != nil || c.Pairs != 4 {
				t.Errorf("the analysis sees %+v, error %v; want four pairs", c, err)
			}
			checkOffsets(t, run)
		})
	}
}

// resumed resumes a lab's run to its end.
func resumed(t *testing.T, l *lab) record.Run {
	t.Helper()
	log, earlier, err := runlog.Resume(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(t.Context(), l.plan, earlier, log, nil); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	run, err := runlog.Read(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// checkOffsets: blocks of the second process come after those of the first.
func checkOffsets(t *testing.T, run record.Run) {
	t.Helper()
	last := record.Block{}
	for _, b := range run.Manifest.Blocks {
		if b.Start == 0 { // never listed by its process
			continue
		}
		if b.Start < last.End {
			t.Errorf("block %d starts at %v, before the end of block %d at %v", b.ID, b.Start, last.ID, last.End)
		}
		last = b
	}
}

// TestResumeIsExclusive: two processes never write one run directory.
func TestResumeIsExclusive(t *testing.T) {
	l := newLab(t, 1, &fakeServer{}, &fakeServer{})
	run := l.run(t.Context(), t, nil)
	if run.Manifest.Stopped != StoppedComplete {
		t.Fatal(run.Manifest.Stopped)
	}
	if log, _, err := runlog.Resume(l.dir); err == nil {
		_ = log.Close()
		t.Skip("this system has no locks")
	}
	if err := l.log.Close(); err != nil {
		t.Fatal(err)
	}
	log, _, err := runlog.Resume(l.dir)
	if err != nil {
		t.Fatalf("after the writer has ended: %v", err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestBegunBlockIsListed: a process that is killed leaves the block that it was in behind
// as void, also where none of its observations had reached the disk.
func TestBegunBlockIsListed(t *testing.T) {
	t.Parallel()
	l := newLab(t, 1, &fakeServer{}, &fakeServer{})
	var seen []string
	run := l.run(t.Context(), t, func(e Event) {
		if e.Answer == nil || e.Answer.Index != 0 {
			return
		}
		m, err := runlog.ReadManifest(l.dir)
		if err != nil {
			t.Error(err)
			return
		}
		for _, b := range m.Blocks {
			seen = append(seen, fmt.Sprintf("%d %s %s", b.ID, b.Variant, b.Void))
		}
	})
	want := []string{"1 v0 " + voidKilled, "1 v0 ", "2 v1 " + voidKilled}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
	if n := len(run.Manifest.Blocks); n != 2 || run.Manifest.Blocks[0].Void+run.Manifest.Blocks[1].Void != "" {
		t.Errorf("%d blocks at the end: %+v", n, run.Manifest.Blocks)
	}
}
