// Package report writes a comparison down: for a terminal, a pull request, a
// browser, a spreadsheet and other programs.
//
// The verdict comes first and in words. The sentences about gates, answers and the
// kernel are made once and used by every format, so that no two of them disagree.
// A number that does not exist is "-" for people and null for programs, never 0.
//
// The package is pure: it reads no clock, no file and no random source, and the
// same comparison always gives the same bytes.
package report
