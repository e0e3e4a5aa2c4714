package cudart

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"unsafe"
)

// TestArguments reads packed arguments as the driver does: at the size of the
// parameter, from where the list points.
func TestArguments(t *testing.T) {
	memory := &Memory{block: &block{pointer: 0x7f00_0000_1000, bytes: 64}, bytes: 64}
	part, err := memory.Slice(16, 8)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		arg  any
		want []byte // little-endian
	}{
		{"memory is its address", memory, binary.LittleEndian.AppendUint64(nil, 0x7f00_0000_1000)},
		{"a slice is its own address", part, binary.LittleEndian.AppendUint64(nil, 0x7f00_0000_1010)},
		{"an address", uintptr(0x1234_5678_9abc), binary.LittleEndian.AppendUint64(nil, 0x1234_5678_9abc)},
		{"int is 4 bytes, negative too", int32(-2), []byte{0xfe, 0xff, 0xff, 0xff}},
		{"unsigned", uint32(0xdeadbeef), []byte{0xef, 0xbe, 0xad, 0xde}},
		{"long long", int64(-3), binary.LittleEndian.AppendUint64(nil, 0xffff_ffff_ffff_fffd)},
		{"unsigned long long", uint64(1 << 63), binary.LittleEndian.AppendUint64(nil, 1<<63)},
		{"float", float32(1.5), binary.LittleEndian.AppendUint32(nil, math.Float32bits(1.5))},
		{"double", -0.25, binary.LittleEndian.AppendUint64(nil, math.Float64bits(-0.25))},
	}
	list := newArguments(len(tests))
	for i, tt := range tests {
		if err := list.set(i, tt.arg, len(tt.want)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err := list.set(i, tt.arg, 0); err != nil {
			t.Errorf("%s, size unknown: %v", tt.name, err)
		}
		if err := list.set(i, tt.arg, len(tt.want)+4); err == nil {
			t.Errorf("%s: no error for a parameter of %d bytes", tt.name, len(tt.want)+4)
		}
	}
	for i, tt := range tests {
		got := unsafe.Slice((*byte)(unsafe.Pointer(list.pointers[i])), len(tt.want))
		if string(got) != string(tt.want) {
			t.Errorf("%s: % x, want % x", tt.name, got, tt.want)
		}
	}
}

func TestArgumentErrors(t *testing.T) {
	tests := []struct {
		name, want string
		arg        any
		size       int
	}{
		{"int has no size in common with CUDA's", "int cannot be passed: convert it to ", 5, 0},
		{"nothing", "<nil> cannot be passed", nil, 0},
		{"a text", "string cannot be passed", "x", 0},
		{"no memory", "nil or has been freed", (*Memory)(nil), 0},
		{"freed memory", "nil or has been freed", &Memory{block: &block{}}, 0},
		{"long for int", "int64 has 8 bytes, the kernel's parameter 4", int64(1), 4},
		{"float for a pointer", "float32 has 4 bytes, the kernel's parameter 8", float32(1), 8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := newArguments(1).set(0, tt.arg, tt.size)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestBytes(t *testing.T) {
	values := []float32{1, 2}
	view := Bytes(values)
	if len(view) != 8 {
		t.Fatalf("%d bytes", len(view))
	}
	binary.NativeEndian.PutUint32(view[4:], math.Float32bits(-7))
	if values[1] != -7 {
		t.Errorf("a copy: %v", values)
	}
	if Bytes([]int64{}) != nil {
		t.Error("nothing has bytes")
	}
}
