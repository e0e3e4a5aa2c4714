package fingerprint

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"siglab/bench/record"
)

// Host reads what files of the system tell besides the processor: the GPU's driver, the
// CUDA toolkit, the frequency governor and the container. root is "/", or another tree
// for tests.
func Host(root string, env *record.Environment) {
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(data))
	}
	if m := driverVersion.FindStringSubmatch(read("proc/driver/nvidia/version")); m != nil {
		env.Driver = m[1]
	}
	var toolkit struct {
		CUDA struct {
			Version string `json:"version"`
		} `json:"cuda"`
	}
	if json.Unmarshal([]byte(read("usr/local/cuda/version.json")), &toolkit) == nil {
		env.CUDA = toolkit.CUDA.Version
	}
	env.Governor = read("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
	env.Container = container(read, func(name string) bool {
		_, err := os.Stat(filepath.Join(root, name))
		return err == nil
	})
}

// driverVersion is in a line such as "NVRM version: NVIDIA UNIX x86_64 Kernel Module
// 550.54.15  Tue Mar …", or "… Open Kernel Module for x86_64  570.86 …".
var driverVersion = regexp.MustCompile(`NVRM version:.*?\s(\d+\.\d+(?:\.\d+)?)\s`)

// container is the kind of container that this is, "" for none that is known.
func container(read func(string) string, there func(string) bool) string {
	switch cgroups := read("proc/1/cgroup"); {
	case there(".dockerenv"):
		return "docker"
	case there("run/.containerenv"):
		return "podman"
	case strings.Contains(cgroups, "kubepods") || there("var/run/secrets/kubernetes.io"):
		return "kubernetes"
	case strings.Contains(cgroups, "docker"):
		return "docker"
	case strings.Contains(cgroups, "lxc"):
		return "lxc"
	case there(".singularity.d"):
		return "singularity"
	}
	return ""
}
