package experiment

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// hooked does something between two hooks. The one after runs whenever the one before
// succeeded, so that it can undo what that did, even where the work failed or the
// context has ended.
func (r *runner) hooked(ctx context.Context, at Moment, before, after string, work func(context.Context) error) error {
	if r.plan.Hook == nil {
		return work(ctx)
	}
	if err := r.callHook(ctx, at, before); err != nil {
		return err
	}
	err := work(ctx)
	return errors.Join(err, r.callHook(context.WithoutCancel(ctx), at, after))
}

func (r *runner) callHook(ctx context.Context, at Moment, name string) error {
	hooks := r.plan.Experiment.Hooks
	if hooks == nil || len(hooks.Commands[name]) == 0 {
		return nil
	}
	at.Hook = name
	begun := time.Now()
	defer func() { r.hooking += time.Since(begun) }()
	if err := r.plan.Hook(ctx, at); err != nil {
		return fmt.Errorf("hook %s: %w", name, err)
	}
	return nil
}
