package telemetry

import (
	"os"
	"testing"
)

func TestDescends(t *testing.T) {
	tr := &tree{root: 10, parents: map[int]int{10: 1, 11: 10, 12: 11, 20: 1, 30: 31, 31: 30}}
	for pid, want := range map[int]bool{10: true, 11: true, 12: true, 20: false, 99: false, 30: false} {
		if got := tr.descends(pid); got != want {
			t.Errorf("process %d descends from 10: %v, want %v", pid, got, want)
		}
	}
}

func TestTreeOfThisProcess(t *testing.T) {
	tr := newTree(os.Getppid())
	if !tr.has(os.Getpid()) {
		t.Error("this process is not in its parent's tree")
	}
	before := tr.read()
	if before.rss == 0 {
		t.Error("the tree has no memory")
	}
	// One that ends takes its memory, not what it has used.
	tr.last[1<<22+1] = usage{cpu: 5}
	if after := tr.read(); after.cpu < before.cpu {
		t.Errorf("processor time went from %v back to %v", before.cpu, after.cpu)
	}
	if tr.has(1<<22 + 1) {
		t.Error("a process that has gone is still in the tree")
	}
}
