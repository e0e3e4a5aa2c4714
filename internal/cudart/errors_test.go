package cudart

import (
	"errors"
	"fmt"
	"testing"
)

func TestError(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		text   string
		memory bool
	}{
		{"the driver's text after its name",
			&Error{Call: "cuMemAlloc_v2(1073741824 bytes)", Code: 2, Name: "CUDA_ERROR_OUT_OF_MEMORY", Text: "out of memory"},
			"cuMemAlloc_v2(1073741824 bytes): CUDA_ERROR_OUT_OF_MEMORY: out of memory", true},
		{"the compiler has names only, and another meaning for 2",
			&Error{Call: "nvrtcCreateProgram", Code: 2, Name: "NVRTC_ERROR_PROGRAM_CREATION_FAILURE"},
			"nvrtcCreateProgram: NVRTC_ERROR_PROGRAM_CREATION_FAILURE", false},
		{"a status newer than the texts", &Error{Call: "cuInit", Code: 4711}, "cuInit: unknown status 4711", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wrapped := fmt.Errorf("wrapped: %w", tt.err)
			if got := tt.err.Error(); got != tt.text {
				t.Errorf("text %q, want %q", got, tt.text)
			}
			if got := errors.Is(wrapped, ErrOutOfMemory); got != tt.memory {
				t.Errorf("out of memory: %v, want %v", got, tt.memory)
			}
		})
	}
}

func TestDetail(t *testing.T) {
	if err := detail(nil, "%d bytes", 1); err != nil {
		t.Errorf("success became %v", err)
	}
	if err := detail(&Error{Call: "f", Name: "N"}, "%d bytes", 5); err.Error() != "f(5 bytes): N" {
		t.Errorf("error: %v", err)
	}
	if err := detail(errFreed, "%d bytes", 5); !errors.Is(err, errFreed) {
		t.Errorf("error: %v", err)
	}
}

func TestGoString(t *testing.T) {
	text := []byte("no error\x00more")
	if got := goString(&text[0]); got != "no error" {
		t.Errorf("%q", got)
	}
	if got := goString(nil); got != "" {
		t.Errorf("%q", got)
	}
}
