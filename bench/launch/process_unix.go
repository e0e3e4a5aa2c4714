//go:build unix

package launch

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// detach puts the child into a process group of its own, so that Ctrl-C at the
// terminal reaches the parent alone, which then ends the child in order.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

func terminate(cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGTERM) }

// gentleFirst are the signals that ask a program to end, in order.
var gentleFirst = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}

// signalGroup and killGroup reach every process of a group; they fail only if there
// is none left.
func signalGroup(group int, signal syscall.Signal) { _ = syscall.Kill(-group, signal) }

func killGroup(group int) { signalGroup(group, syscall.SIGKILL) }

func groupAlive(group int) bool { return syscall.Kill(-group, 0) == nil }

// surviveBrokenPipe makes a write to a parent that is gone an error: on standard output
// it would end this process, and its program would be left.
func surviveBrokenPipe() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // caught, not ignored: the program has its usual one
}

// reap collects children that have ended. Only for when nothing waits for one.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 || err != nil {
			return
		}
	}
}
