// Package vllmbench speaks the result formats of `vllm bench serve` 0.32: it
// computes that tool's numbers from observations, writes its text block and its
// JSON, and reads both back, from any version since 2025.
//
// The formulas are vLLM's, also where ours differ elsewhere: the time to first
// token ends at the role chunk, inter-token latency is per chunk and pooled over
// requests, failed requests only count as failed. They are here so that a result of
// siglab can be put next to one of vLLM; verdicts are package compare's.
//
// # Deviations
//
// Peaks are taken over the run's clock: the observations of several blocks, whose
// durations the caller sums, are counted at the second in which they happened.
// input_lens of failed requests is what the server counted (0), not what a client's
// tokenizer would say. A rate is 0 where the duration is 0.
//
// The package is pure: it reads no clock, no file and no random source.
package vllmbench
