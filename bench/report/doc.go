// Package report writes a comparison down: as text for a terminal, Markdown for a
// pull request, HTML for a browser, JSON and CSV for programs. It computes nothing
// about the run; what it says is in the comparison.
//
// The package is pure: the same comparison gives the same bytes.
package report
