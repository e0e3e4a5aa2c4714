package clientbench

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// The peers' pinned requirements.
//
//go:embed requirements/*.txt
var requirementFiles embed.FS

// venv is a virtual environment of Python for one peer.
type venv struct {
	dir          string
	requirements string // name of its file
	oldest       int    // minor version of Python 3 that it needs
	config       Config
}

const installTimeout = 30 * time.Minute

func (v venv) program(name string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(v.dir, "Scripts", name+".exe")
	}
	return filepath.Join(v.dir, "bin", name)
}

// make creates the environment and installs its requirements, and then what more
// there is to do, unless an earlier sitting did.
func (v venv) make(ctx context.Context, more func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	pinned, err := requirementFiles.ReadFile("requirements/" + v.requirements)
	if err != nil {
		return err
	}
	done := filepath.Join(v.dir, "installed.txt")
	if have, err := os.ReadFile(done); err == nil && bytes.Equal(have, pinned) {
		return nil
	}
	python, err := v.python(ctx)
	if err != nil {
		return err
	}
	if err := v.run(ctx, python, "-m", "venv", "--clear", v.dir); err != nil {
		return err
	}
	list := filepath.Join(v.dir, "requirements.txt")
	if err := os.WriteFile(list, pinned, 0o644); err != nil {
		return err
	}
	if err := v.pip(ctx, "install", "-r", list); err != nil {
		return err
	}
	if more != nil {
		if err := more(ctx); err != nil {
			return err
		}
	}
	return os.WriteFile(done, pinned, 0o644)
}

// python is the first interpreter that is new enough.
func (v venv) python(ctx context.Context) (string, error) {
	var reasons []error
	for _, python := range v.config.Pythons {
		said, err := exec.CommandContext(ctx, python, "-c", "import sys; print(*sys.version_info[:2])").Output()
		major, minor, _ := strings.Cut(strings.TrimSpace(string(said)), " ")
		n, numErr := strconv.Atoi(minor)
		switch {
		case err != nil:
			reasons = append(reasons, fmt.Errorf("%s: %w", python, err))
		case major != "3" || numErr != nil || n < v.oldest:
			reasons = append(reasons, fmt.Errorf("%s is Python %s.%s", python, major, minor))
		default:
			return python, nil
		}
	}
	return "", fmt.Errorf("no Python from 3.%d on (%w): name one by --python", v.oldest, errors.Join(reasons...))
}

func (v venv) pip(ctx context.Context, args ...string) error {
	return v.run(ctx, v.program("python"), append([]string{"-m", "pip", "--disable-pip-version-check", "--quiet"}, args...)...)
}

// run runs an installer; its error has the last lines that it said.
func (v venv) run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = v.config.Environ
	cmd.WaitDelay = stopTimeout
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(program), strings.Join(args, " "), err, tail(out))
	}
	return nil
}

// tail is the end of a program's output, on one line.
func tail(out []byte) string {
	const most = 300
	text := strings.Join(strings.Fields(string(out)), " ")
	if len(text) > most {
		text = "… " + strings.ToValidUTF8(text[len(text)-most:], "")
	}
	return text
}
