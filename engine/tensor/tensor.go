// Package tensor names what a device keeps in a layout of its own, so that models can
// hold it without knowing the device. Activations are no such thing: they are
// row-major slices of float32.
package tensor

// Matrix is a weight matrix in the layout of the device that packed it. Only that
// device can use it.
type Matrix interface {
	In() int  // values of an input row
	Out() int // values of an output row
}

// KeyValues holds the keys and values of one block of one sequence, in the layout of
// the device that made it. Only that device can use it.
type KeyValues interface {
	Capacity() int // positions that there is room for
}

// Span is the positions [Begin, End) of a sequence that a row attends to.
type Span struct{ Begin, End int }
