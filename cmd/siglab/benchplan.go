package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"siglab/bench/arrival"
	"siglab/bench/compare"
	"siglab/bench/dataset"
	"siglab/bench/experiment"
	"siglab/bench/fingerprint"
	"siglab/bench/record"
	"siglab/bench/telemetry"
	"siglab/bench/variant"
	"siglab/bench/workload"
	"siglab/internal/secret"
	"siglab/internal/version"
)

// newPlan freezes the workload of an experiment and says how its variants are
// started: on a port, or on free ones if it is 0.
func newPlan(ctx context.Context, e record.Experiment, variants []record.Variant, header http.Header, port int, out string) (experiment.Plan, error) {
	plan := experiment.Plan{Experiment: e, Siglab: version.String(), Command: secret.HideIn(os.Args), Header: header}
	set, err := openDataset(ctx, e)
	if err != nil {
		return plan, err
	}
	plan.Experiment.Dataset = set.Name() // with the commit that a name of the hub stands for now
	exe, err := os.Executable()
	if err != nil {
		return plan, fmt.Errorf("find this program: %w", err)
	}
	if plan.Environment, err = telemetry.Environment(ctx, exe); err != nil {
		return plan, err
	}
	fingerprint.Host("/", &plan.Environment)
	if hasKind(variants, record.KindCommand) {
		plan.Environment.Model = fingerprint.Model(e.Model, sharedModels())
	}
	if plan.Workload, err = freeze(&plan.Experiment, set); err != nil {
		return plan, usageError{err}
	}
	for _, v := range variants {
		s, argv, err := server(v, e, exe, port, out)
		if err != nil {
			return plan, usageError{err}
		}
		v.Argv = argv
		plan.Arms = append(plan.Arms, arm(withoutSecretsIn(v), s))
	}
	if e.Backend == record.BackendCompletions {
		plan.Notes = append(plan.Notes, record.Note{Code: record.NoteTextOnly, Text: "Completions take text alone: the requests have the prompts of the data set and none of its images."})
	}
	if text := forecast(plan); text != "" {
		plan.Notes = append(plan.Notes, record.Note{Code: record.NoteForecast, Text: text})
	}
	plan.Hook = hooksOf(e, out)
	plan.Experiment = withoutHookSecrets(plan.Experiment)
	if e.EarlyStop {
		plan.Enough = enough
	}
	return plan, nil
}

// arm is a variant with what is known of its server.
func arm(v record.Variant, server experiment.Server) experiment.Arm {
	a := experiment.Arm{Variant: v, Server: server}
	switch s := server.(type) {
	case *variant.Builtin:
		a.Log = s.Log
	case *variant.Command:
		a.Log, a.Fingerprint = s.Log, s.Fingerprint
		if v.Source != nil {
			a.Loaded = s.Loaded
		}
	}
	return a
}

// freeze makes the requests of an experiment. A schedule that comes from a file says
// its rate.
func freeze(e *record.Experiment, set *dataset.Set) (*workload.Workload, error) {
	rate, burstiness := e.RequestRate, e.Burstiness
	if rate == 0 {
		rate = defaultRate // of offsets that are not used
	}
	if burstiness == 0 {
		burstiness = math.Inf(1)
	}
	w, err := workload.Freeze(workload.Spec{
		Set: set, Slices: e.Pairs, PerSlice: e.NumPrompts, Warmups: e.Warmups, Rate: rate, Burstiness: burstiness,
		MaxTokens: e.MaxTokens, Temperature: e.Temperature, IgnoreEOS: e.IgnoreEOS, Seed: e.Seed, Model: e.RequestModel(),
	})
	if err != nil {
		return nil, err
	}
	var changes workload.Changes
	if changes.Offsets, err = offsets(e, burstiness); err != nil {
		return nil, err
	}
	if changes.Body, err = body(*e); err != nil {
		return nil, err
	}
	if changes.Offsets == nil && changes.Body == nil {
		return w, nil
	}
	return w, w.Rewrite(changes)
}

// streamRamps is the first of the seed's streams for ramps, one per block; package
// workload has those below.
const streamRamps = 1 << 32

