// Package fingerprint finds out what a server runs with: its host, its interpreter and
// packages, its environment, its model, and the files that its processes have loaded.
package fingerprint

import (
	"slices"
	"strings"

	"siglab/internal/secret"
)

// Environ is an environment. Its values are hidden, since people keep secrets there.
type Environ map[string]secret.Text

// ReadEnviron takes NAME=VALUE pairs, of which the last one counts.
func ReadEnviron(pairs []string) Environ {
	e := Environ{}
	for _, pair := range pairs {
		if name, value, ok := strings.Cut(pair, "="); ok && name != "" {
			e[name] = secret.New(value)
		}
	}
	return e
}

// steering are the beginnings of the names of variables that steer servers and their
// libraries. Others are about the user, and are not recorded.
var steering = []string{
	"VLLM_", "SGLANG_", "SGL_", "SIGLAB_", "CUDA", "NVIDIA_", "NCCL_", "GLOO_", "TORCH", "PYTORCH_", "PYTHON", "TRITON_", "FLASHINFER_", "XLA_", "JAX_",
	"HF_", "HUGGINGFACE_", "TRANSFORMERS_", "TOKENIZERS_", "RAY_", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "ONEDNN_", "DNNL_", "HIP_", "ROCR_", "AMD_",
	"LD_", "MALLOC_", "GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG", "VIRTUAL_ENV", "CONDA_PREFIX",
}

// Steering are the variables that steer servers, and those that are named, as they may
// be shown: no secrets, and {port} and {worktree} for what differs between runs.
func (e Environ) Steering(named []string, replace *strings.Replacer) map[string]string {
	shown := map[string]string{}
	for name, value := range e {
		if slices.Contains(named, name) || slices.ContainsFunc(steering, func(start string) bool { return strings.HasPrefix(name, start) }) {
			shown[name] = replace.Replace(secret.Variable(name, value))
		}
	}
	return shown
}
