package nvml

import "unsafe"

// The buffers behind C's pointers.

func bytesAt(p *byte, n uint32) []byte { return unsafe.Slice(p, n) }

func valuesAt(p *fieldValue, n int32) []fieldValue { return unsafe.Slice(p, n) }

func processesAt(p *processInfo, n uint32) []processInfo { return unsafe.Slice(p, n) }
