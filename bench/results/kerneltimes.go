package results

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"siglab/bench/runlog"
)

// SetKernelTimes keeps, by variant, what resampling one image takes, for servers that do
// not tell it. Other variants keep the times that they had.
func SetKernelTimes(dir string, times map[string]time.Duration) error {
	if len(times) == 0 {
		return nil
	}
	run, err := runlog.Read(dir)
	if err != nil {
		return err
	}
	var names []string
	for _, v := range run.Manifest.Variants {
		names = append(names, v.Name)
	}
	all := map[string]time.Duration{}
	maps.Copy(all, run.KernelTimes)
	for name, took := range times {
		switch {
		case !slices.Contains(names, name):
			return fmt.Errorf("kernel time of %q: the run has no such variant; it has %s", name, strings.Join(names, ", "))
		case took <= 0:
			return fmt.Errorf("kernel time of %q: %v is no time that a kernel takes", name, took)
		}
		all[name] = took
	}
	return runlog.WriteKernelTimes(dir, all)
}
