package main

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/kballard/go-shellquote"

	"siglab/bench/configfile"
	"siglab/bench/record"
	"siglab/internal/secret"
)

// commandSpec is a variant by command, from the command line or, as JSON, from an
// experiment file.
type commandSpec configfile.Variant

// assignment is NAME=VALUE before a program.
var assignment = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)=`)

// Decode reads a command from the command line.
func (c *commandSpec) Decode(ctx *kong.DecodeContext) (err error) {
	var text string
	if err := ctx.Scan.PopValueInto("command", &text); err != nil {
		return err
	}
	*c, err = parseCommand(text)
	return err
}

// parseCommand reads NAME='A=b program argument …'. Words are split as a POSIX shell
// does, by blanks, quotes and backslashes; nothing is expanded, and no shell runs.
func parseCommand(text string) (commandSpec, error) {
	name, line, ok := strings.Cut(text, "=")
	if !ok || strings.TrimSpace(line) == "" {
		return commandSpec{}, fmt.Errorf("%q: write NAME='PROGRAM ARGUMENT …'", text)
	}
	words, err := shellquote.Split(line)
	if err != nil {
		return commandSpec{}, fmt.Errorf("%s: %w", name, err)
	}
	c := commandSpec{Name: name, Env: map[string]string{}}
	for len(words) > 0 && assignment.MatchString(words[0]) {
		key, value, _ := strings.Cut(words[0], "=")
		c.Env[key], words = value, words[1:]
	}
	c.Command = words
	return c, nil
}

// variant is what the command is, with its secrets.
func (c commandSpec) variant() (record.Variant, error) {
	v := record.Variant{Name: c.Name, Kind: record.KindCommand, Argv: c.Command, Ready: c.Ready}
	if !variantName.MatchString(c.Name) {
		return v, errors.New("the name is of letters, digits, '.', '_' and '-'")
	}
	for _, key := range slices.Sorted(maps.Keys(c.Env)) {
		v.Env = append(v.Env, key+"="+c.Env[key])
	}
	if c.Dir != "" {
		dir, err := filepath.Abs(c.Dir)
		if err != nil {
			return v, err
		}
		v.Dir = dir
	}
	if c.ReadyTimeout != "" {
		timeout, err := time.ParseDuration(c.ReadyTimeout)
		if err != nil || timeout <= 0 {
			return v, fmt.Errorf("ready_timeout %q: write a duration such as 300s", c.ReadyTimeout)
		}
		v.ReadyTimeout = timeout
	}
	return v, nil
}

// withoutSecretsIn is a variant as it is recorded.
func withoutSecretsIn(v record.Variant) record.Variant {
	v.Argv, v.Env = secret.HideIn(v.Argv), secret.HideIn(v.Env)
	return v
}

// hasHidden reports whether a recorded variant lacks a secret that it needs to start.
func hasHidden(v record.Variant) bool {
	return slices.ContainsFunc(slices.Concat(v.Argv, v.Env), func(s string) bool { return strings.Contains(s, secret.Hidden) })
}
