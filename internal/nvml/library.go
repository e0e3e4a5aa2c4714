package nvml

import (
	"bytes"
	"errors"
	"fmt"

	"siglab/internal/cudart"
)

const (
	libraryName = "libnvidia-ml.so.1"
	advice      = "install NVIDIA's driver, or give this container its GPUs (docker run --gpus all), until nvidia-smi lists them"
)

// search lists where the library may be, as for the driver's own.
func search() []string {
	return []string{libraryName, "/usr/local/nvidia/lib64/" + libraryName, "/usr/lib/wsl/lib/" + libraryName, "/run/opengl-driver/lib/" + libraryName}
}

// Library is the management library, started.
type Library struct {
	f functions
	// Driver is the version of the driver, such as "580.65.06"; CUDA the newest version
	// of CUDA that it supports, such as "13.0". "" if they are not known.
	Driver, CUDA string
}

// Open starts the library. Without it the error is a [*cudart.LibraryError].
func Open() (*Library, error) {
	lib, err := cudart.OpenLibrary(libraryName, search(), advice)
	if err != nil {
		return nil, err
	}
	l, err := start(bind(lib.Symbol))
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", lib.Path(), err)
	}
	return l, nil
}

// start initialises the library with these functions.
func start(f functions) (*Library, error) {
	if f.init == nil || f.shutdown == nil || f.count == nil || f.byIndex == nil || f.uuid == nil {
		return nil, errors.New("it lacks functions that every driver since 2017 has; update the driver")
	}
	if c := f.init(); c != success {
		return nil, fmt.Errorf("%w; see whether nvidia-smi lists a GPU here", f.failure("nvmlInit_v2", c))
	}
	l := &Library{f: f}
	if f.driverVersion != nil {
		l.Driver = text(80, func(to *byte, n uint32) code { return f.driverVersion(to, n) })
	}
	var version int32
	if f.cudaVersion != nil && f.cudaVersion(&version) == success {
		l.CUDA = fmt.Sprintf("%d.%d", version/1000, version%1000/10)
	}
	return l, nil
}

// Close ends the use of the library.
func (l *Library) Close() error {
	if c := l.f.shutdown(); c != success {
		return l.f.failure("nvmlShutdown", c)
	}
	return nil
}

// text is what a function writes into a buffer of n bytes, "" if it fails.
func text(n uint32, fill func(to *byte, n uint32) code) string {
	buffer := make([]byte, n)
	if fill(&buffer[0], n) != success {
		return ""
	}
	written, _, _ := bytes.Cut(buffer, []byte{0})
	return string(written)
}
