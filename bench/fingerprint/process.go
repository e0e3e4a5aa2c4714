package fingerprint

import (
	"cmp"
	"context"
	"slices"

	"github.com/shirou/gopsutil/v4/process"
)

// mostProcesses bounds how much of a server's tree is looked at.
const mostProcesses = 256

// Process is one process of a running server, as far as the system tells.
type Process struct {
	PID  int
	Argv []string
	Dir  string
	Env  Environ
	// Files are those that it has mapped, its program and its libraries among them.
	Files []string

	environ []string
}

// Tree looks at a process and all below it, the process itself first.
func Tree(ctx context.Context, pid int) []Process {
	var tree []Process
	next := []int32{int32(pid)}
	for len(next) > 0 && len(tree) < mostProcesses {
		p, err := process.NewProcessWithContext(ctx, next[0])
		next = next[1:]
		if err != nil {
			continue // it has ended
		}
		tree = append(tree, look(ctx, p))
		children, err := p.ChildrenWithContext(ctx)
		if err != nil {
			continue
		}
		slices.SortFunc(children, func(a, b *process.Process) int { return cmp.Compare(a.Pid, b.Pid) })
		for _, child := range children {
			next = append(next, child.Pid)
		}
	}
	return tree
}

// look reads what there is to read of a process; the rest stays empty.
func look(ctx context.Context, p *process.Process) Process {
	out := Process{PID: int(p.Pid)}
	out.Argv, _ = p.CmdlineSliceWithContext(ctx)
	out.Dir, _ = p.CwdWithContext(ctx)
	out.environ, _ = p.EnvironWithContext(ctx)
	out.Env = ReadEnviron(out.environ)
	out.Files = mapped(ctx, p)
	if exe, err := p.ExeWithContext(ctx); err == nil {
		out.Files = append(out.Files, exe)
	}
	slices.Sort(out.Files)
	out.Files = slices.Compact(out.Files)
	return out
}

// Python is how the first Python interpreter in a tree was called. Servers may rename
// their processes; those are not recognised.
func Python(tree []Process) (Invocation, bool) {
	for _, p := range tree {
		if in, ok := invoked(p.Argv, p.Dir, p.environ); ok && in.Dir != "" && len(in.Env) > 0 {
			return in, true
		}
	}
	return Invocation{}, false
}
