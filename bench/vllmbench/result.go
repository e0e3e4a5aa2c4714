package vllmbench

import "time"

// Result holds the numbers of one run as vLLM reports them.
type Result struct {
	Options Options // with defaults filled in

	Completed    int // answered in full
	Failed       int
	InputTokens  int // over completed requests, image tokens included
	OutputTokens int // over completed requests

	RequestThroughput    float64 // completed requests per second
	RequestGoodput       float64 // requests within every limit per second; 0 without limits
	OutputThroughput     float64 // output tokens per second
	TotalTokenThroughput float64 // input and output tokens per second
	PeakOutputTokens     int     // most chunks in one second of the run
	PeakConcurrent       int     // most requests active in one second of the run

	TTFT Latency // time to first token, role chunk included
	TPOT Latency // time per output token after the first, of requests with two or more
	ITL  Latency // gaps between chunks, pooled over requests
	E2EL Latency // end-to-end latency

	Queue       Latency      // wait for a free place; of a load with a limit
	QueuedE2EL  Latency      // end-to-end latency and that wait
	RateChanges []RateChange // of a ramp

	Requests []Request // in the order of the observations
}

// Latency summarises one sample in milliseconds. An empty sample is all zeros, as
// in vLLM.
type Latency struct {
	Mean, Median float64
	Std          float64 // population form, division by n
	Percentiles  []Percentile
}

// RateChange is when a ramp reached another whole number of requests per second.
type RateChange struct {
	RPS int
	At  time.Time
}

// Percentile is one quantile of a sample.
type Percentile struct {
	Percent float64 // 99.9
	Value   float64 // ms
}

// Request is one row of the detailed arrays; times in seconds.
type Request struct {
	InputTokens  int
	OutputTokens int       // 0 if the request failed
	TTFT         float64   // 0 if no chunk came
	ITL          []float64 // gaps between consecutive chunks
	Latency      float64   // 0 if the request failed
	Start        float64   // when it was sent, on the run's clock
	Queue        float64   // from its release by the schedule until it was sent, the wait for a free place included
	Text         string
	Error        string // "" if it was answered in full
}
