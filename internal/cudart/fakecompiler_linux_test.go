//go:build !nogpu

package cudart

import (
	"strings"
	"unsafe"
)

// fakeProgram is a program of the fake compiler.
type fakeProgram struct {
	source, name, log, cubin string
	options                  []string
}

var fakePrograms = map[uintptr]*fakeProgram{}

// fakeCompilerFunctions are the C functions of a compiler whose binaries are the
// sources. It does not compile those with "error" in them.
func fakeCompilerFunctions() map[string]any {
	return map[string]any{
		"nvrtcVersion": func(major, minor *int32) int32 { *major, *minor = 12, 9; return 0 },
		"nvrtcCreateProgram": func(p *uintptr, source, name *byte, _ int32, _, _ uintptr) int32 {
			return withFake(func(f *fakeDriver) int32 {
				if code := f.enter("nvrtcCreateProgram"); code != 0 {
					return code
				}
				*p = f.handle()
				fakePrograms[*p] = &fakeProgram{source: goString(source), name: goString(name)}
				return 0
			})
		},
		"nvrtcCompileProgram": func(p uintptr, n int32, options **byte) int32 {
			return withFake(func(f *fakeDriver) int32 {
				program := fakePrograms[p]
				for _, option := range unsafe.Slice(options, n) {
					program.options = append(program.options, goString(option))
				}
				program.log = program.name + "(1): options " + strings.Join(program.options, " ") + "\n"
				if strings.Contains(program.source, "error") {
					return 6
				}
				program.cubin = "cubin of " + program.source
				return f.enter("nvrtcCompileProgram")
			})
		},
		"nvrtcDestroyProgram": func(p *uintptr) int32 {
			return withFake(func(*fakeDriver) int32 { delete(fakePrograms, *p); return 0 })
		},
		"nvrtcGetProgramLogSize": func(p uintptr, n *uint64) int32 {
			return withFake(func(*fakeDriver) int32 { *n = uint64(len(fakePrograms[p].log)) + 1; return 0 })
		},
		"nvrtcGetProgramLog": func(p uintptr, to *byte) int32 {
			return withFake(func(*fakeDriver) int32 {
				log := fakePrograms[p].log + "\x00"
				copy(unsafe.Slice(to, len(log)), log)
				return 0
			})
		},
		"nvrtcGetCUBINSize": func(p uintptr, n *uint64) int32 {
			return withFake(func(*fakeDriver) int32 { *n = uint64(len(fakePrograms[p].cubin)); return 0 })
		},
		"nvrtcGetCUBIN": func(p uintptr, to *byte) int32 {
			return withFake(func(*fakeDriver) int32 {
				cubin := fakePrograms[p].cubin
				copy(unsafe.Slice(to, len(cubin)), cubin)
				return 0
			})
		},
	}
}
