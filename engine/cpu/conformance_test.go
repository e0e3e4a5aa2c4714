package cpu_test

import (
	"fmt"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/optest"
)

// TestConformance runs the table of operations over every instruction set that runs
// here, in both arithmetics.
func TestConformance(t *testing.T) {
	for _, isa := range cpu.ISAs() {
		for _, arithmetic := range []cpu.Arithmetic{cpu.Float32, cpu.BFloat16} {
			t.Run(fmt.Sprintf("%v/%v", isa, arithmetic), func(t *testing.T) {
				optest.Run(t, optest.Implementation{
					Rounded: arithmetic == cpu.BFloat16,
					Open: func(t testing.TB, threads int) optest.Device {
						d := cpu.New(cpu.Options{Threads: threads, ISA: isa, Arithmetic: arithmetic})
						t.Cleanup(d.Close)
						return d
					},
				})
			})
		}
	}
}

// TestClose: closing twice is closing once, and no threads asked for means as many as
// there are.
func TestClose(t *testing.T) {
	d := cpu.New(cpu.Options{})
	if d.Threads() < 1 {
		t.Errorf("New has %d threads, want at least 1", d.Threads())
	}
	d.Close()
	d.Close()
}
