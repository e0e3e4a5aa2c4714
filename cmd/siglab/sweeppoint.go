package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/alecthomas/kong"

	"siglab/bench/configfile"
	"siglab/bench/sweep"
)

// sweepLine is a command line of the sweep alone, parsed again for each point.
type sweepLine struct {
	Sweep sweepCmd `cmd:""`
}

// noFlags is an experiment file that says nothing.
var noFlags = kong.ResolverFunc(func(*kong.Context, *kong.Path, *kong.Flag) (any, error) { return nil, nil })

// newPointParser parses command lines as if their experiment file were another.
func newPointParser(into *sweepLine, file kong.Resolver) (*kong.Kong, error) {
	return kong.New(into, kong.Name("siglab"), kong.Exit(func(int) {}), kong.Writers(io.Discard, io.Discard), kong.Resolvers(file), flagDefaults,
		kong.Configuration(func(io.Reader) (kong.Resolver, error) { return noFlags, nil }))
}

// readFile reads the experiment file of the sweep.
func (s *begun) readFile(path string) (err error) {
	if path == "" {
		return nil
	}
	if s.file, err = os.ReadFile(kong.ExpandPath(path)); err != nil {
		return usagef("experiment file: %w", err)
	}
	sum := sha256.Sum256(s.file)
	s.plan.FileHash = hex.EncodeToString(sum[:])
	return nil
}

// What a sweep over sizes of images has where nothing else is said: a model whose
// context holds an image of 1024 pixels, and a rate at which one core keeps up with it.
const (
	sizesModel = "random:tiny-8k"
	sizesRate  = 1.0
)

// commands are the bench command of each point: the sweep's command line, with an
// experiment file in which the point's keys have their values.
func (s *begun) commands() ([]*benchCmd, error) {
	swept, err := s.sweptFlags()
	if err != nil {
		return nil, err
	}
	sizes := slices.ContainsFunc(s.plan.Axes, func(a sweep.Axis) bool { return a.Key == "image_size" })
	commands := make([]*benchCmd, len(s.points))
	for i, p := range s.points {
		if commands[i], err = s.command(p, swept); err != nil {
			return nil, usagef("--over %s: %w", p, err)
		}
		if c := commands[i]; sizes {
			c.sizesDefaults()
		}
	}
	if c := commands[0]; sizes {
		fmt.Fprintf(os.Stderr, "siglab: sizes of images are swept with model %s at %g requests a second; --model and --request-rate name others\n", c.Model, c.rate())
	}
	return commands, nil
}

// sizesDefaults are those of a sweep over sizes of images.
func (c *benchCmd) sizesDefaults() {
	if c.Model == "" && len(c.URL)+len(c.Command) == 0 {
		c.Model = sizesModel
	}
	if c.RequestRate == nil && c.RampStrategy == "" && !c.ClosedLoop {
		rate := sizesRate
		c.RequestRate = &rate
	}
}

// pointFile is the experiment file of a point.
func (s *begun) pointFile(p sweep.Point) (configfile.File, error) {
	changed, err := configfile.Apply(s.file, p.Overrides)
	if err != nil {
		return configfile.File{}, err
	}
	return configfile.Read(bytes.NewReader(changed))
}

// sweptFlags are the flags that say what differs between the points.
func (s *begun) sweptFlags() (map[string]bool, error) {
	swept := map[string]bool{}
	var first map[string]any
	for _, p := range s.points {
		file, err := s.pointFile(p)
		if err != nil {
			return nil, usagef("--over %w", err)
		}
		flags := file.Flags()
		if first == nil {
			first = flags
		}
		for name, value := range flags {
			swept[name] = swept[name] || !reflect.DeepEqual(value, first[name])
		}
	}
	return swept, nil
}

// command is the command line of one point.
func (s *begun) command(p sweep.Point, swept map[string]bool) (*benchCmd, error) {
	file, err := s.pointFile(p)
	if err != nil {
		return nil, err
	}
	var line sweepLine
	parser, err := newPointParser(&line, flagsOf(file))
	if err != nil {
		return nil, err
	}
	parsed, err := parser.Parse(s.args)
	if err != nil {
		return nil, err
	}
	for _, element := range parsed.Path {
		if element.Flag != nil && !element.Resolved && swept[element.Flag.Name] {
			return nil, fmt.Errorf("--%s is swept, and given on the command line too, which would win: leave it out", element.Flag.Name)
		}
	}
	command := &line.Sweep.benchCmd
	command.beside = filepath.Dir(s.dir)
	command.Out = filepath.Join(s.dir, p.Dir())
	return command, nil
}
