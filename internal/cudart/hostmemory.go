package cudart

import (
	"fmt"
	"unsafe"
)

// HostMemory is pinned memory of the host, which the device reads and writes while
// the program goes on: what the copies on a [Stream] need.
type HostMemory struct {
	block  *hostBlock
	offset int
	bytes  int
}

// hostBlock is an allocation, shared by all its slices. The memory is not Go's.
type hostBlock struct {
	context *Context
	pointer unsafe.Pointer // nil when freed
	bytes   int
}

// AllocHost allocates pinned memory. It is taken from all processes of the machine,
// so allocate what copies go through, not all data. Its content is undefined.
func (c *Context) AllocHost(bytes int) (*HostMemory, error) {
	if bytes <= 0 {
		return nil, fmt.Errorf("allocate %d bytes of pinned memory: at least 1 is needed", bytes)
	}
	b := &hostBlock{context: c, bytes: bytes}
	api := &c.driver.api
	err := c.do(api.memHostAlloc, func() status {
		return api.memHostAlloc.call(uintptr(unsafe.Pointer(&b.pointer)), uintptr(bytes), 0)
	})
	if err != nil {
		return nil, detail(err, "%d bytes", bytes)
	}
	return &HostMemory{block: b, bytes: bytes}, nil
}

// Free gives the memory back. After it, using what Bytes returned crashes the
// process. Freeing again does nothing; only what AllocHost returned can be freed.
func (h *HostMemory) Free() error {
	b := h.block
	if b.pointer == nil {
		return nil
	}
	if h.offset != 0 || h.bytes != b.bytes {
		return fmt.Errorf("free bytes %d to %d of an allocation of %d: free the whole", h.offset, h.offset+h.bytes, b.bytes)
	}
	api := &b.context.driver.api
	err := b.context.do(api.memFreeHost, func() status { return api.memFreeHost.call(uintptr(b.pointer)) })
	if err == nil {
		b.pointer = nil
	}
	return err
}

// Len is the number of bytes.
func (h *HostMemory) Len() int { return h.bytes }

// Bytes is the memory itself, nil after Free.
func (h *HostMemory) Bytes() []byte {
	if h.block.pointer == nil {
		return nil
	}
	return unsafe.Slice((*byte)(h.start()), h.bytes)
}

// start is the address of the first byte of memory that has not been freed.
func (h *HostMemory) start() unsafe.Pointer { return unsafe.Add(h.block.pointer, h.offset) }

// Slice is the part of n bytes from offset on, in the same memory.
func (h *HostMemory) Slice(offset, n int) (*HostMemory, error) {
	if err := checkSlice(offset, n, h.bytes); err != nil {
		return nil, err
	}
	return &HostMemory{block: h.block, offset: h.offset + offset, bytes: n}, nil
}
