// Package doctor checks whether this machine can run the benchmark: what is there,
// what is missing, and what to do about it.
package doctor

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// Statuses of a check.
const (
	OK     = "ok"
	Absent = "absent" // not here, and the benchmark runs without it
	Warn   = "warn"   // the benchmark runs, its numbers may suffer
	Fail   = "fail"   // it does not run
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
	Port   int    // to be free on the loopback address
	Dir    string // where run directories go
	Python string // interpreter that has vLLM

	Hub     func(ctx context.Context) (account string, err error) // reaches the hub; account is "" without a login
	Login   bool                                                  // there is a token
	Dataset Dataset
	Model   Model
}

// networkPatience bounds each check that waits for the network.
const networkPatience = 5 * time.Second

// Run carries out every check. Those of this machine come first and one after another,
// since they are not to disturb each other; then, at once, what waits for others:
// the network, 5 s at most, and Python, a minute at most.
func Run(ctx context.Context, o Options) []Check {
	checks := []Check{
		port(ctx, o.Port),
		disk(ctx, o.Dir),
		memory(ctx),
		processor(),
		load(ctx),
		steal(ctx),
		governor(),
		clockSource(),
		clock(ctx),
		openFiles(),
	}
	checks = append(checks, gpus()...)
	return append(checks, together(
		func() []Check { return []Check{hubAccess(ctx, o)} },
		func() []Check { return []Check{dataset(ctx, o.Dataset)} },
		func() []Check { return model(ctx, o.Model) },
		func() []Check { return []Check{vllm(ctx, o.Python)} },
	)...)
}

// together carries checks out at the same time, and keeps their order.
func together(checks ...func() []Check) []Check {
	found := make([][]Check, len(checks))
	var wg sync.WaitGroup
	for i, check := range checks {
		wg.Go(func() { found[i] = check() })
	}
	wg.Wait()
	return slices.Concat(found...)
}

// WriteTable prints the checks, one line each.
func WriteTable(w io.Writer, checks []Check) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range checks {
		fmt.Fprintf(table, "%s\t%s\t%s\n", c.Name, c.Status, strings.Join(strings.Fields(c.Detail), " "))
		if c.Fix != "" {
			fmt.Fprintf(table, "\t\t→ %s\n", c.Fix)
		}
	}
	return table.Flush()
}

func ok(name, format string, args ...any) Check {
	return Check{Name: name, Status: OK, Detail: fmt.Sprintf(format, args...)}
}

func absent(name, fix, format string, args ...any) Check {
	return Check{Name: name, Status: Absent, Detail: fmt.Sprintf(format, args...), Fix: fix}
}

func warn(name, fix, format string, args ...any) Check {
	return Check{Name: name, Status: Warn, Detail: fmt.Sprintf(format, args...), Fix: fix}
}

func fail(name, fix, format string, args ...any) Check {
	return Check{Name: name, Status: Fail, Detail: fmt.Sprintf(format, args...), Fix: fix}
}
