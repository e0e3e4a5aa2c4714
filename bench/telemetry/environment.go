package telemetry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/klauspost/cpuid/v2"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"

	"siglab/bench/record"
)

// Environment takes the fingerprint of the host and of the program at exe.
func Environment(ctx context.Context, exe string) (record.Environment, error) {
	env := record.Environment{
		OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(), Cores: runtime.NumCPU(),
		CPU: cpuid.CPU.BrandName, Features: features(),
	}
	if env.CPU == "" {
		env.CPU = "unknown"
	}
	if info, err := host.InfoWithContext(ctx); err == nil {
		env.Kernel = info.KernelVersion
	}
	if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		env.MemoryMB = m.Total >> 20
	}
	var err error
	env.BinaryHash, err = FileHash(exe)
	return env, err
}

// features lists the instruction sets that decide which kernels can run.
func features() []string {
	var have []string
	for _, f := range []cpuid.FeatureID{
		cpuid.SSE42, cpuid.AVX, cpuid.FMA3, cpuid.AVX2, cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512VL, cpuid.AVX512BF16, cpuid.AMXBF16, cpuid.ASIMD,
	} {
		if cpuid.CPU.Supports(f) {
			have = append(have, f.String())
		}
	}
	return have
}

// FileHash is the SHA-256 of a file, in hex.
func FileHash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("hash: %w", err)
	}
	defer func() { _ = f.Close() }() // opened for reading
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("hash %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
