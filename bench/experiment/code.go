package experiment

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"siglab/bench/record"
)

// StoppedWrongCode begins Manifest.Stopped of a run that ended because a server had
// loaded other code than its variant's.
const StoppedWrongCode = "wrong code: "

// errWrongCode ends a run: its blocks would be of something else.
var errWrongCode = errors.New("wrong code")

// examine finds out, before any request, which code the server has loaded and, once for
// each variant, what it runs with.
func (r *runner) examine(ctx context.Context, arm Arm) error {
	var wrong error
	if arm.Loaded != nil {
		code := arm.Loaded(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if i := slices.IndexFunc(r.manifest.Code, func(c record.Code) bool { return c.Variant == arm.Name }); i >= 0 {
			r.manifest.Code[i] = code
		} else {
			r.manifest.Code = append(r.manifest.Code, code)
		}
		if code.Found == record.CodeWrong {
			wrong = fmt.Errorf("%w: %s", errWrongCode, code.Detail)
		}
	}
	if arm.Fingerprint != nil && !slices.ContainsFunc(r.manifest.Fingerprints, func(f record.Fingerprint) bool { return f.Variant == arm.Name }) {
		found := arm.Fingerprint(ctx)
		if ctx.Err() != nil {
			return ctx.Err() // it is not whole
		}
		r.manifest.Fingerprints = append(r.manifest.Fingerprints, found)
	}
	if wrong != nil {
		return wrong
	}
	return ctx.Err()
}
