package siglab

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sourceFile is one Go file of the module, tests included.
type sourceFile struct {
	path    string // slash-separated, from the root
	syntax  *ast.File
	imports []string
}

func (f sourceFile) test() bool { return strings.HasSuffix(f.path, "_test.go") }

func (f sourceFile) dir() string { return path.Dir(f.path) }

// in reports whether the file is in one of these folders or below.
func (f sourceFile) in(dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool { return under(f.dir(), d) })
}

func under(dir, parent string) bool { return dir == parent || strings.HasPrefix(dir, parent+"/") }

// sources parses every Go file of this module; other modules and test data are not
// of it.
func sources(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if entry.IsDir() {
			skip := name != "." && (strings.HasPrefix(entry.Name(), ".") || strings.HasPrefix(entry.Name(), "_") || entry.Name() == "testdata" || name == "tools")
			if skip {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		syntax, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		file := sourceFile{path: name, syntax: syntax}
		for _, spec := range syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			file.imports = append(file.imports, imported)
		}
		files = append(files, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("only %d files were found", len(files))
	}
	return files
}

var (
	analysis = []string{"bench/compare", "bench/report", "bench/runlog", "bench/record", "bench/vllmbench", "bench/peerfiles", "bench/sidebyside", "bench/sweep", "bench/history"}
	pure     = []string{"bench/record", "bench/arrival", "bench/compare", "bench/report", "bench/vllmbench", "bench/sidebyside", "bench/sweep", "bench/changepoint", "bench/workload", "posembed"}
)

// TestImports enforces who may import whom.
func TestImports(t *testing.T) {
	rules := []struct {
		name   string
		from   []string // folders that the rule is for
		but    []string // folders of them that it is not for
		tests  bool     // also for test files
		never  []string // folders of this module, or other packages
		reason string
	}{
		{"bench does not know the engine", []string{"bench"}, nil, true, []string{"siglab/engine"},
			"the engine is just another server: the two meet on the wire"},
		{"the engine does not know bench", []string{"engine"}, nil, true, []string{"siglab/bench"},
			"the engine is just another server: the two meet on the wire"},
		{"analysis does not execute", analysis, nil, false,
			[]string{"siglab/bench/experiment", "siglab/bench/loadgen", "siglab/bench/chatclient", "siglab/bench/launch", "siglab/bench/variant", "siglab/bench/telemetry", "siglab/bench/calibrate", "siglab/bench/truthserver"},
			"a result is a function of the run directory, so that it can be made again later, elsewhere"},
		{"pure packages touch nothing", pure, nil, false, []string{"os/exec", "net", "net/http", "log", "log/slog", "math/rand", "unsafe", "os/signal"},
			"their results depend on their arguments alone"},
		{"the core stands alone", []string{"posembed"}, []string{"posembed/posembedcuda"}, false, []string{"siglab/bench", "siglab/engine", "siglab/internal", "siglab/chatapi"},
			"others import it as a library"},
		{"the core on a GPU stands on the driver alone", []string{"posembed/posembedcuda"}, nil, false, []string{"siglab/bench", "siglab/engine", "siglab/chatapi"},
			"others import it as a library"},
		{"wire types stand alone", []string{"chatapi"}, nil, false, []string{"siglab/bench", "siglab/engine", "siglab/internal"},
			"both sides of the wire use them"},
		{"internal packages serve, they do not know", []string{"internal"}, nil, true, []string{"siglab/bench", "siglab/engine"},
			"they are shared by bench and engine"},
		{"nobody imports the command", []string{"bench", "engine", "posembed", "internal", "chatapi"}, nil, true, []string{"siglab/cmd"},
			"the command is on top"},
		{"one random source", []string{"bench", "engine", "posembed", "internal", "cmd"}, nil, true, []string{"math/rand"},
			"math/rand/v2 has sources that are passed in"},
		{"no cgo", []string{"bench", "engine", "posembed", "internal", "cmd", "chatapi"}, nil, true, []string{"C"},
			"one static binary, built anywhere"},
	}
	files := sources(t)
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			applied := 0
			for _, f := range files {
				if !f.in(rule.from...) || f.in(rule.but...) || f.test() && !rule.tests {
					continue
				}
				applied++
				for _, imported := range f.imports {
					if slices.ContainsFunc(rule.never, func(n string) bool { return forbidden(imported, n) }) {
						t.Errorf("%s imports %s: %s", f.path, imported, rule.reason)
					}
				}
			}
			if applied == 0 {
				t.Errorf("the rule applies to no file: are the folders %v still there?", rule.from)
			}
		})
	}
}

// forbidden matches packages of this module with all below, others exactly.
func forbidden(imported, never string) bool {
	if strings.HasPrefix(never, "siglab/") {
		return under(imported, never)
	}
	return imported == never
}

// TestCalls enforces which functions may be called where.
func TestCalls(t *testing.T) {
	rules := []struct {
		name   string
		where  func(f sourceFile) bool
		calls  []string // package.Function
		reason string
	}{
		{"pure packages read no clock", func(f sourceFile) bool { return f.in(pure...) },
			[]string{"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.NewTimer", "time.NewTicker", "time.AfterFunc", "time.Tick"},
			"their results depend on their arguments alone"},
		{"pure packages use no global randomness", func(f sourceFile) bool { return f.in(pure...) },
			[]string{"rand.Int", "rand.IntN", "rand.Float64", "rand.Uint64", "rand.Perm", "rand.Shuffle", "rand.NormFloat64", "rand.ExpFloat64", "rand.N"},
			"a seeded source is passed in, and its seed recorded"},
		{"only the command knows its surroundings", func(f sourceFile) bool { return !f.in("cmd") },
			[]string{"os.Exit", "os.Getenv", "os.LookupEnv", "os.Environ", "log.Fatal", "log.Fatalf", "log.Fatalln", "flag.Parse"},
			"packages are told what they need, and return errors"},
	}
	files := sources(t)
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			for _, f := range files {
				if f.test() || !rule.where(f) {
					continue
				}
				ast.Inspect(f.syntax, func(n ast.Node) bool {
					if name := selector(n); slices.Contains(rule.calls, name) || name == "os.Args" && !f.in("cmd") {
						t.Errorf("%s uses %s: %s", f.path, name, rule.reason)
					}
					return true
				})
			}
		})
	}
}

// selector is "package.Name" for such an expression, "" otherwise.
func selector(n ast.Node) string {
	s, ok := n.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + s.Sel.Name
}

// TestNoInit: what must happen first is done by a constructor.
func TestNoInit(t *testing.T) {
	for _, f := range sources(t) {
		for _, decl := range f.syntax.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function: registries filled behind the reader's back are not used here", f.path)
			}
		}
	}
}

// TestPackageDocs wants a sentence for every package.
func TestPackageDocs(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range sources(t) {
		if f.test() {
			continue
		}
		dir := f.dir()
		documented[dir] = documented[dir] || f.syntax.Doc != nil && strings.Contains(f.syntax.Doc.Text(), ".")
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no doc sentence", dir)
		}
	}
}

// TestNoUnfinishedWork: what is not done is said in the documents, not left in code.
func TestNoUnfinishedWork(t *testing.T) {
	for _, f := range sources(t) {
		if f.path == "rules_test.go" {
			continue
		}
		for _, group := range f.syntax.Comments {
			for _, word := range []string{"TODO", "FIXME", "XXX", "HACK"} {
				if strings.Contains(group.Text(), word) {
					t.Errorf("%s: a comment says %s", f.path, word)
				}
			}
		}
	}
}
