package record

import "fmt"

// ChangedTo says in what a machine differs from what it was, of what may change levels
// but not what is compared within a pair: the kernel, the GPU's driver, the governor.
func (e Environment) ChangedTo(now Environment) []string {
	var out []string
	for _, part := range []struct{ name, then, now string }{
		{"kernel", e.Kernel, now.Kernel},
		{"GPU driver", e.Driver, now.Driver},
		{"CUDA", e.CUDA, now.CUDA},
		{"frequency governor", e.Governor, now.Governor},
		{"container", e.Container, now.Container},
		{"cores", fmt.Sprint(e.Cores), fmt.Sprint(now.Cores)},
	} {
		if part.then != part.now {
			out = append(out, fmt.Sprintf("%s %s → %s", part.name, orNone(part.then), orNone(part.now)))
		}
	}
	return out
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
