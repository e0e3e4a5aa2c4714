package main

import (
	"context"
	"math"

	"siglab/bench/calibrate"
	"siglab/bench/experiment"
	"siglab/bench/record"
)

// Bounds of a calibration before a run, which is to be short.
const (
	mostCalibrationStreams = 256
	mostCalibrationBody    = 8 << 20
	usualAnswer            = 0.5 // seconds; how long an answer is thought to take, for how many are in flight
)

// calibrated is the client's own error under a load like the plan's. What keeps it
// from being measured is in it: it never keeps a run from being made.
func calibrated(ctx context.Context, plan experiment.Plan) *record.Calibration {
	streams, body := likeLoad(plan)
	result, err := runCalibration(ctx, calibrate.Quick(streams, body))
	if err != nil {
		return &record.Calibration{Streams: streams, BodyBytes: body, Failed: err.Error()}
	}
	gaps, requests := result.Streams[0], result.Bodies[0]
	return &record.Calibration{
		Streams: streams, BodyBytes: requests.BodyBytes, TTFT: record.ErrorSpread(requests.TTFT), ITL: record.ErrorSpread(gaps.ITL),
		TPOTPct: gaps.TPOTMeanPct, Mismatches: result.MismatchCount,
	}
}

// likeLoad is how many requests of a plan are in flight, about, and how large they are
// on average.
func likeLoad(plan experiment.Plan) (streams, body int) {
	e := plan.Experiment
	slice := plan.Workload.Slices[0]
	for _, item := range slice {
		body += item.BodyBytes
	}
	body = min(mostCalibrationBody, max(1, body/len(slice)))
	switch {
	case e.MaxConcurrency > 0:
		streams = e.MaxConcurrency
	case e.Loop == record.LoopBurst:
		streams = len(slice)
	default:
		rate := float64(len(slice)) / max(span(plan).Seconds(), 1e-3)
		streams = int(math.Ceil(rate * usualAnswer))
	}
	return max(1, min(streams, len(slice), mostCalibrationStreams)), body
}
