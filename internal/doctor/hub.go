package doctor

import (
	"context"
	"errors"
	"fmt"

	"siglab/internal/hub"
)

// hubAccess sees whether the hub answers, and to whom.
func hubAccess(ctx context.Context, o Options) Check {
	if o.Hub == nil {
		return absent("hub", "", "not asked")
	}
	ctx, cancel := patience(ctx)
	defer cancel()
	account, err := o.Hub(ctx)
	const login = "log in with `hf auth login`, or set HF_TOKEN to a token from https://huggingface.co/settings/tokens"
	switch {
	case errors.Is(err, hub.ErrOffline):
		return absent("hub", "unset HF_HUB_OFFLINE to use it", "switched off by HF_HUB_OFFLINE; caches are used")
	case errors.Is(err, hub.ErrDenied):
		return warn("hub", "the token is not valid: "+login, "%v", err)
	case err != nil:
		return warn("hub", "see to the network or the proxy (HTTPS_PROXY), or name a mirror with HF_ENDPOINT; the built-in data set and model need no hub", "%v", err)
	case !o.Login:
		return ok("hub", "reached, without a login; gated models and data sets need one: %s", login)
	}
	return ok("hub", "reached, logged in as %s", account)
}

// Dataset is a data set to look for.
type Dataset struct {
	Name string
	// Find says where it is: in this binary, on disk, cached, or on the hub; nil if no
	// set is asked for.
	Find func(ctx context.Context) (where string, err error)
}

func dataset(ctx context.Context, d Dataset) Check {
	if d.Find == nil {
		return ok("dataset", "none asked for (--dataset)")
	}
	ctx, cancel := patience(ctx)
	defer cancel()
	where, err := d.Find(ctx)
	if err != nil {
		return fail("dataset", "accept its terms and log in (`hf auth login`) where it is gated; else take another: --dataset builtin needs nothing", "%v", err)
	}
	return ok("dataset", "%s: %s", d.Name, where)
}

// patience bounds what waits for the network.
func patience(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, networkPatience, fmt.Errorf("%w in %v", hub.ErrUnreachable, networkPatience))
}
