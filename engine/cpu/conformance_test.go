package cpu_test

import (
	"fmt"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/optest"
)

// implementation is a device for the table of operations.
func implementation(isa cpu.ISA, arithmetic cpu.Arithmetic) optest.Implementation {
	return optest.Implementation{
		Rounded: arithmetic == cpu.BFloat16,
		Open: func(t testing.TB, threads int) optest.Device {
			d := cpu.New(cpu.Options{Threads: threads, ISA: isa, Arithmetic: arithmetic})
			t.Cleanup(d.Close)
			return d
		},
	}
}

// TestConformance runs the table of operations over every instruction set that runs
// here, in both arithmetics.
func TestConformance(t *testing.T) {
	for _, isa := range cpu.ISAs() {
		for _, arithmetic := range []cpu.Arithmetic{cpu.Float32, cpu.BFloat16} {
			t.Run(fmt.Sprintf("%v/%v", isa, arithmetic), func(t *testing.T) {
				optest.Run(t, implementation(isa, arithmetic))
			})
		}
	}
}

// TestOptions: the zero value takes the fastest instruction set and at least a thread,
// what does not run here is replaced, and closing twice is closing once.
func TestOptions(t *testing.T) {
	all := cpu.ISAs()
	fastest := all[len(all)-1]
	for _, test := range []struct {
		why     string
		options cpu.Options
		isa     cpu.ISA
	}{
		{"nothing asked for", cpu.Options{}, fastest},
		{"an instruction set that is always there", cpu.Options{Threads: 3, ISA: cpu.Generic}, cpu.Generic},
		{"an instruction set that nobody has", cpu.Options{ISA: 99}, fastest},
	} {
		d := cpu.New(test.options)
		if d.ISA() != test.isa || d.Arithmetic() != cpu.Float32 {
			t.Errorf("%s: %v in %v, want %v in float32", test.why, d.ISA(), d.Arithmetic(), test.isa)
		}
		if want := max(1, test.options.Threads); d.Threads() < want {
			t.Errorf("%s: %d threads, want %d", test.why, d.Threads(), want)
		}
		d.Close()
		d.Close()
	}
}
