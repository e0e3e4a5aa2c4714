package telemetry

// usage is what one process has used since its start, and holds now.
type usage struct {
	cpu           float64 // seconds
	rss           uint64  // bytes
	threads       int
	read, written uint64 // bytes from and to disks
}

// tree follows a process and its descendants. Usage is added up by process, so that
// one that ends takes nothing back.
type tree struct {
	root    int
	parents map[int]int   // of every process that was seen
	last    map[int]usage // of those in the tree
	total   usage         // of which cpu, read and written are since newTree
}

func newTree(root int) *tree {
	t := &tree{root: root, parents: map[int]int{}, last: map[int]usage{}}
	if root > 0 {
		t.refresh()
		t.read()
	}
	return t
}

// refresh looks for new descendants. Their first reading is where they start from.
func (t *tree) refresh() {
	parents(t.parents)
	for pid := range t.parents {
		if _, known := t.last[pid]; known || !t.descends(pid) {
			continue
		}
		if u, ok := usageOf(pid); ok {
			t.last[pid] = u
		}
	}
}

// descends follows the parents up to the root. Nothing can go on for ever: a table of
// parents that was read while processes came and went may have a circle.
func (t *tree) descends(pid int) bool {
	for range len(t.parents) + 1 {
		if pid == t.root {
			return true
		}
		parent, ok := t.parents[pid]
		if !ok {
			return false
		}
		pid = parent
	}
	return false
}

// read adds up the tree.
func (t *tree) read() usage {
	t.total.rss, t.total.threads = 0, 0
	for pid, before := range t.last {
		now, ok := usageOf(pid)
		if !ok || now.cpu < before.cpu { // gone, or another with its number
			delete(t.last, pid)
			delete(t.parents, pid)
			continue
		}
		t.total.cpu += now.cpu - before.cpu
		t.total.read += now.read - min(now.read, before.read)
		t.total.written += now.written - min(now.written, before.written)
		t.total.rss += now.rss
		t.total.threads += now.threads
		t.last[pid] = now
	}
	return t.total
}

// has reports whether a process belongs to the tree.
func (t *tree) has(pid int) bool {
	_, ok := t.last[pid]
	return ok
}
