package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"siglab/internal/inspect"
)

type inspectCmd struct {
	Models []string `arg:"" name:"model" help:"Model directories, config.json or params.json files."`
	JSON   bool     `name:"json" help:"Print the findings as JSON."`
}

// Run reports on every model that can be read and fails if one cannot.
func (c *inspectCmd) Run() error {
	var reports []inspect.Report
	var failures []error
	for _, model := range c.Models {
		found, err := inspect.Inspect(model)
		reports = append(reports, found...) // a directory of models may give some and an error
		if err != nil {
			failures = append(failures, fmt.Errorf("inspect: %w", err))
		}
	}
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		if reports == nil {
			reports = []inspect.Report{}
		}
		failures = append(failures, enc.Encode(reports))
	} else if len(reports) > 0 {
		failures = append(failures, inspect.WriteTable(os.Stdout, reports))
	}
	return errors.Join(failures...)
}
