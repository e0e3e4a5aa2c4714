package fingerprint

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"siglab/bench/record"
)

// Invocation is how a Python interpreter was called, as far as it decides where
// modules come from.
type Invocation struct {
	Program string   // as it was named: the link in a virtual environment, not its target
	Flags   []string // before what it runs
	// Path0 is the first entry of sys.path: the folder of a script, "" for the working
	// directory.
	Path0 string
	Dir   string // working directory
	Env   []string
}

// pythonName matches the names of interpreters.
var pythonName = regexp.MustCompile(`^(python|pypy)[0-9.]*(t|d)?(\.exe)?$`)

// isPython reports whether a program is an interpreter, by its name.
func isPython(program string) bool { return pythonName.MatchString(filepath.Base(program)) }

// invoked reads the command line of an interpreter that runs in a directory.
func invoked(argv []string, dir string, env []string) (Invocation, bool) {
	if len(argv) == 0 || !isPython(argv[0]) {
		return Invocation{}, false
	}
	in := Invocation{Program: argv[0], Dir: dir, Env: env}
	for rest := argv[1:]; len(rest) > 0; rest = rest[1:] {
		arg := rest[0]
		switch {
		case strings.HasPrefix(arg, "-m") || strings.HasPrefix(arg, "-c") || arg == "-":
			return in, true
		case (arg == "-W" || arg == "-X") && len(rest) > 1:
			in.Flags = append(in.Flags, arg, rest[1])
			rest = rest[1:]
		case strings.HasPrefix(arg, "-"):
			in.Flags = append(in.Flags, arg)
		default:
			in.Path0 = scriptFolder(arg, dir)
			return in, true
		}
	}
	return in, true
}

// scriptFolder is where a script lies, links followed.
func scriptFolder(script, dir string) string {
	if !filepath.IsAbs(script) {
		script = filepath.Join(dir, script)
	}
	if real, err := filepath.EvalSymlinks(script); err == nil {
		script = real
	}
	return filepath.Dir(script)
}

// FindPython says which interpreter a command line runs, before it is started: the
// program itself, or that of a script's first line. A wrapper such as sh -c tells none.
func FindPython(argv []string, dir string, env []string) (Invocation, bool) {
	if len(argv) == 0 {
		return Invocation{}, false
	}
	program, ok := lookPath(argv[0], dir, env)
	if !ok {
		return Invocation{}, false
	}
	if isPython(program) {
		return invoked(append([]string{program}, argv[1:]...), dir, env)
	}
	words := interpreterOf(program)
	if len(words) > 1 && filepath.Base(words[0]) == "env" {
		words = slices.DeleteFunc(words[1:], func(word string) bool { return word == "-S" })
	}
	if len(words) == 0 {
		return Invocation{}, false
	}
	if words[0], ok = lookPath(words[0], dir, env); !ok {
		return Invocation{}, false
	}
	return invoked(slices.Concat(words, []string{program}), dir, env)
}

// lookPath finds a program as a server that has this environment and directory would.
func lookPath(program, dir string, env []string) (string, bool) {
	if strings.ContainsRune(program, os.PathSeparator) {
		if !filepath.IsAbs(program) {
			program = filepath.Join(dir, program)
		}
		_, err := os.Stat(program)
		return program, err == nil
	}
	path := ""
	for _, pair := range env { // the last one counts
		if value, ok := strings.CutPrefix(pair, "PATH="); ok {
			path = value
		}
	}
	for _, folder := range filepath.SplitList(path) {
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(dir, folder)
		}
		file := filepath.Join(folder, program)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, true
		}
	}
	return "", false
}

// execLine is pip's way around first lines that are too long for the system.
var execLine = regexp.MustCompile(`^'''exec' "?([^" ]+)"? "\$0"`)

// interpreterOf is the command in the first line of a script; nil if it has none.
func interpreterOf(script string) []string {
	f, err := os.Open(script)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // opened for reading
	lines := bufio.NewReader(io.LimitReader(f, 4<<10))
	first, _ := lines.ReadString('\n') // what there is of it counts
	line, ok := strings.CutPrefix(first, "#!")
	if !ok {
		return nil
	}
	second, _ := lines.ReadString('\n')
	if m := execLine.FindStringSubmatch(second); m != nil {
		return []string{m[1]}
	}
	return strings.Fields(line)
}

// Installation is what an interpreter says of itself.
type Installation struct {
	record.Python
	// Origin is the file that a module would be loaded from, "" if there is none of its
	// name.
	Origin string
}

//go:embed probe.py
var probeScript string

const (
	probeTime = 30 * time.Second
	mostProbe = 16 << 20 // bytes of its answer
)

// Ask asks the interpreter, called as the server calls it, what is installed and where
// a module, "" for none, would come from. The module is found, not run.
func (in Invocation) Ask(ctx context.Context, module string) (Installation, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	args := slices.Concat(in.Flags, []string{"-c", probeScript, module, in.Path0})
	cmd := exec.CommandContext(ctx, in.Program, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = in.Dir, in.Env, time.Second
	out := &capped{most: mostProbe}
	said := &capped{most: 4 << 10}
	cmd.Stdout, cmd.Stderr = out, said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return Installation{}, fmt.Errorf("ask %s which code it loads: %w: %s", in.Program, err, strings.TrimSpace(said.text.String()))
	}
	// A site's own start-up code may print; the answer is the last line.
	lines := strings.Split(strings.TrimSpace(out.text.String()), "\n")
	var answer struct {
		Executable, Version, Origin string
		Packages                    map[string]string
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &answer); err != nil {
		return Installation{}, fmt.Errorf("ask %s which code it loads: %w", in.Program, err)
	}
	if answer.Executable == "" {
		return Installation{}, errors.New("ask " + in.Program + " which code it loads: it does not know itself")
	}
	return Installation{record.Python{Executable: answer.Executable, Version: answer.Version, Packages: answer.Packages}, answer.Origin}, nil
}

// capped keeps the beginning of what is written.
type capped struct {
	text strings.Builder
	most int
}

func (c *capped) Write(p []byte) (int, error) {
	if room := c.most - c.text.Len(); room > 0 {
		c.text.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
