package cudart

import (
	"errors"
	"fmt"
	"unsafe"
)

// Memory is a stretch of a device's memory: an allocation, or a slice of one.
type Memory struct {
	block  *block
	offset int
	bytes  int
}

// block is an allocation, shared by all its slices.
type block struct {
	context *Context
	pointer uintptr // CUdeviceptr, 0 when freed
	bytes   int
}

var errFreed = errors.New("the memory has been freed")

// Alloc allocates memory on the device, aligned for every type. Its content is
// undefined. Where it does not fit, errors.Is(err, ErrOutOfMemory).
func (c *Context) Alloc(bytes int) (*Memory, error) {
	if bytes <= 0 {
		return nil, fmt.Errorf("allocate %d bytes on the device: at least 1 is needed", bytes)
	}
	b := &block{context: c, bytes: bytes}
	api := &c.driver.api
	err := c.do(api.memAlloc, func() status {
		return api.memAlloc.call(uintptr(unsafe.Pointer(&b.pointer)), uintptr(bytes))
	})
	if err != nil {
		return nil, detail(err, "%d bytes", bytes)
	}
	return &Memory{block: b, bytes: bytes}, nil
}

// Free gives the memory back to the device, for all slices of it. It must not be in
// use by work that has not finished. Freeing again does nothing; only what Alloc
// returned can be freed.
func (m *Memory) Free() error {
	b := m.block
	if b.pointer == 0 {
		return nil
	}
	if m.offset != 0 || m.bytes != b.bytes {
		return fmt.Errorf("free bytes %d to %d of an allocation of %d: free the whole", m.offset, m.offset+m.bytes, b.bytes)
	}
	api := &b.context.driver.api
	err := b.context.do(api.memFree, func() status { return api.memFree.call(b.pointer) })
	if err == nil {
		b.pointer = 0
	}
	return err
}

// Len is the number of bytes.
func (m *Memory) Len() int { return m.bytes }

// Pointer is the device's address of the first byte, 0 after Free. It is an address
// for kernels, nothing that the processor can read.
func (m *Memory) Pointer() uintptr {
	if m.block.pointer == 0 {
		return 0
	}
	return m.block.pointer + uintptr(m.offset)
}

// Slice is the part of n bytes from offset on, in the same memory.
func (m *Memory) Slice(offset, n int) (*Memory, error) {
	if err := checkSlice(offset, n, m.bytes); err != nil {
		return nil, err
	}
	return &Memory{block: m.block, offset: m.offset + offset, bytes: n}, nil
}

// checkSlice reports a slice that does not lie within so many bytes.
func checkSlice(offset, n, bytes int) error {
	if offset < 0 || n <= 0 || offset > bytes || n > bytes-offset {
		return fmt.Errorf("slice %d bytes from %d on: there are %d, and at least 1 is needed", n, offset, bytes)
	}
	return nil
}

// CopyFrom copies src, which must be as long as the memory, to the device. When it
// returns, the memory has the new content and src may be used again. It does not
// wait for the work on streams.
func (m *Memory) CopyFrom(src []byte) error {
	api := &m.block.context.driver.api
	if err := m.checkCopy("copy to the device", len(src)); err != nil {
		return err
	}
	err := m.block.context.do(api.memcpyHtoD, func() status {
		return api.memcpyHtoD.call(m.Pointer(), uintptr(unsafe.Pointer(unsafe.SliceData(src))), uintptr(len(src)))
	})
	if err != nil {
		return detail(err, "%d bytes", len(src))
	}
	return m.settle()
}

// CopyTo copies the memory to dst, which must be as long. It does not wait for the
// work on streams: synchronize the one that writes the memory first.
func (m *Memory) CopyTo(dst []byte) error {
	api := &m.block.context.driver.api
	if err := m.checkCopy("copy from the device", len(dst)); err != nil {
		return err
	}
	err := m.block.context.do(api.memcpyDtoH, func() status {
		return api.memcpyDtoH.call(uintptr(unsafe.Pointer(unsafe.SliceData(dst))), m.Pointer(), uintptr(len(dst)))
	})
	return detail(err, "%d bytes", len(dst))
}

// Memset8 sets every byte to value, beside the work on streams.
func (m *Memory) Memset8(value byte) error {
	if err := m.usable("set"); err != nil {
		return err
	}
	api := &m.block.context.driver.api
	err := m.block.context.do(api.memsetD8, func() status {
		return api.memsetD8.call(m.Pointer(), uintptr(value), uintptr(m.bytes))
	})
	if err != nil {
		return detail(err, "%d bytes", m.bytes)
	}
	return m.settle()
}

// settle waits for a copy or a setting to reach the memory. The driver returns from
// them when the source may be used again; its default stream still has them, and the
// streams of this package, which do not wait for that one, could run ahead.
func (m *Memory) settle() error {
	c := m.block.context
	api := &c.driver.api
	return c.do(api.streamSynchronize, func() status { return api.streamSynchronize.call(0) })
}

// usable reports memory that has been freed.
func (m *Memory) usable(doing string) error {
	if m.block.pointer == 0 {
		return fmt.Errorf("%s: %w", doing, errFreed)
	}
	return nil
}

// checkCopy reports memory that has been freed or is not as long as the host's side.
func (m *Memory) checkCopy(doing string, host int) error {
	if host != m.bytes {
		return fmt.Errorf("%s: %d bytes on the host, %d on the device: they must be equal (slice the longer)", doing, host, m.bytes)
	}
	return m.usable(doing)
}

// Bytes is the memory of a slice of numbers as bytes, without a copy: what CopyFrom
// and CopyTo take. The order of the bytes is the processor's, which on every system
// with this driver is the device's.
func Bytes[T ~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~uint32 | ~int64 | ~uint64 | ~float32 | ~float64](values []T) []byte {
	if len(values) == 0 {
		return nil
	}
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*int(unsafe.Sizeof(one)))
}