// offsets are those of each slice, where the experiment has others than Freeze draws.
func offsets(e *record.Experiment, burstiness float64) (func(slice, n int) ([]time.Duration, error), error) {
	var ramp *arrival.Ramp
	if e.Ramp != nil {
		shape, err := arrival.ParseRampShape(e.Ramp.Strategy)
		if err != nil {
			return nil, err
		}
		ramp = &arrival.Ramp{Shape: shape, From: e.Ramp.StartRPS, To: e.Ramp.EndRPS}
	}
	switch {
	case e.Saturates():
		return func(_, n int) ([]time.Duration, error) { return make([]time.Duration, n), nil }, nil
	case e.Schedule == record.ScheduleVLLM:
		if e.Seed+uint64(e.Pairs) > math.MaxUint32 {
			return nil, fmt.Errorf("seed %d: vllm's schedule has seeds below 2^32, one per block", e.Seed)
		}
		return func(slice, n int) ([]time.Duration, error) {
			return arrival.VLLM{Rate: e.RequestRate, Burstiness: burstiness, Ramp: ramp, Seed: uint32(e.Seed) + uint32(slice)}.Offsets(n)
		}, nil
	case e.Schedule != record.SchedulePoisson:
		return scheduleFile(e)
	case ramp != nil:
		return func(slice, n int) ([]time.Duration, error) {
			return arrival.RampUp(n, *ramp, burstiness, rand.New(rand.NewPCG(e.Seed, streamRamps+uint64(slice))))
		}, nil
	}
	return nil, nil
}

// scheduleFile reads a schedule, which every block follows.
func scheduleFile(e *record.Experiment) (func(slice, n int) ([]time.Duration, error), error) {
	if e.Ramp != nil {
		return nil, fmt.Errorf("the schedule in %s has its own rates: leave the ramp out", e.Schedule)
	}
	f, err := os.Open(e.Schedule)
	if err != nil {
		return nil, fmt.Errorf("schedule %q: it is poisson, vllm, or a file: %w", e.Schedule, err)
	}
	defer func() { _ = f.Close() }() // opened for reading
	format := arrival.JSONL
	if filepath.Ext(e.Schedule) == ".csv" {
		format = arrival.CSV
	}
	all, err := arrival.Read(f, format, arrival.Column{})
	if err != nil {
		return nil, fmt.Errorf("schedule %s: %w", e.Schedule, err)
	}
	if len(all) < e.NumPrompts {
		return nil, fmt.Errorf("schedule %s has %d arrivals, and a block %d requests: lower --num-prompts", e.Schedule, len(all), e.NumPrompts)
	}
	all = all[:e.NumPrompts]
	e.RequestRate, e.Burstiness = 0, 1
	if last := all[len(all)-1]; last > 0 {
		e.RequestRate = float64(len(all)) / last.Seconds()
	}
	return func(int, int) ([]time.Duration, error) { return all, nil }, nil
}

// body changes requests to what the experiment asks for, where that is more than
// Freeze encodes.
func body(e record.Experiment) (func([]byte) ([]byte, error), error) {
	if e.Backend != record.BackendCompletions && len(e.ExtraBody) == 0 {
		return nil, nil
	}
	var fields map[string]json.RawMessage
	if len(e.ExtraBody) > 0 {
		if err := json.Unmarshal(e.ExtraBody, &fields); err != nil {
			return nil, fmt.Errorf("extra body: %w", err)
		}
	}
	return func(body []byte) (_ []byte, err error) {
		if e.Backend == record.BackendCompletions {
			if body, err = workload.AsCompletion(body); err != nil {
				return nil, err
			}
		}
		return workload.WithFields(body, fields)
	}, nil
}

// span is how long the schedule of a block is, 0 where the server decides.
func span(plan experiment.Plan) time.Duration {
	slice := plan.Workload.Slices[0]
	return slice[len(slice)-1].Offset
}

// enough looks at a run that may stop early.
func enough(run record.Run) bool {
	pairs := run.Manifest.Blocks[len(run.Manifest.Blocks)-1].Pair + 1
	if !compare.IsLook(pairs, len(run.Manifest.Variants)) {
		return false
	}
	run.Manifest.Stopped = compare.StoppedDecided // what is asked: would it be?
	comparison, err := compare.Analyse(run)
	return err == nil && comparison.Decided()
}
