//go:build !unix

package launch

import "os/exec"

// detach does nothing where there are no process groups: the tie alone ends the
// child.
func detach(*exec.Cmd) {}

// terminate kills where there is no signal that asks.
func terminate(cmd *exec.Cmd) error { return cmd.Process.Kill() }
