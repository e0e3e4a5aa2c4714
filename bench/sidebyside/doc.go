// Package sidebyside compares results that were made elsewhere: files of any load
// client, any number of runs per side, and the same variant of two run directories.
//
// One run per side gives changes without an interval and no verdict. Repeats are
// compared by the rules of package compare, on runs instead of blocks. Such runs were
// rarely interleaved, and nothing guarantees that they did the same work: what can be
// seen of it in the files is checked, and what makes them incomparable takes the
// verdict away and is said in a warning.
//
// The package is pure: it reads no file and no clock.
package sidebyside
