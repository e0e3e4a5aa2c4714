package doctor

import (
	"context"
	"errors"
	"strings"

	"siglab/internal/inspect"
)

// Model is a model to look at.
type Model struct {
	Name string
	// Inspect reads its configuration; nil if no model is asked for.
	Inspect func(ctx context.Context) ([]inspect.Report, error)
}

// presetPrefix is that of the embedded engine's models with random weights.
const presetPrefix = "random:"

// model says whether a change of SigLIP's position table can show in a model at all.
func model(ctx context.Context, m Model) []Check {
	if m.Inspect == nil {
		return []Check{ok("model", "none asked for (--model)")}
	}
	if strings.HasPrefix(m.Name, presetPrefix) {
		return []Check{ok("model", "%s: a preset of the embedded engine, with SigLIP and random weights", m.Name)}
	}
	ctx, cancel := patience(ctx)
	defer cancel()
	reports, err := m.Inspect(ctx)
	if errors.Is(err, inspect.ErrTextOnly) {
		return []Check{fail("model", "take a vision-language model, such as google/paligemma-3b-mix-224", "%s takes no images: it has no vision tower", m.Name)}
	}
	if err != nil {
		return []Check{fail("model", "name a directory, a config.json, or an id on the hub", "%v", err)}
	}
	var checks []Check
	for _, r := range reports {
		checks = append(checks, judgeModel(r)...)
	}
	return checks
}

func judgeModel(r inspect.Report) []Check {
	if r.VisionTower == "none" {
		return []Check{fail("model", "take a vision-language model, such as google/paligemma-3b-mix-224", "%s takes no images: it has no vision tower", r.Model)}
	}
	checks := []Check{ok("model", "%s (%s) takes images", r.Model, r.Architecture)}
	tower := r.VisionTower
	if r.ConfigClass != "" {
		tower += " (" + r.ConfigClass + ")"
	}
	switch r.UsesSigLIP {
	case inspect.Yes:
		checks = append(checks, ok("siglip", "its vision tower is %s", tower))
	case inspect.No:
		checks = append(checks, warn("siglip", "take a model with SigLIP (siglab inspect says which): changes of SigLIP's code do not run in this one", "its vision tower is %s", tower))
	default:
		checks = append(checks, warn("siglip", "see its modelling code: this tower is not known here", "its vision tower is %s", tower))
	}
	return append(checks, judgeInterpolation(r))
}

func judgeInterpolation(r inspect.Report) Check {
	switch r.When {
	case inspect.EveryImage:
		return ok("interpolation", "every image (%s): %s; expected gain of a faster one: %s", r.Convention, r.Reason, r.ExpectedGain)
	case inspect.OnRequest:
		return warn("interpolation", "ask for it: interpolate_pos_encoding=True and images off the training size (--image-size)", "only on request: %s", r.Reason)
	case inspect.Never:
		return warn("interpolation", "expect no difference; to exercise the code take images off the training size (--image-size), or another model", "never: %s", r.Reason)
	default:
		return warn("interpolation", "watch the trigger: with VLLM_DEBUG_SIGLIP=1 the server's log says when it runs", "not known: %s", r.Reason)
	}
}
