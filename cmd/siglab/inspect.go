package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"siglab/internal/hub"
	"siglab/internal/inspect"
)

type inspectCmd struct {
	Models []string `arg:"" name:"model" help:"Model directories, config.json or params.json files, or ids on the hub (ORG/NAME[@REVISION]): looked for in Hugging Face's cache, then fetched."`
	JSON   bool     `name:"json" help:"Print the findings as JSON."`
}

// Run reports on every model that can be read and fails if one cannot.
func (c *inspectCmd) Run(ctx context.Context) error {
	var reports []inspect.Report
	var failures []error
	for _, model := range c.Models {
		found, err := inspectModel(ctx, model)
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

// inspectModel reports on a path or, where there is none, on a model of the hub.
func inspectModel(ctx context.Context, model string) ([]inspect.Report, error) {
	if _, err := os.Stat(model); err == nil || !hub.IsName(model) {
		return inspect.Inspect(model)
	}
	file, err := hubModelConfig(ctx, model)
	if err != nil {
		return nil, err
	}
	reports, err := inspect.Inspect(file)
	for i := range reports {
		reports[i].Model = model
	}
	return reports, err
}

// hubPatience bounds all that is asked of the hub for one model's configuration.
const hubPatience = time.Minute

// hubModelConfig is the place of the configuration of a model of the hub: in the cache
// of Hugging Face's libraries, in ours, or fetched.
func hubModelConfig(ctx context.Context, model string) (string, error) {
	repo, revision, err := hub.ParseName(model)
	if err != nil {
		return "", err
	}
	if file, ok := hub.FindShared(sharedModels(), repo, revision, inspect.ConfigNames()...); ok {
		return file, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, hubPatience, fmt.Errorf("%w in %v", hub.ErrUnreachable, hubPatience))
	defer cancel()
	config := hubConfig(hub.Models)
	config.Attempts, config.Idle = 2, 10*time.Second
	client, err := hub.New(config)
	if err != nil {
		return "", usageError{err}
	}
	snapshot, err := client.Resolve(ctx, repo, revision)
	if err != nil {
		return "", err
	}
	for _, name := range inspect.ConfigNames() {
		if i := slices.IndexFunc(snapshot.Files, func(f hub.File) bool { return f.Path == name }); i >= 0 {
			return client.Fetch(ctx, snapshot, snapshot.Files[i])
		}
	}
	return "", fmt.Errorf("%s has neither of %v, so it is not a model's repository that is known here", model, inspect.ConfigNames())
}
