package record

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChangedMachine(t *testing.T) {
	then := Environment{Kernel: "6.1", Governor: "performance", Cores: 8, MemoryMB: 1024, CPU: "x"}
	for _, row := range []struct {
		name string
		now  Environment
		want []string
	}{
		{"the same machine has not changed", then, nil},
		{"each difference is named, with what is not there", Environment{Kernel: "6.5", Driver: "550.54", Cores: 8, MemoryMB: 1024},
			[]string{"kernel 6.1 → 6.5", "GPU driver none → 550.54", "frequency governor performance → none"}},
	} {
		if diff := cmp.Diff(row.want, then.ChangedTo(row.now)); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
}
