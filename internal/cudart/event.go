package cudart

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"
)

// Event is a mark in a stream's work that remembers when the device came past it.
type Event struct {
	context *Context
	handle  uintptr // CUevent
}

// NewEvent makes an event that keeps the time.
func (c *Context) NewEvent() (*Event, error) {
	e := &Event{context: c}
	api := &c.driver.api
	err := c.do(api.eventCreate, func() status {
		return api.eventCreate.call(uintptr(unsafe.Pointer(&e.handle)), 0)
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Close lets the event go.
func (e *Event) Close() error {
	if e.handle == 0 {
		return nil
	}
	api := &e.context.driver.api
	err := e.context.do(api.eventDestroy, func() status { return api.eventDestroy.call(e.handle) })
	if err == nil {
		e.handle = 0
	}
	return err
}

var errEventClosed = errors.New("the event is closed")

// Record puts the event behind the work that is queued on the stream now. An event
// that is recorded again forgets its earlier time.
func (e *Event) Record(s *Stream) error {
	if e.handle == 0 {
		return errEventClosed
	}
	if err := s.open(); err != nil {
		return err
	}
	if err := e.context.enter(); err != nil {
		return err
	}
	defer e.context.leave()
	api := &e.context.driver.api
	return e.context.driver.check(api.eventRecord, api.eventRecord.call2(e.handle, s.handle))
}

// Synchronize waits until the device has come past the event, or until ctx is done,
// whose error it then returns. An event that was never recorded is past.
func (e *Event) Synchronize(ctx context.Context) error {
	if e.handle == 0 {
		return errEventClosed
	}
	return e.context.wait(ctx, e.context.driver.api.eventQuery, e.handle, "the event")
}

// Elapsed is the device's time between two events that it has come past. The
// device's clock has a resolution of about half a microsecond.
func Elapsed(start, end *Event) (time.Duration, error) {
	if start.handle == 0 || end.handle == 0 {
		return 0, errEventClosed
	}
	var ms float32
	c := start.context
	api := &c.driver.api
	err := c.do(api.eventElapsedTime, func() status {
		return api.eventElapsedTime.call(uintptr(unsafe.Pointer(&ms)), start.handle, end.handle)
	})
	if err != nil {
		return 0, fmt.Errorf("time between two events (both recorded, and synchronized?): %w", err)
	}
	return time.Duration(math.Round(float64(ms) * float64(time.Millisecond))), nil
}
