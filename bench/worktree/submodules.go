package worktree

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// submodules checks the submodules of a worktree out, where its commit has some.
//
// `git submodule update --init` would write their addresses into the repository's own
// configuration, which is its owner's; they are given for this one call instead.
func (t *Tree) submodules(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(t.Dir, ".gitmodules")); err != nil {
		return nil
	}
	g := git{t.Dir, t.repo.git.environ}
	listed, err := g.ask(ctx, "config", "--file", ".gitmodules", "--get-regexp", `^submodule\..*\.url$`)
	if err != nil {
		return nil // the file names none
	}
	var args []string
	for line := range strings.Lines(listed) {
		key, address, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		if own, err := g.ask(ctx, "config", "--get", key); err == nil && own != "" {
			address = own
		} else if strings.HasPrefix(address, "./") || strings.HasPrefix(address, "../") {
			address = relativeTo(t.repo.origin(ctx), address)
		}
		args = append(args, "-c", key+"="+address)
	}
	args = append(args, "submodule", "update")
	if _, err := g.run(ctx, checkoutTime, args...); err != nil {
		return fmt.Errorf("its submodules: %w", err)
	}
	// Those within them have configurations of their own, in the worktree.
	if _, err := g.run(ctx, checkoutTime, "submodule", "--quiet", "foreach", "git submodule --quiet update --init --recursive"); err != nil {
		return fmt.Errorf("submodules of its submodules: %w", err)
	}
	return nil
}

// origin is the address that relative ones of submodules are relative to.
func (r *Repo) origin(ctx context.Context) string {
	if address, err := r.git.ask(ctx, "config", "--get", "remote.origin.url"); err == nil && address != "" {
		return strings.TrimSuffix(address, "/")
	}
	return filepath.ToSlash(r.Dir)
}

// relativeTo resolves ./x and ../x against an address of git, which may be a URL, a path
// or host:path.
func relativeTo(base, address string) string {
	for {
		if rest, ok := strings.CutPrefix(address, "./"); ok {
			address = rest
			continue
		}
		rest, ok := strings.CutPrefix(address, "../")
		if !ok {
			break
		}
		at := strings.LastIndexAny(base, "/:")
		if at < 0 {
			break
		}
		if base[at] == ':' {
			return base[:at+1] + rest
		}
		base, address = base[:at], rest
	}
	return base + "/" + path.Clean(address)
}
