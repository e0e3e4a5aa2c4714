package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"siglab/internal/doctor"
)

type doctorCmd struct {
	Port int    `env:"PORT" default:"8000" help:"Port to check (${default})."`
	Dir  string `default:"." help:"Directory that run directories go to (${default})."`
	JSON bool   `name:"json" help:"Print the checks as JSON."`
}

// Run prints every check and fails if one of them failed.
func (c *doctorCmd) Run(ctx context.Context) error {
	checks := doctor.Run(ctx, doctor.Options{Port: c.Port, Dir: c.Dir})
	var err error
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(map[string]any{"checks": checks})
	} else {
		err = doctor.WriteTable(os.Stdout, checks)
	}
	for _, check := range checks {
		if check.Status == "fail" {
			return errors.Join(err, errors.New("doctor: "+check.Name+" failed: "+check.Fix))
		}
	}
	return err
}
