package main

import (
	"context"
	"errors"
	"os"
	"time"

	"siglab/bench/dataset/catalog"
	"siglab/internal/doctor"
	"siglab/internal/hub"
	"siglab/internal/inspect"
)

type doctorCmd struct {
	Port    int    `env:"PORT" default:"8000" help:"Port to check (${default})."`
	Dir     string `default:"." help:"Directory that run directories go to (${default})."`
	Model   string `env:"MODEL" help:"Model to look at: takes it images, has it SigLIP, does it interpolate?"`
	Dataset string `env:"DATASET" help:"Data set to look for."`
	Python  string `default:"python3" help:"Interpreter to look for vLLM in (${default})."`
	JSON    bool   `name:"json" help:"Print the checks as JSON."`
}

// Run prints every check and fails if one of them failed.
func (c *doctorCmd) Run(ctx context.Context) error {
	options, err := c.options()
	if err != nil {
		return err
	}
	checks := doctor.Run(ctx, options)
	if c.JSON {
		err = printJSON(map[string]any{"checks": checks})
	} else {
		err = doctor.WriteTable(os.Stdout, checks)
	}
	failures := []error{err}
	for _, check := range checks {
		if check.Status == doctor.Fail {
			failures = append(failures, errors.New("doctor: "+check.Name+" failed: "+check.Fix))
		}
	}
	return errors.Join(failures...)
}

// options say how the hub, the data set and the model are looked at: with one attempt,
// since the doctor tells what is the matter now.
func (c *doctorCmd) options() (doctor.Options, error) {
	o := doctor.Options{Port: c.Port, Dir: c.Dir, Python: c.Python}
	config := hubConfig(hub.DataSets)
	config.Attempts, config.Idle, config.Note = 1, 5*time.Second, nil
	client, err := hub.New(config)
	if err != nil {
		return o, usageError{err}
	}
	o.Hub, o.Login = client.Account, client.HasToken()
	if c.Dataset != "" {
		o.Dataset = doctor.Dataset{Name: c.Dataset, Find: func(ctx context.Context) (string, error) {
			return catalog.Find(ctx, c.Dataset, client)
		}}
	}
	if c.Model != "" {
		o.Model = doctor.Model{Name: c.Model, Inspect: func(ctx context.Context) ([]inspect.Report, error) {
			return inspectModel(ctx, c.Model)
		}}
	}
	return o, nil
}
