package launch

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

const (
	mostLines = 8
	mostTail  = 256 << 10 // bytes of a log that are looked at
	mostLine  = 300       // bytes of a line that is quoted
)

// lastLines explains what this child logged and quotes its end, for errors.
func (p *Process) lastLines() string {
	tail := p.logTail()
	if strings.TrimSpace(tail) == "" {
		return "; see " + p.spec.Log
	}
	lines := strings.Split(strings.TrimSpace(tail), "\n")
	if len(lines) > mostLines {
		lines = lines[len(lines)-mostLines:]
	}
	for i, line := range lines {
		lines[i] = shortened(line)
	}
	explained := ""
	if why := Explain(tail); why != "" {
		explained = "; " + why
	}
	return fmt.Sprintf("%s; last lines of %s: %s", explained, p.spec.Log, strings.Join(lines, " | "))
}

// logTail is the end of what this child logged; "" if it cannot be read.
func (p *Process) logTail() string {
	f, err := os.Open(p.spec.Log)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // opened for reading
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	from := max(p.logged, info.Size()-mostTail)
	data, err := io.ReadAll(io.NewSectionReader(f, from, info.Size()-from))
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(string(data), "\uFFFD")
}

func shortened(line string) string {
	line = strings.TrimSpace(line)
	if len(line) > mostLine {
		return strings.ToValidUTF8(line[:mostLine], "") + "…"
	}
	return line
}

// known are causes that servers log, and what to do about each: the causes of others
// come first.
var known = []struct {
	pattern *regexp.Regexp
	means   string
}{
	{regexp.MustCompile(`(?i)CUDA out of memory|OutOfMemoryError|CUDA_ERROR_OUT_OF_MEMORY|HIP out of memory`),
		"the GPU ran out of memory: free it (nvidia-smi), or lower --gpu-memory-utilization, --max-model-len or --max-num-seqs"},
	{regexp.MustCompile(`(?i)less than desired GPU memory utilization`),
		"something else holds memory of the GPU: free it (nvidia-smi), or lower --gpu-memory-utilization"},
	{regexp.MustCompile(`(?i)No available memory for the cache blocks|KV cache is needed, which is larger than`),
		"no memory is left for the KV cache: lower --max-model-len, or raise --gpu-memory-utilization (on a CPU VLLM_CPU_KVCACHE_SPACE)"},
	{regexp.MustCompile(`(?i)no kernel image is available|CUDA driver version is insufficient|forward compatibility was attempted`),
		"the GPU's driver and the installed CUDA do not fit each other: see siglab doctor"},
	{regexp.MustCompile(`(?i)CUDA error|CUDA_ERROR_|cudaError|NCCL error|device-side assert|illegal memory access`),
		"the GPU reported an error: CUDA_LAUNCH_BLOCKING=1 names the call, dmesg may tell of the hardware"},
	{regexp.MustCompile(`(?i)No CUDA GPUs are available|Found no NVIDIA driver|Failed to infer device type`),
		"no GPU was found: see siglab doctor"},
	{regexp.MustCompile(`(?i)Cannot allocate memory|std::bad_alloc|^MemoryError|\bMemoryError\b|DefaultCPUAllocator: can't allocate`),
		"the machine ran out of memory"},
	{regexp.MustCompile(`(?i)No space left on device`),
		"the disk is full"},
	{regexp.MustCompile(`(?i)Address already in use|EADDRINUSE`),
		"its port is taken: leave --port out for a free one, or see siglab doctor --port"},
	{regexp.MustCompile(`(?i)gated repo|401 Client Error|403 Client Error|Repository Not Found`),
		"the hub refused the model: log in (HF_TOKEN) and accept its terms, or give a local directory"},
	{regexp.MustCompile(`(?i)couldn't connect to '?https://huggingface\.co|LocalEntryNotFoundError|OfflineModeIsEnabled`),
		"the hub was not reached and the model is not in its cache: give a local directory"},
	{regexp.MustCompile(`(?i)ModuleNotFoundError|ImportError|cannot open shared object file|undefined symbol`),
		"a part of its installation is missing or does not fit"},
	{regexp.MustCompile(`(?i)unrecognized arguments|invalid choice|error: argument `),
		"it does not know an argument that it was given"},
	{regexp.MustCompile(`(?i)Permission denied`),
		"a file or device may not be used"},
	{regexp.MustCompile(`(?i)Segmentation fault|SIGSEGV|Illegal instruction|SIGILL|core dumped`),
		"it crashed in native code"},
}

// Explain names the cause of a server's end that its log tells, with the line that
// tells it and what to do; "" if none is known.
func Explain(log string) string {
	for _, cause := range known {
		at := cause.pattern.FindStringIndex(log)
		if at == nil {
			continue
		}
		begin := strings.LastIndexByte(log[:at[0]], '\n') + 1
		line, _, _ := strings.Cut(log[begin:], "\n")
		return fmt.Sprintf("%s (its log: %q)", cause.means, shortened(line))
	}
	return ""
}
