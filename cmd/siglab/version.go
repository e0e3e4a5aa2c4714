package main

import (
	"fmt"

	"siglab/internal/version"
)

type versionCmd struct{}

// Run prints the version on standard output.
func (versionCmd) Run() error {
	_, err := fmt.Println("siglab", version.String())
	return err
}
