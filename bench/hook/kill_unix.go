//go:build unix

package hook

import (
	"os/exec"
	"syscall"
)

// killAll makes the end of the context reach what the command started too, and keeps
// Ctrl-C at the terminal for this program.
func killAll(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
