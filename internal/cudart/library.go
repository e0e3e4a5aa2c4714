package cudart

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// LibraryError says that a library of NVIDIA's could not be used.
type LibraryError struct {
	Library  string   // such as "libcuda.so.1"
	Searched []string // in order; a name without a folder is the dynamic loader's own search
	Cause    error    // of the last file that was there, otherwise of the loader's search
	Advice   string   // the next step
}

func (e *LibraryError) Error() string {
	searched := ""
	if len(e.Searched) > 0 {
		searched = fmt.Sprintf(" (searched %s)", strings.Join(e.Searched, ", "))
	}
	return fmt.Sprintf("load %s: %v%s; %s", e.Library, e.Cause, searched, e.Advice)
}

func (e *LibraryError) Unwrap() error { return e.Cause }

var errNoLoader = errors.New("this build opens no libraries: it is not for Linux, or has the tag nogpu")

// symbol is a C function of an opened library.
type symbol struct {
	name    string
	address uintptr
}

// status is what a C function of CUDA returns: 0 for success.
type status int32

// library is an opened shared library.
type library struct {
	path   string
	handle uintptr
}

// Library is an opened library of NVIDIA's, for packages that declare its functions
// themselves. It stays open until the process ends.
type Library struct{ opened library }

// OpenLibrary opens the first file of a search list that can be opened: names without
// a folder are found by the system's loader, patterns with one are expanded, the
// highest version first. Otherwise the error is a [*LibraryError].
func OpenLibrary(name string, search []string, advice string) (Library, error) {
	l, err := openLibrary(os.DirFS("/"), name, search, advice)
	return Library{l}, err
}

// Path is the file that was opened.
func (l Library) Path() string { return l.opened.path }

// Symbol is the address of a function, 0 if the library lacks it.
func (l Library) Symbol(name string) uintptr { return l.opened.lookup(name) }

// lookup gives the address of a symbol, 0 if the library lacks it.
func (l library) lookup(name string) uintptr { return dlsym(l.handle, name) }

// openLibrary opens the first file of the search list, expanded under root, that
// can be opened.
func openLibrary(root fs.FS, name string, search []string, advice string) (library, error) {
	if !hasLoader {
		return library{}, &LibraryError{
			Library: name, Cause: errNoLoader,
			Advice: "use a build for Linux without that tag, on a machine with an NVIDIA GPU, or compute on the CPU",
		}
	}
	failed := &LibraryError{Library: name, Searched: search, Advice: advice}
	for _, file := range expand(root, search) {
		handle, err := dlopen(file)
		if err == nil {
			return library{path: file, handle: handle}, nil
		}
		if failed.Cause == nil || strings.Contains(file, "/") {
			failed.Cause = err
		}
	}
	return library{}, failed
}

// expand replaces the patterns in a search list by the files that match them, those
// of the highest version first. Names without a folder stay: the loader finds them.
func expand(root fs.FS, search []string) []string {
	var files []string
	for _, pattern := range search {
		if !strings.Contains(pattern, "/") {
			files = append(files, pattern)
			continue
		}
		// The error of a malformed pattern is that nothing matches it.
		matches, _ := fs.Glob(root, strings.TrimPrefix(path.Clean(pattern), "/"))
		slices.SortFunc(matches, func(a, b string) int { return compareVersions(b, a) })
		for _, match := range matches {
			files = append(files, "/"+match)
		}
	}
	return files
}

// compareVersions orders texts with their numbers as numbers: "cuda-9" before
// "cuda-12.4" before "cuda-12.10".
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		m, n := digits(a), digits(b)
		if m > 0 && n > 0 {
			x, _ := strconv.ParseUint(a[:m], 10, 64) // the highest number if out of range
			y, _ := strconv.ParseUint(b[:n], 10, 64)
			if x != y {
				return cmp.Compare(x, y)
			}
			a, b = a[m:], b[n:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits counts the digits that a text begins with.
func digits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}
