package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// What a holder says on its standard output.
const (
	saysHolding = "holding "
	saysEnded   = "ended "
	saysKilled  = "it did not end by itself and was killed"
	succeeded   = "exit status 0" // an end
)

// holdSteps is how many times its grace a holder takes at most: interrupt, terminate,
// kill, and as much again for what is left over.
const holdSteps = 4

// Hold runs a program in a process group of its own until it ends, until the parent's
// tie does, or until ctx does; then it interrupts the group, terminates it and kills
// it, each after the grace. What the program started and left behind, also in groups
// of its own where the system tells (Linux), is killed last. Its output goes to output;
// told is told its process id and its end.
//
// The error is for a program that could not be started or ended by itself.
func Hold(ctx context.Context, argv []string, tie io.Reader, told io.Writer, output *os.File, grace time.Duration) error {
	h := &holder{told: told}
	err := h.hold(ctx, argv, tie, output, grace)
	h.tell(err)
	return err
}

// holder tells its parent once how the program ended: as soon as that is known, since
// what is measured of it is void from then on.
type holder struct {
	told io.Writer
	done bool
}

func (h *holder) tell(err error) {
	if h.done {
		return
	}
	h.done = true
	text := succeeded
	if err != nil {
		text = err.Error()
	}
	_, _ = fmt.Fprintln(h.told, saysEnded+text) // a parent that is gone need not be told
}

func (h *holder) hold(ctx context.Context, argv []string, tie io.Reader, output *os.File, grace time.Duration) error {
	if len(argv) == 0 {
		return errors.New("hold: no program is named")
	}
	adoptOrphans()
	surviveBrokenPipe()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = output, output
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	group := cmd.Process.Pid
	if _, err := fmt.Fprintf(h.told, saysHolding+"%d\n", group); err != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		cancel() // nobody is there to hold for
	}
	cut := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, tie) // an error is an end as well
		close(cut)
	}()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	defer killOrphans(grace)
	select {
	case err := <-done:
		h.tell(err)
		endGroup(group, grace)
		return err
	case <-cut:
	case <-ctx.Done():
	}
	for _, signal := range gentleFirst {
		signalGroup(group, signal)
		select {
		case err := <-done:
			endGroup(group, grace)
			return err
		case <-time.After(grace):
		}
	}
	killGroup(group)
	select {
	case err := <-done:
		return fmt.Errorf("%s (%w)", saysKilled, err)
	case <-time.After(grace):
		return errors.New("it did not end by itself, nor when it was killed")
	}
}

// endGroup ends what is left of the group of a program that has ended. Workers that it did
// not wait for have a quarter of the grace to follow it, then they are asked to.
func endGroup(group int, grace time.Duration) {
	begun, asked := time.Now(), false
	for groupAlive(group) {
		switch waited := time.Since(begun); {
		case waited > grace:
			killGroup(group)
			return
		case waited > grace/4 && !asked && len(gentleFirst) > 0:
			asked = true
			signalGroup(group, gentleFirst[len(gentleFirst)-1])
		}
		reap()
		time.Sleep(10 * time.Millisecond)
	}
}
