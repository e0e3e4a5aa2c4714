// Package cpu computes a transformer's operations on the processor, in float32 and
// row-major order.
//
// The bits of a row never depend on its company: every sum over a row's inputs runs
// in one fixed order, whatever the number of rows and of threads. A token therefore
// gets the same logits alone as in a batch, in a prefill as in a step, and whether
// the machine has one core or sixty-four. Other processor families may round
// differently, because Go fuses multiplications and additions on some of them.
//
// Slices whose lengths contradict the documented shapes are bugs of the caller, and
// panic as slice bounds do.
package cpu
