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
	err := hold(ctx, argv, tie, told, output, grace)
	text := succeeded
	if err != nil {
		text = err.Error()
	}
	_, _ = fmt.Fprintln(told, saysEnded+text) // a parent that is gone need not be told
	return err
}

func hold(ctx context.Context, argv []string, tie io.Reader, told io.Writer, output *os.File, grace time.Duration) error {
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
	if _, err := fmt.Fprintf(told, saysHolding+"%d\n", group); err != nil {
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
		endGroup(group, grace)
		if err == nil {
			return nil
		}
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
		return fmt.Errorf("it did not end by itself and was killed (%w)", err)
	case <-time.After(grace):
		return errors.New("it did not end by itself, nor when it was killed")
	}
}

// endGroup ends what is left of the group of a program that has ended: workers that
// it did not wait for have the grace to follow it.
func endGroup(group int, grace time.Duration) {
	for deadline := time.Now().Add(grace); groupAlive(group); {
		if time.Now().After(deadline) {
			killGroup(group)
			return
		}
		reap()
		time.Sleep(10 * time.Millisecond)
	}
}
