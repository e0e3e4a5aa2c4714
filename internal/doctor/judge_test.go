package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"siglab/internal/hub"
	"siglab/internal/inspect"
	"siglab/internal/nvml"
)

// verdict is a check's outcome, with parts of its texts.
type verdict struct{ status, detail, fix string }

func (v verdict) holds(t *testing.T, name string, c Check) {
	t.Helper()
	if c.Status != v.status || !strings.Contains(c.Detail, v.detail) || !strings.Contains(c.Fix, v.fix) || (c.Status == Warn || c.Status == Fail) && c.Fix == "" {
		t.Errorf("%s: %+v, want %+v", name, c, v)
	}
}

func TestGPU(t *testing.T) {
	card := nvml.Device{Index: 1, Name: "H100", UUID: "GPU-a", MemoryBytes: 80 << 30}
	tests := []struct {
		name      string
		reading   nvml.Reading
		processes []nvml.Process
		want      verdict
	}{
		{"a GPU at rest", nvml.Reading{MemoryUsed: new(uint64(1 << 30)), Utilization: new(0), Celsius: new(35)}, nil,
			verdict{OK, "1: H100, GPU-a, driver 580, 1.0 of 80.0 GiB in use, busy 0 %, 35 °C", ""}},
		{"one whose memory is taken", nvml.Reading{MemoryUsed: new(uint64(60 << 30))}, []nvml.Process{{PID: 12}, {PID: 34}}, verdict{Warn, "60.0 of 80.0", "free its memory (processes 12, 34)"}},
		{"one that computes for somebody", nvml.Reading{Utilization: new(90)}, []nvml.Process{{PID: 0}}, verdict{Warn, "busy 90 %", "end what runs on it:"}},
		{"a hot one", nvml.Reading{Celsius: new(90)}, nil, verdict{Warn, "90 °C", "cool down"}},
		{"one that tells nothing", nvml.Reading{}, nil, verdict{OK, "H100", ""}},
	}
	for _, tt := range tests {
		tt.want.holds(t, tt.name, gpu(card, tt.reading, tt.processes, "580"))
	}
}

func TestNewer(t *testing.T) {
	tests := []struct {
		version, driver string
		want            bool
	}{{"13.1", "12.8", true}, {"13.1", "13.0", false}, {"12.4", "13.0", false}, {"13.0", "", false}, {"", "13.0", false}}
	for _, tt := range tests {
		if got := newer(tt.version, tt.driver); got != tt.want {
			t.Errorf("CUDA %q with a driver for %q: %v", tt.version, tt.driver, got)
		}
	}
}

func TestMachine(t *testing.T) {
	verdict{OK, "tsc", ""}.holds(t, "a fast clock", judgeClock("tsc"))
	verdict{OK, "kvm-clock", ""}.holds(t, "a virtual machine's", judgeClock("kvm-clock"))
	verdict{Warn, "hpet", "tsc"}.holds(t, "a slow clock", judgeClock("hpet"))
	verdict{OK, "0.2 %", ""}.holds(t, "a host of one's own", judgeSteal(0.2, 3))
	verdict{Warn, "7.0 %", "of your own"}.holds(t, "a shared host", judgeSteal(7, 3))
}

func TestHub(t *testing.T) {
	says := func(account string, err error) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return account, err }
	}
	tests := []struct {
		name string
		o    Options
		want verdict
	}{
		{"logged in", Options{Hub: says("somebody", nil), Login: true}, verdict{OK, "logged in as somebody", ""}},
		{"without a login", Options{Hub: says("", nil)}, verdict{OK, "hf auth login", ""}},
		{"a token that is not valid", Options{Hub: says("", fmt.Errorf("%w: 401", hub.ErrDenied)), Login: true}, verdict{Warn, "401", "not valid"}},
		{"no network", Options{Hub: says("", hub.ErrUnreachable)}, verdict{Warn, "cannot be reached", "HF_ENDPOINT"}},
		{"switched off", Options{Hub: says("", hub.ErrOffline)}, verdict{Absent, "HF_HUB_OFFLINE", "unset"}},
		{"not asked", Options{}, verdict{Absent, "not asked", ""}},
	}
	for _, tt := range tests {
		tt.want.holds(t, tt.name, hubAccess(t.Context(), tt.o))
	}
}

