// Package siglab is the root of the module; it holds the rules that its packages
// keep (rules_test.go) and nothing else. Begin with README.md, then
// ARCHITECTURE.md, then cmd/siglab/main.go.
package siglab
