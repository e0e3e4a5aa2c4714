// Package doctor checks whether this machine can run the benchmark: what is there,
// what is missing, and what to do about it.
package doctor

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
)

// Statuses of a check.
const (
	OK   = "ok"
	Warn = "warn" // the benchmark runs, its numbers may suffer
	Fail = "fail" // it does not run
)

// Check is the outcome of one check.
type Check struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail"`
	Fix    string `json:"fix"` // what to do, "" if nothing is needed
}

// Options of a visit.
type Options struct {
	Port int    // to be free on the loopback address
	Dir  string // where run directories go
}

// Run carries out every check, which takes less than a second.
func Run(ctx context.Context, o Options) []Check {
	return []Check{
		port(ctx, o.Port),
		disk(ctx, o.Dir),
		memory(ctx),
		processor(),
		load(ctx),
		governor(),
		clock(ctx),
	}
}

// WriteTable prints the checks, one line each.
func WriteTable(w io.Writer, checks []Check) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range checks {
		fmt.Fprintf(table, "%s\t%s\t%s\n", c.Name, c.Status, c.Detail)
		if c.Fix != "" {
			fmt.Fprintf(table, "\t\t→ %s\n", c.Fix)
		}
	}
	return table.Flush()
}

func ok(name, format string, args ...any) Check {
	return Check{Name: name, Status: OK, Detail: fmt.Sprintf(format, args...)}
}
