package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"siglab/bench/experiment"
	"siglab/bench/record"
	"siglab/engine/vlm"
	"siglab/internal/hub"
	"siglab/internal/inspect"
	"siglab/posembed"
)

// imageSizeVariable makes the vLLM plugin feed a tower images of another size.
const imageSizeVariable = "SIGLAB_IMAGE_SIZE="

// forecast says from the model's configuration and the sizes of the data's images
// whether the position table will be resampled at all; "" if the configuration is not
// here, or tells nothing.
func forecast(plan experiment.Plan) string {
	model := plan.Experiment.Model
	if vlm.IsPreset(model) {
		return presetForecast(plan)
	}
	dir := model
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		file, ok := hub.FindShared(sharedModels(), model, "main", inspect.ConfigNames()...)
		if !ok || !hub.IsName(model) {
			return ""
		}
		dir = filepath.Dir(file)
	}
	reports, err := inspect.Inspect(dir)
	if err != nil || len(reports) != 1 {
		return ""
	}
	r := reports[0]
	tower := strings.TrimSpace(r.VisionTower + " " + r.TrainingResolution)
	for _, arm := range plan.Arms {
		for _, pair := range arm.Env {
			if size, ok := strings.CutPrefix(pair, imageSizeVariable); ok && r.UsesSigLIP == inspect.Yes {
				return fmt.Sprintf("%s (%s) is fed images of %s by %s%s: its position table is resampled unless that is its own size.", model, tower, size, imageSizeVariable, size)
			}
		}
	}
	if size := plan.Experiment.ImageSize; size != "" && r.UsesSigLIP == inspect.Yes {
		return fmt.Sprintf("%s (%s) is fed images of the size %s by --image-size: its position table is resampled unless that is its own size.", model, tower, size)
	}
	sizes := imageSizes(plan)
	switch r.When {
	case inspect.Never:
		return fmt.Sprintf("%s (%s) never interpolates, whatever the images (here %s): %s. Expect no difference from a change of the resampling.", model, tower, sizes, r.Reason)
	case inspect.OnRequest:
		return fmt.Sprintf("%s (%s) interpolates only if it is asked to (images here are %s): %s. Without that, expect no difference from a change of the resampling.", model, tower, sizes, r.Reason)
	case inspect.EveryImage:
		return fmt.Sprintf("%s (%s) resamples its table for every image (here %s): %s. Expected gain: %s.", model, tower, sizes, r.Reason, r.ExpectedGain)
	}
	return ""
}

// presetForecast is the forecast for a preset of the embedded engine, whose grids are
// known; "" where other servers are under test, whatever they make of that name.
func presetForecast(plan experiment.Plan) string {
	size, err := vlm.ParseImageSize(plan.Experiment.ImageSize)
	if err != nil || plan.Arms[0].Kind != record.KindBuiltin {
		return ""
	}
	model := plan.Experiment.Model
	switch trained, fed, err := vlm.PresetGrids(model, size); {
	case err != nil:
		return ""
	case fed == posembed.Grid{}:
		return fmt.Sprintf("%s has a position table for %v patches and is fed images of their own size (%s): it is resampled for every image of another grid.", model, trained, imageSizes(plan))
	case fed == trained:
		return fmt.Sprintf("%s has a position table for %v patches, which is what every image comes to: it is never resampled. Expect no difference from a change of the resampling; --image-size makes images of another size.", model, trained)
	default:
		return fmt.Sprintf("%s has a position table for %v patches and every image comes to %v: it is resampled for every image. Expected gain: at most the kernel's share of a request.", model, trained, fed)
	}
}

// imageSizes is the range of the sizes of a workload's images: "640x480 to 1024x768".
func imageSizes(plan experiment.Plan) string {
	var low, high [2]int
	for _, item := range plan.Workload.Items() {
		size := item.ImageSize
		if size[0]*size[1] == 0 {
			continue
		}
		if low[0] == 0 || size[0]*size[1] < low[0]*low[1] {
			low = size
		}
		if size[0]*size[1] > high[0]*high[1] {
			high = size
		}
	}
	switch {
	case low[0] == 0:
		return "none"
	case low == high:
		return fmt.Sprintf("%dx%d", low[0], low[1])
	}
	return fmt.Sprintf("%dx%d to %dx%d", low[0], low[1], high[0], high[1])
}

// tellNotes prints what is known before the first request.
func tellNotes(notes []record.Note) {
	for _, n := range notes {
		fmt.Fprintf(os.Stderr, "siglab: %s: %s\n", cmp.Or(n.Variant, n.Code), n.Text)
	}
}
