//go:build !unix

package launch

import (
	"os"
	"os/exec"
)

// detach does nothing where there are no process groups: the tie alone ends the
// child.
func detach(*exec.Cmd) {}

// terminate kills where there is no signal that asks.
func terminate(cmd *exec.Cmd) error { return cmd.Process.Kill() }

// gentleFirst is empty: there is no signal that asks.
var gentleFirst []os.Signal

func signalGroup(int, os.Signal) {}

// killGroup kills the one process that is known.
func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill() // it may be gone
	}
}

func groupAlive(int) bool { return false }

func surviveBrokenPipe() {}

func reap() {}
