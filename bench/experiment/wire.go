package experiment

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"siglab/bench/chatclient"
	"siglab/bench/record"
)

// client talks to a variant as the experiment says.
func (r *runner) client(url string, timeout time.Duration) *chatclient.Client {
	e := r.plan.Experiment
	o := chatclient.Options{Origin: r.origin, Timeout: timeout, IdleTimeout: e.IdleTimeout, Path: e.Endpoint, Header: r.plan.Header}
	if e.Backend == record.BackendCompletions {
		o.Backend = chatclient.Completions
	}
	return chatclient.New(url, o)
}

// note keeps what was found out about a variant, once.
func (r *runner) note(arm Arm, code, format string, args ...any) {
	for _, n := range r.manifest.Notes {
		if n.Variant == arm.Name && n.Code == code {
			return
		}
	}
	about := ""
	if arm.Name != "" {
		about = fmt.Sprintf("Variant %q: ", arm.Name)
	}
	r.manifest.Notes = append(r.manifest.Notes, record.Note{Variant: arm.Name, Code: code, Text: about + fmt.Sprintf(format, args...)})
}

// foreign reports whether a variant is not this program's own server, so that routes
// may be missing.
func foreign(arm Arm) bool { return arm.Kind == record.KindURL || arm.Kind == record.KindCommand }

// refused reports whether a server answered that it has no such route for us.
func refused(err error) bool {
	status := chatclient.StatusOf(err)
	return status >= 400 && status < 500 || status == http.StatusNotImplemented
}

// waitHealthy waits for the first healthy answer. A server without a health route is
// healthy when it lists its models.
func (r *runner) waitHealthy(ctx context.Context, client *chatclient.Client, arm Arm) error {
	patience := r.plan.Experiment.ReadyCheck
	if patience == 0 {
		patience = healthTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := client.Health(ctx)
		if foreign(arm) && refused(err) {
			if _, listErr := client.Models(ctx); listErr == nil {
				r.note(arm, record.NoteHealth, "the server has no route /health (%d), so it was taken for ready when it listed its models.", chatclient.StatusOf(err))
				err = nil
			}
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not healthy after %v (last: %w)", patience, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// identify asks the server what it is. This program's own must say; of another, what
// it does not say is noted.
func (r *runner) identify(ctx context.Context, client *chatclient.Client, arm Arm, seen *sight) error {
	version, err := client.Version(ctx)
	seen.version = version
	if !foreign(arm) {
		return err
	}
	if err != nil {
		r.note(arm, record.NoteVersion, "the server does not say its version (%v).", err)
	}
	if arm.Server.PID() == 0 {
		r.note(arm, record.NoteTelemetry, "its process is not known, so its processor time and memory are not measured.")
	}
	models, err := client.Models(ctx)
	switch name := r.plan.Experiment.RequestModel(); {
	case err != nil:
		r.note(arm, record.NoteModel, "the server does not list its models (%v); requests ask for %q.", err, name)
	case !slices.Contains(models, name):
		r.note(arm, record.NoteModel, "requests ask for model %q, which the server does not list (%s).", name, strings.Join(models, ", "))
	}
	return ctx.Err()
}

// resetCaches empties the caches that the warm-up filled. Another's server may not let
// us: then a request may find what an earlier block left there.
func (r *runner) resetCaches(ctx context.Context, client *chatclient.Client, arm Arm) error {
	if caches := r.plan.Experiment.Caches; caches == record.CachesKeep || caches == record.CachesOff && foreign(arm) {
		return nil
	}
	known, err := client.ResetCaches(ctx)
	if !foreign(arm) || ctx.Err() != nil {
		return err
	}
	const advice = "; requests may find what earlier ones left there (vLLM: VLLM_SERVER_DEV_MODE=1 gives the routes, --no-enable-prefix-caching --mm-processor-cache-gb 0 does without caches)"
	switch {
	case err != nil:
		r.note(arm, record.NoteCaches, "its caches were not all reset (%v)%s.", err, advice)
	case known == 0:
		r.note(arm, record.NoteCaches, "it has no routes that reset its caches%s.", advice)
	}
	return nil
}
