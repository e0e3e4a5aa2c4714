package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kballard/go-shellquote"
)

// says is what the branch's SigLIP tower prints for each image.
const says = "[SIGLIP] the tower of the branch"

// testRef serves vLLM from a branch of a repository, and wants siglab to have found out
// that it is the branch's code that ran.
func testRef(ctx context.Context, t *testing.T, l lab) {
	repo, commit := l.makeRepo(ctx, t)
	command := shellquote.Join(append(offline(l.mark), l.serveArgv("{model}", "{port}")...)...)
	r := l.bench(ctx, t, 5*time.Minute, "--repo", repo, "--ref", "branch", "--overlay", "--serve-command", command, "--module", "vllm",
		"--trigger", `branch=log:the tower of the branch`, "--model", l.model, "--served-model-name", servedName,
		"--num-prompts", "8", "--request-rate", "4", "--warmups", "2", "--no-calibrate", "--out", filepath.Join(l.dir, "ref"))
	for _, name := range []string{"code_loaded", "trigger"} {
		if g := r.gate(t, name); !g.OK || !g.Checked {
			t.Errorf("gate %s: ok %v, checked %v: %s", name, g.OK, g.Checked, g.Detail)
		}
	}
	var manifest struct {
		Code []struct{ Commit string }
	}
	data, err := os.ReadFile(filepath.Join(r.RunDir, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(data, &manifest)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Code) != 1 || manifest.Code[0].Commit != commit {
		t.Errorf("the manifest has %v as the code, want commit %s", manifest.Code, commit)
	}
	l.checkNothingLeft(t)
}

// makeRepo is a repository with the Python files of the installed vLLM on main, and a
// branch where the SigLIP tower is changed; also the branch's commit.
func (l lab) makeRepo(ctx context.Context, t *testing.T) (repo, commit string) {
	t.Helper()
	repo = filepath.Join(l.dir, "repo")
	site := strings.TrimSpace(l.mustRun(ctx, t, setUpTimeout, l.program("python"), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout)
	git := func(args ...string) string {
		identity := []string{"git", "-C", repo, "-c", "user.name=e2e", "-c", "user.email=e2e@localhost", "-c", "commit.gpgsign=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"}
		return strings.TrimSpace(l.mustRun(ctx, t, setUpTimeout, append(identity, args...)...).stdout)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(repo, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l.mustRun(ctx, t, setUpTimeout, "git", "init", "--quiet", "--initial-branch", "main", repo)
	const compiled = "*.so\n*.so.*\n__pycache__/\n"
	write(".git/info/exclude", compiled)
	git("--work-tree", site, "add", "vllm")
	git("commit", "--quiet", "--message", "vLLM as it is installed")
	git("reset", "--quiet", "--hard")
	write(".gitignore", compiled)
	git("add", ".gitignore")
	git("commit", "--quiet", "--message", "leave out what is compiled")

	git("checkout", "--quiet", "-b", "branch")
	const file, line = "vllm/model_executor/models/siglip.py", "        _, _, height, width = pixel_values.shape\n"
	data, err := os.ReadFile(filepath.Join(repo, file))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(data), line) != 1 {
		t.Fatalf("%s has not one line %q", file, line)
	}
	write(file, strings.Replace(string(data), line, line+"        print(\""+says+"\", flush=True)\n", 1))
	git("commit", "--quiet", "--all", "--message", "let the tower speak")
	commit = git("rev-parse", "HEAD")
	git("checkout", "--quiet", "main")
	return repo, commit
}
