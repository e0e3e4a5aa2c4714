package experiment

import (
	"context"
	"errors"
	"time"

	"siglab/bench/record"
)

// fleet holds the servers that run, and when each is restarted.
type fleet struct {
	arms    []Arm
	restart string         // a policy of package record; "" is RestartEachBlock
	urls    map[int]string // of the arms whose servers run
	took    time.Duration  // that starts took
}

// start returns the URL of an arm's server, which is started unless it runs.
func (f *fleet) start(ctx context.Context, arm int) (string, error) {
	if url, runs := f.urls[arm]; runs {
		select {
		case <-f.arms[arm].Server.Exited(): // while nobody looked
			if err := f.stop(ctx, arm); err != nil {
				return "", err
			}
		default:
			return url, nil
		}
	}
	begun := time.Now()
	url, err := f.arms[arm].Server.Start(ctx)
	f.took += time.Since(begun)
	if err != nil {
		return "", err
	}
	if f.urls == nil {
		f.urls = map[int]string{}
	}
	f.urls[arm] = url
	return url, nil
}

// startPair starts the servers that live through a pair, so that its blocks follow each
// other without a start in between. One that does not start is told by its block, which
// tries again.
func (f *fleet) startPair(ctx context.Context) {
	if f.restart != record.RestartEachPair && f.restart != record.RestartNever {
		return
	}
	for arm := range f.arms {
		if _, err := f.start(ctx, arm); err != nil {
			return
		}
	}
}

// release ends a block: its server is stopped where the next block is to have a fresh
// one, as after a void block.
func (f *fleet) release(ctx context.Context, arm int, void bool) error {
	keeps := f.restart == record.RestartEachPair || f.restart == record.RestartNever
	if keeps && !void {
		return nil
	}
	return f.stop(ctx, arm)
}

// endPair stops the servers that do not live beyond a pair.
func (f *fleet) endPair(ctx context.Context) error {
	if f.restart == record.RestartNever {
		return nil
	}
	return f.stopAll(ctx)
}

func (f *fleet) stopAll(ctx context.Context) error {
	var errs []error
	for arm := range f.arms {
		errs = append(errs, f.stop(ctx, arm))
	}
	return errors.Join(errs...)
}

// stop stops an arm's server if it runs, whether or not the context has ended.
func (f *fleet) stop(ctx context.Context, arm int) error {
	if _, runs := f.urls[arm]; !runs {
		return nil
	}
	delete(f.urls, arm)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return f.arms[arm].Server.Stop(ctx)
}

// pause waits between blocks, to let a machine cool down.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
