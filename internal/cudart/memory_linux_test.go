//go:build !nogpu

package cudart

import (
	"errors"
	"testing"
)

func TestMemory(t *testing.T) {
	f, c := startFake(t)
	m := must[*Memory](t)(c.Alloc(8))
	if err := m.CopyFrom([]byte("abcdefgh")); err != nil {
		t.Fatal(err)
	}
	part := must[*Memory](t)(m.Slice(2, 4))
	part = must[*Memory](t)(part.Slice(1, 3))
	if part.Len() != 3 || part.Pointer() != m.Pointer()+3 {
		t.Errorf("slice of %d bytes at +%d", part.Len(), part.Pointer()-m.Pointer())
	}
	if err := part.Memset8('.'); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 8)
	if err := m.CopyTo(got); err != nil || string(got) != "abc...gh" {
		t.Errorf("%q, %v", got, err)
	}
	if n := f.calls["cuStreamSynchronize"]; n != 2 {
		t.Errorf("waited for %d of a copy and a setting", n)
	}

	wantError(t, m.CopyFrom(make([]byte, 7)), "7 bytes on the host, 8 on the device")
	wantError(t, part.CopyTo(got), "8 bytes on the host, 3 on the device")
	wantError(t, part.Free(), "bytes 3 to 6 of an allocation of 8")
	for _, s := range [][2]int{{-1, 2}, {0, 9}, {8, 1}, {4, 0}, {4, -1}, {1 << 62, 1 << 62}, {9, -1}} {
		_, err := m.Slice(s[0], s[1])
		wantError(t, err, "there are 8")
	}
	for range 2 {
		if err := m.Free(); err != nil {
			t.Fatal(err)
		}
	}
	if m.Pointer() != 0 || part.Pointer() != 0 || f.live() != 0 {
		t.Errorf("after Free: %v, %v, %d live", m.Pointer(), part.Pointer(), f.live())
	}
	wantError(t, m.CopyFrom(got), "freed")
	wantError(t, m.CopyTo(got), "freed")
	wantError(t, part.Memset8(0), "freed")
}

func TestAllocErrors(t *testing.T) {
	f, c := startFake(t)
	_, err := c.Alloc(1 << 30)
	wantError(t, err, "cuMemAlloc_v2(1073741824 bytes): CUDA_ERROR_OUT_OF_MEMORY: out of memory")
	if !errors.Is(err, ErrOutOfMemory) {
		t.Error("not recognised as out of memory")
	}
	f.fail["cuMemHostAlloc"] = 2
	_, err = c.AllocHost(4096)
	wantError(t, err, "cuMemHostAlloc(4096 bytes): CUDA_ERROR_OUT_OF_MEMORY")
	for _, n := range []int{0, -5} {
		_, err := c.Alloc(n)
		wantError(t, err, "at least 1")
		_, err = c.AllocHost(n)
		wantError(t, err, "at least 1")
	}
}

func TestPinnedCopies(t *testing.T) {
	f, c := startFake(t)
	s := must[*Stream](t)(c.NewStream())
	h := must[*HostMemory](t)(c.AllocHost(8))
	m := must[*Memory](t)(c.Alloc(8))
	copy(h.Bytes(), "abcdefgh")
	if err := s.Upload(m, h); err != nil {
		t.Fatal(err)
	}
	to := must[*HostMemory](t)(h.Slice(4, 4))
	from := must[*Memory](t)(m.Slice(1, 4))
	if err := s.Download(to, from); err != nil {
		t.Fatal(err)
	}
	if got := string(h.Bytes()); got != "abcdbcde" || to.Len() != 4 {
		t.Errorf("%q", got)
	}
	wantError(t, s.Upload(m, to), "4 bytes on the host, 8 on the device")
	wantError(t, s.Download(h, from), "8 bytes on the host, 4 on the device")
	_, err := h.Slice(5, 4)
	wantError(t, err, "there are 8")
	f.fail["cuMemcpyHtoDAsync_v2"] = 700
	wantError(t, s.Upload(m, h), "cuMemcpyHtoDAsync_v2(8 bytes): CUDA_ERROR_ILLEGAL_ADDRESS")

	wantError(t, to.Free(), "free the whole")
	for range 2 {
		if err := h.Free(); err != nil {
			t.Fatal(err)
		}
	}
	if to.Bytes() != nil {
		t.Error("bytes of freed memory")
	}
	wantError(t, s.Upload(m, h), "freed")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantError(t, s.Upload(m, h), "freed")
}
