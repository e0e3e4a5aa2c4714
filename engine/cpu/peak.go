package cpu

// Peak does n rounds of float32 multiply-adds on the calling goroutine that wait neither
// for memory nor for each other, and returns how many floating-point operations they
// were: nothing computes a product faster on this processor. Generic does none.
func (i ISA) Peak(n int) (operations int) {
	k := newKernels(i.available())
	if k.peak == nil || n < 1 {
		return 0
	}
	k.peak(n)
	return n * peakChains * peakRepeats * k.lanes * 2
}

// A round of the peak kernels is so many multiply-adds of registers, as in _asm/peak.go.
const (
	peakChains  = 12
	peakRepeats = 4
)
