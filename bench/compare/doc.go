// Package compare turns a recorded run into a comparison: per-block metrics, log
// ratios per pair, intervals, gates and a verdict in words.
//
// The block is the unit of replication. Requests of one block share a queue, a
// server start and a clock, so they are never pooled for a test; a metric is
// computed per block, compared within each pair, and the pairs are the sample. The
// methods and their reasons are in doc/experiment-design.md, the formulas in
// doc/metrics.md.
//
// The package is pure: it reads no clock, no file and no random source.
package compare
