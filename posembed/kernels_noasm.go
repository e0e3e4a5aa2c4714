//go:build purego || !amd64

package posembed

func vectorImplementations() []Implementation { return nil }

// kernels of an implementation: there are none here.
func (i Implementation) kernels() *kernels { return nil }

func storeFence() {}
