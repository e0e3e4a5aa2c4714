package cudart

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"
)

// Compiler is NVRTC, NVIDIA's run-time compiler. It needs no GPU. Several goroutines
// may use it at once.
type Compiler struct {
	path    string
	version string
	api     compilerAPI
}

// compilerAPI holds the functions of NVRTC that this package calls.
type compilerAPI struct {
	version, create, compile, destroy    symbol
	getLogSize, getLog, getSize, getCode symbol
}

func (a *compilerAPI) bindings() []binding {
	need := func(to *symbol, name string) binding { return binding{to: to, names: []string{name}} }
	return []binding{
		need(&a.version, "nvrtcVersion"),
		need(&a.create, "nvrtcCreateProgram"),
		need(&a.compile, "nvrtcCompileProgram"),
		need(&a.destroy, "nvrtcDestroyProgram"),
		need(&a.getLogSize, "nvrtcGetProgramLogSize"),
		need(&a.getLog, "nvrtcGetProgramLog"),
		need(&a.getSize, "nvrtcGetCUBINSize"),
		need(&a.getCode, "nvrtcGetCUBIN"),
	}
}

// CompileError says that a source is not a valid program. The log tells where.
type CompileError struct {
	Name string // of the source
	Arch string
	Log  string // the compiler's messages
	Err  error  // the call that failed
}

func (e *CompileError) Error() string {
	return fmt.Sprintf("compile %s for %s: %v:\n%s", e.Name, e.Arch, e.Err, e.Log)
}

func (e *CompileError) Unwrap() error { return e.Err }

// OpenCompiler opens libnvrtc, which it looks for in these folders, where the
// system's loader does, in CUDA toolkits and in pip's packages. Without it the error
// is a [*LibraryError].
func OpenCompiler(dirs ...string) (*Compiler, error) {
	lib, err := openLibrary(os.DirFS("/"), compilerLibrary, compilerSearch(dirs), compilerAdvice)
	if err != nil {
		return nil, err
	}
	return newCompiler(lib.path, lib.lookup)
}

// newCompiler is the compiler with these symbols.
func newCompiler(path string, lookup func(name string) uintptr) (*Compiler, error) {
	c := &Compiler{path: path}
	if err := bind(c.api.bindings(), lookup); err != nil {
		return nil, fmt.Errorf("%s: %w: it is older than CUDA 11.2 or not NVIDIA's; %s", path, err, compilerAdvice)
	}
	var major, minor int32
	code := c.api.version.call(uintptr(unsafe.Pointer(&major)), uintptr(unsafe.Pointer(&minor)))
	if err := checkCompiler(c.api.version, code); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c.version = fmt.Sprintf("%d.%d", major, minor)
	return c, nil
}

// Version is the compiler's version of CUDA, such as "13.0".
func (c *Compiler) Version() string { return c.version }

// Path is the file, or the name by which the system's loader found it.
func (c *Compiler) Path() string { return c.path }

// Compile translates a source to a binary (cubin) for an architecture such as
// "sm_90". The name stands for the source in messages. An option that names an
// architecture replaces arch. The log holds the warnings. A source that does not
// compile is a [*CompileError], which has the log as well.
func (c *Compiler) Compile(source, name, arch string, options []string) (cubin []byte, log string, err error) {
	arch, options = architecture(arch, options)
	texts := append([]string{source, name}, options...)
	pointers := make([]*byte, len(texts)) // C strings
	for i, text := range texts {
		if strings.ContainsRune(text, 0) {
			return nil, "", fmt.Errorf("compile %s: a NUL byte in the source, its name or an option", name)
		}
		pointers[i] = &append([]byte(text), 0)[0]
	}

	var program uintptr
	code := c.api.create.call(uintptr(unsafe.Pointer(&program)),
		uintptr(unsafe.Pointer(pointers[0])), uintptr(unsafe.Pointer(pointers[1])), 0, 0, 0)
	if err := checkCompiler(c.api.create, code); err != nil {
		return nil, "", fmt.Errorf("compile %s: %w", name, err)
	}
	defer c.api.destroy.call(uintptr(unsafe.Pointer(&program)))

	code = c.api.compile.call(program, uintptr(len(options)), uintptr(unsafe.Pointer(&pointers[2])))
	compileErr := checkCompiler(c.api.compile, code)
	logged, err := c.fetch(program, c.api.getLogSize, c.api.getLog)
	log = strings.TrimSpace(string(bytes.TrimRight(logged, "\x00")))
	if compileErr != nil {
		if err != nil {
			log = err.Error()
		}
		return nil, log, &CompileError{Name: name, Arch: arch, Log: log, Err: compileErr}
	}
	if err != nil {
		return nil, "", fmt.Errorf("compile %s: %w", name, err)
	}
	cubin, err = c.fetch(program, c.api.getSize, c.api.getCode)
	if err == nil && len(cubin) == 0 {
		err = errors.New("no binary was made: name a real architecture (sm_…), not a virtual one (compute_…)")
	}
	if err != nil {
		return nil, log, fmt.Errorf("compile %s for %s: %w", name, arch, err)
	}
	return cubin, log, nil
}

// fetch gets a result of a program by the pair of functions for its size and for it.
func (c *Compiler) fetch(program uintptr, size, content symbol) ([]byte, error) {
	var n uint64
	if err := checkCompiler(size, size.call(program, uintptr(unsafe.Pointer(&n)))); err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, nil
	}
	buffer := make([]byte, n)
	if err := checkCompiler(content, content.call(program, uintptr(unsafe.Pointer(&buffer[0])))); err != nil {
		return nil, err
	}
	return buffer, nil
}

// compilerStatuses are the names of nvrtcResult. NVRTC has no other texts for them.
var compilerStatuses = []string{
	"NVRTC_SUCCESS", "NVRTC_ERROR_OUT_OF_MEMORY", "NVRTC_ERROR_PROGRAM_CREATION_FAILURE",
	"NVRTC_ERROR_INVALID_INPUT", "NVRTC_ERROR_INVALID_PROGRAM", "NVRTC_ERROR_INVALID_OPTION",
	"NVRTC_ERROR_COMPILATION", "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE",
	"NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION", "NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION",
	"NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID", "NVRTC_ERROR_INTERNAL_ERROR",
}

// checkCompiler turns a status of the compiler into an error.
func checkCompiler(s symbol, code status) error {
	if code == 0 {
		return nil
	}
	e := &Error{Call: s.name, Code: int(code)}
	if code > 0 && int(code) < len(compilerStatuses) {
		e.Name = compilerStatuses[code]
	}
	return e
}

// architecture is the one that is compiled for, and the options that say so.
func architecture(arch string, options []string) (string, []string) {
	for i, option := range options {
		name, value, found := strings.Cut(option, "=")
		switch name {
		case "--gpu-architecture", "-arch":
			if !found && i+1 < len(options) {
				value = options[i+1]
			}
			return value, options
		}
	}
	return arch, append([]string{"--gpu-architecture=" + arch}, options...)
}
