package cudart

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"siglab/internal/pace"
)

// Stream is a queue of work for a device, done in order. Streams do not wait for
// each other.
type Stream struct {
	context *Context
	handle  uintptr // CUstream
}

// streamNonBlocking makes a stream that does not wait for the driver's default
// stream. Otherwise a copy elsewhere in the process would break into a capture.
const streamNonBlocking = 1

// NewStream makes a stream.
func (c *Context) NewStream() (*Stream, error) {
	s := &Stream{context: c}
	api := &c.driver.api
	err := c.do(api.streamCreate, func() status {
		return api.streamCreate.call(uintptr(unsafe.Pointer(&s.handle)), streamNonBlocking)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Close lets the stream go; the driver ends it when its work is done.
func (s *Stream) Close() error {
	if s.handle == 0 {
		return nil
	}
	api := &s.context.driver.api
	err := s.context.do(api.streamDestroy, func() status { return api.streamDestroy.call(s.handle) })
	if err == nil {
		s.handle = 0
	}
	return err
}

// Upload queues a copy of pinned memory to the device. Both must be equally long
// and stay as they are until the work on the stream has come past it.
func (s *Stream) Upload(dst *Memory, src *HostMemory) error {
	if err := checkPinnedCopy("upload", dst, src); err != nil {
		return err
	}
	api := &s.context.driver.api
	err := s.do(api.memcpyHtoDAsync, func() status {
		return api.memcpyHtoDAsync.call(dst.Pointer(), uintptr(src.start()), uintptr(src.bytes), s.handle)
	})
	if err != nil {
		return detail(err, "%d bytes", src.bytes)
	}
	return nil
}

// Download queues a copy of the device's memory to pinned memory. Both must be
// equally long; dst has its new content when the stream has been synchronized.
func (s *Stream) Download(dst *HostMemory, src *Memory) error {
	if err := checkPinnedCopy("download", src, dst); err != nil {
		return err
	}
	api := &s.context.driver.api
	err := s.do(api.memcpyDtoHAsync, func() status {
		return api.memcpyDtoHAsync.call(uintptr(dst.start()), src.Pointer(), uintptr(dst.bytes), s.handle)
	})
	if err != nil {
		return detail(err, "%d bytes", dst.bytes)
	}
	return nil
}

// checkPinnedCopy reports memory that has been freed or differs in length.
func checkPinnedCopy(doing string, device *Memory, host *HostMemory) error {
	if host.block.pointer == nil {
		return fmt.Errorf("%s: pinned: %w", doing, errFreed)
	}
	return device.checkCopy(doing, host.bytes)
}

// Synchronize waits until all work that was queued before is done, or until ctx is
// done, whose error it then returns; the work goes on. It must not be called while
// the stream is captured.
func (s *Stream) Synchronize(ctx context.Context) error {
	if err := s.open(); err != nil {
		return err
	}
	return s.context.wait(ctx, s.context.driver.api.streamQuery, s.handle, "the stream")
}

const (
	// spinFor is how long a wait asks the driver over and over: most work of a request
	// is shorter than the sleeps below are inexact, some 60 µs.
	spinFor = 200 * time.Microsecond
	// napFor is how long it sleeps between later questions.
	napFor = 20 * time.Microsecond
)

// wait asks about a stream or an event until its work is done. The driver's own wait
// has no bound, and a device that hangs would keep it for ever.
func (c *Context) wait(ctx context.Context, query symbol, handle uintptr, what string) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	begun := time.Now()
	for {
		code := query.call2(handle, 0)
		if code != statusNotReady {
			return c.driver.check(query, code)
		}
		nap := napFor
		if time.Since(begun) < spinFor {
			nap = 0
		}
		if err := pace.SleepUntil(ctx, time.Now().Add(nap), 0); err != nil {
			return fmt.Errorf("wait for %s for %v: %w", what, time.Since(begun).Round(time.Microsecond), err)
		}
	}
}

var errStreamClosed = errors.New("the stream is closed")

// open reports a stream that is closed: to the driver its handle would mean the
// default stream.
func (s *Stream) open() error {
	if s.handle == 0 {
		return errStreamClosed
	}
	return nil
}

// do makes one call of the driver on the stream.
func (s *Stream) do(call symbol, f func() status) error {
	if err := s.open(); err != nil {
		return err
	}
	return s.context.do(call, f)
}