func TestModel(t *testing.T) {
	siglip := inspect.Report{Model: "m", Architecture: "A", VisionTower: "SigLIP/14", ConfigClass: "SiglipVisionConfig", UsesSigLIP: inspect.Yes}
	with := func(when inspect.When) inspect.Report {
		r := siglip
		r.When, r.Reason = when, "because"
		return r
	}
	tests := []struct {
		name    string
		reports []inspect.Report
		err     error
		want    []verdict
	}{
		{"SigLIP that never interpolates", []inspect.Report{with(inspect.Never)}, nil, []verdict{{OK, "takes images", ""}, {OK, "SiglipVisionConfig", ""}, {Warn, "never: because", "expect no difference"}}},
		{"SigLIP that always does", []inspect.Report{with(inspect.EveryImage)}, nil, []verdict{{OK, "", ""}, {OK, "", ""}, {OK, "every image", ""}}},
		{"SigLIP that is asked to", []inspect.Report{with(inspect.OnRequest)}, nil, []verdict{{OK, "", ""}, {OK, "", ""}, {Warn, "on request", "interpolate_pos_encoding=True"}}},
		{"another tower", []inspect.Report{{Model: "m", VisionTower: "CLIP", UsesSigLIP: inspect.No, When: inspect.Never}}, nil, []verdict{{OK, "", ""}, {Warn, "CLIP", "with SigLIP"}, {Warn, "never", ""}}},
		{"an unknown one", []inspect.Report{{Model: "m", VisionTower: "unknown", When: inspect.NotKnown}}, nil, []verdict{{OK, "", ""}, {Warn, "unknown", "modelling code"}, {Warn, "not known", "VLLM_DEBUG_SIGLIP"}}},
		{"text only", nil, fmt.Errorf("config.json: %w", inspect.ErrTextOnly), []verdict{{Fail, "takes no images", "paligemma"}}},
		{"text only, among others", []inspect.Report{{Model: "m", VisionTower: "none"}}, nil, []verdict{{Fail, "takes no images", "paligemma"}}},
		{"none", nil, errors.New("not a file"), []verdict{{Fail, "not a file", "hub"}}},
	}
	for _, tt := range tests {
		got := model(t.Context(), Model{Name: "m", Inspect: func(context.Context) ([]inspect.Report, error) { return tt.reports, tt.err }})
		if len(got) != len(tt.want) {
			t.Errorf("%s: %+v", tt.name, got)
			continue
		}
		for i := range got {
			tt.want[i].holds(t, tt.name, got[i])
		}
	}
}

func TestVLLM(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the interpreters of this test are shell scripts")
	}
	tests := []struct {
		name, script string
		want         verdict
	}{
		{"there", `echo "INFO: loading"; echo '{"python":"3.12","found":true,"vllm":"0.24.0","where":"/x","torch":"2.11","cuda":"13.0","gpu":true}'`, verdict{OK, "0.24.0, torch 2.11 for CUDA 13.0", ""}},
		{"for the CPU", `echo '{"python":"3.12","found":true,"vllm":"0.32.0","where":"/x","torch":"2.13"}'`, verdict{OK, "for the CPU", ""}},
		{"without its GPU", `echo '{"python":"3.12","found":true,"vllm":"0.24.0","torch":"2.11","cuda":"13.0"}'`, verdict{Warn, "torch sees no GPU", "driver"}},
		{"not there", `echo '{"python":"3.12","found":false}'`, verdict{Absent, "Python 3.12", "pip install vllm"}},
		{"broken", `echo '{"python":"3.12","found":true,"error":"ImportError: libtorch.so"}'`, verdict{Warn, "ImportError: libtorch.so", "belong together"}},
		{"that crashes", `echo "Segmentation fault" >&2; exit 139`, verdict{Warn, "exit status 139: Segmentation fault", "import vllm"}},
		{"no Python", `echo hello`, verdict{Warn, "hello", "Python 3"}},
	}
	for _, tt := range tests {
		python := filepath.Join(t.TempDir(), "python")
		if err := os.WriteFile(python, []byte("#!/bin/sh\n"+tt.script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		tt.want.holds(t, tt.name, vllm(t.Context(), python))
	}
	verdict{Absent, "no-such-python", "pip install vllm"}.holds(t, "no interpreter", vllm(t.Context(), "no-such-python"))
}

func FuzzParsePython(f *testing.F) {
	f.Add([]byte("warning\n{\"found\": true}\n"))
	f.Add([]byte(""))
	f.Fuzz(func(_ *testing.T, out []byte) {
		if said, err := parsePython(out); err == nil {
			judgeVLLM("python", said, "install it")
		}
	})
}
