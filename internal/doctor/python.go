package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// pythonPatience bounds the import of vLLM, which loads torch.
const pythonPatience = time.Minute

// probe asks an interpreter for vLLM: whether it is there, then whether it imports.
const probe = `
import importlib.util, json, sys
said = {"python": sys.version.split()[0], "found": importlib.util.find_spec("vllm") is not None}
if said["found"]:
    try:
        import vllm, torch
        said["vllm"] = getattr(vllm, "__version__", "unknown")
        said["where"] = vllm.__file__
        said["torch"] = torch.__version__
        said["cuda"] = torch.version.cuda or ""
        said["gpu"] = bool(torch.cuda.is_available())
    except Exception as e:
        said["error"] = type(e).__name__ + ": " + str(e)
print("\n" + json.dumps(said))
`

// pythonSaid is what the probe prints, last.
type pythonSaid struct {
	Python string `json:"python"`
	Found  bool   `json:"found"`
	VLLM   string `json:"vllm"`
	Where  string `json:"where"`
	Torch  string `json:"torch"`
	CUDA   string `json:"cuda"` // of torch's build, "" for the CPU's
	GPU    bool   `json:"gpu"`
	Error  string `json:"error"`
}

// vllm sees whether an interpreter has vLLM and can import it.
func vllm(ctx context.Context, python string) Check {
	const install = "install it: python -m pip install vllm, and name its interpreter with --python; the embedded engine needs none"
	path, err := exec.LookPath(python)
	if err != nil {
		return absent("vllm", install, "no interpreter %q", python)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, pythonPatience, fmt.Errorf("no answer in %v", pythonPatience))
	defer cancel()
	command := exec.CommandContext(ctx, path, "-c", probe)
	command.WaitDelay = time.Second // for what it may have started
	out, err := command.Output()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return warn("vllm", "see what `"+python+" -c 'import vllm'` says", "%s: %v%s", path, err, lastLine(err))
	}
	said, err := parsePython(out)
	if err != nil {
		return warn("vllm", "see whether "+path+" is Python 3", "%s: %v", path, err)
	}
	return judgeVLLM(path, said, install)
}

func judgeVLLM(path string, said pythonSaid, install string) Check {
	switch {
	case !said.Found:
		return absent("vllm", install, "%s (Python %s) has none", path, said.Python)
	case said.Error != "":
		return warn("vllm", "install vLLM and torch in versions that belong together (python -m pip check), for this machine's GPU or CPU; --python names another interpreter", "%s has it and cannot import it: %s", path, said.Error)
	}
	torch := "for the CPU"
	if said.CUDA != "" {
		torch = "for CUDA " + said.CUDA
	}
	detail := fmt.Sprintf("%s, torch %s %s, Python %s, %s", said.VLLM, said.Torch, torch, said.Python, said.Where)
	if said.CUDA != "" && !said.GPU {
		return warn("vllm", "see the checks of the GPU and its driver, or install a build for the CPU", "%s; torch sees no GPU", detail)
	}
	return ok("vllm", "%s", detail)
}

// parsePython reads the last line that is JSON: imports may print before it.
func parsePython(out []byte) (pythonSaid, error) {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var said pythonSaid
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &said); err != nil {
		return said, fmt.Errorf("it answered %.100q", lines[len(lines)-1])
	}
	return said, nil
}

// lastLine is the end of what a failed program wrote to its standard error.
func lastLine(err error) string {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
	if lines[len(lines)-1] == "" {
		return ""
	}
	return ": " + lines[len(lines)-1]
}
