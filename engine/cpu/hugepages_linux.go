package cpu

import (
	"os"
	"syscall"
	"unsafe"
)

// hugePage is the least memory, in bytes, that large pages are asked for: one of them
// on most processors.
const hugePage = 2 << 20

// preferHugePages asks for large pages under memory that was not written yet. Where
// weights are read once an operation, in pages of 4 KiB each page's address is looked
// up anew. It is advice: a kernel that refuses it changes nothing.
func preferHugePages(memory []byte) {
	page := os.Getpagesize()
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(memory)))) & (page - 1)
	if len(memory) < hugePage+skip {
		return
	}
	memory = memory[skip:]
	_ = syscall.Madvise(memory[:len(memory)&^(page-1)], syscall.MADV_HUGEPAGE)
}
