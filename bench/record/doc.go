// Package record holds what a run of the benchmark saw, as plain data: the
// observation of one request, the block it belongs to, and the manifest that
// says what was asked for and under which conditions it ran.
//
// Everything after the measurement (compare, report) works on these values
// alone, so that any result can be computed again later, elsewhere. The package
// reads no clock and touches no file; runlog does the reading and writing.
package record
