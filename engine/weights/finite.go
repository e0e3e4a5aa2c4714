package weights

import (
	"encoding/binary"
	"fmt"

	"siglab/internal/safetensors"
)

// checkFinite reports the first value that is infinite or not a number. Eight bytes
// are tested at once: with a lowest exponent bit added to a masked exponent, the sign
// bit of a value is set if and only if all bits of the exponent were.
func checkFinite(t safetensors.Tensor) error {
	var exponent, one, sign uint64
	switch t.DType {
	case safetensors.F32:
		exponent, one, sign = 0x7f800000_7f800000, 0x00800000_00800000, 0x80000000_80000000
	case safetensors.BF16:
		exponent, one, sign = 0x7f80_7f80_7f80_7f80, 0x0080_0080_0080_0080, 0x8000_8000_8000_8000
	case safetensors.F16:
		exponent, one, sign = 0x7c00_7c00_7c00_7c00, 0x0400_0400_0400_0400, 0x8000_8000_8000_8000
	}
	data := t.Data
	for ; len(data) >= 8; data = data[8:] {
		if (binary.LittleEndian.Uint64(data)&exponent+one)&sign != 0 {
			break
		}
	}
	size := t.DType.Size()
	for ; len(data) >= size; data = data[size:] {
		var word [8]byte
		copy(word[:], data[:size])
		if (binary.LittleEndian.Uint64(word[:])&exponent+one)&sign != 0 {
			return fmt.Errorf("value %d is not finite: the checkpoint is broken", (len(t.Data)-len(data))/size)
		}
	}
	return nil
}
