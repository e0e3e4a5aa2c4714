// Package doc_test checks that the documents speak of what the code has.
package doc_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// literals are the string literals of the non-test files of a package.
func literals(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	var found []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil {
					found = append(found, text)
				}
			}
			return true
		})
	}
	return found
}

// TestCodesAndGates: every warning, note and gate of the comparison is explained.
func TestCodesAndGates(t *testing.T) {
	text, err := os.ReadFile("experiment-design.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	gate := regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)+$|^(trigger|environment|complete)$`)
	codes, gates := 0, 0
	for _, literal := range literals(t, filepath.Join("..", "bench", "compare")) {
		isCode := code.MatchString(literal) && literal != "each-block" // a restart policy
		isGate := gate.MatchString(literal) && !strings.HasSuffix(literal, "_ms") && !strings.HasSuffix(literal, "_throughput") && !strings.HasSuffix(literal, "_goodput")
		if !isCode && !isGate {
			continue
		}
		if isCode {
			codes++
		} else {
			gates++
		}
		if !strings.Contains(string(text), "| `"+literal+"` |") {
			t.Errorf("experiment-design.md does not explain %q", literal)
		}
	}
	if codes < 20 || gates < 13 {
		t.Errorf("only %d codes and %d gates were found: does this test still look in the right place?", codes, gates)
	}
}

// TestNotes: every note of a run is explained.
func TestNotes(t *testing.T) {
	text, err := os.ReadFile("experiment-design.md")
	if err != nil {
		t.Fatal(err)
	}
	load, err := os.ReadFile(filepath.Join("..", "bench", "record", "load.go"))
	if err != nil {
		t.Fatal(err)
	}
	notes := regexp.MustCompile(`\n\tNote[A-Za-z]+ += "([^"]+)"`).FindAllStringSubmatch(string(load), -1)
	for _, note := range notes {
		if !strings.Contains(string(text), "| `"+note[1]+"` |") {
			t.Errorf("experiment-design.md does not explain the note %q", note[1])
		}
	}
	if len(notes) < 7 {
		t.Errorf("only %d notes were found: does this test still look in the right place?", len(notes))
	}
}

// TestNoStaleCodes: what the tables of codes explain, the code can say.
func TestNoStaleCodes(t *testing.T) {
	text, err := os.ReadFile("experiment-design.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, dir := range []string{"compare", "sidebyside", "peerfiles", "record"} {
		for _, literal := range literals(t, filepath.Join("..", "bench", dir)) {
			said[literal] = true
		}
	}
	_, tables, found := strings.Cut(string(text), "## Warnings and notes")
	if !found {
		t.Fatal("the chapter of warnings is gone")
	}
	for _, match := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)`").FindAllStringSubmatch(tables, -1) {
		if !said[match[1]] {
			t.Errorf("experiment-design.md explains %q, which nothing says", match[1])
		}
	}
}

// TestCodesOfFiles: every code of comparisons of files is explained.
func TestCodesOfFiles(t *testing.T) {
	text, err := os.ReadFile("experiment-design.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	names := map[string]bool{"inference-perf": true, "openai-chat": true} // no codes
	found := 0
	for _, dir := range []string{"sidebyside", "peerfiles"} {
		for _, literal := range literals(t, filepath.Join("..", "bench", dir)) {
			if !code.MatchString(literal) || names[literal] {
				continue
			}
			found++
			if !strings.Contains(string(text), "`"+literal+"`") {
				t.Errorf("experiment-design.md does not explain %q", literal)
			}
		}
	}
	if found < 25 {
		t.Errorf("only %d codes were found: does this test still look in the right place?", found)
	}
}

// TestLinks: files that the documents link to are there.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, name := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"} {
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(match[1]))); err != nil {
				t.Errorf("%s links to %s: %v", name, match[1], err)
			}
		}
	}
}
