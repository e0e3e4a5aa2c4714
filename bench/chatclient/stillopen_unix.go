//go:build unix

package chatclient

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// stillOpen looks, without waiting, whether the server has closed an idle
// connection, or sent what nobody asked for.
func stillOpen(conn net.Conn) bool {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		quiet = errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR)
	})
	return err == nil && quiet
}
