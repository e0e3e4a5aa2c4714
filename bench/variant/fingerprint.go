package variant

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"siglab/bench/fingerprint"
	"siglab/bench/record"
	"siglab/internal/secret"
)

// Fingerprint is what the running server runs with.
func (c *Command) Fingerprint(ctx context.Context) record.Fingerprint {
	out := record.Fingerprint{Variant: c.Name}
	if c.process == nil {
		out.Detail = "the server does not run"
		return out
	}
	pairs := []string{strconv.Itoa(c.served), "{port}"}
	if c.Worktree != "" {
		pairs = append([]string{c.Worktree, "{worktree}"}, pairs...)
	}
	replace := strings.NewReplacer(pairs...)
	tree := fingerprint.Tree(ctx, c.process.PID())
	env := fingerprint.ReadEnviron(c.environ(c.served))
	if len(tree) > 0 && len(tree[0].Argv) > 0 {
		for _, arg := range secret.HideIn(tree[0].Argv) {
			out.Argv = append(out.Argv, replace.Replace(arg))
		}
		if len(tree[0].Env) > 0 {
			env = tree[0].Env
		}
	}
	out.Env = env.Steering(c.declared(), replace)
	installed, err := c.installation(ctx, tree)
	if err != nil {
		out.Detail = err.Error()
	}
	if installed != nil {
		out.Python = &record.Python{Executable: replace.Replace(installed.Executable), Version: installed.Version, Packages: installed.Packages}
	}
	return out
}

// installation is what the server's interpreter says of itself, which it is asked once;
// nil if there is none that is known.
func (c *Command) installation(ctx context.Context, tree []fingerprint.Process) (*fingerprint.Installation, error) {
	if c.answer != nil {
		return c.answer, nil
	}
	in, ok := fingerprint.Python(tree)
	if !ok {
		in, ok = fingerprint.FindPython(c.filled(c.Argv, c.served), c.dir(), c.environ(c.served))
	}
	if !ok {
		return nil, nil
	}
	installed, err := in.Ask(ctx, "")
	if err != nil {
		return nil, err
	}
	c.answer = &installed
	return c.answer, nil
}

// declared are the names of the variables that the variant sets itself.
func (c *Command) declared() []string {
	var names []string
	for _, pair := range c.Env {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
