package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"siglab/bench/configfile"
	"siglab/bench/experiment"
	"siglab/bench/record"
)

// triggerSpec is the trigger of a variant, from the command line or, as JSON, from an
// experiment file.
type triggerSpec configfile.NamedTrigger

// triggerForm is NAME=log:EXPRESSION or NAME=metric:NAME, with >=N or =0 after the kind.
var triggerForm = regexp.MustCompile(`^([^=]+)=(log|metric)(?:(>=|=)([0-9.]+))?:(.+)$`)

// Decode reads a trigger from the command line.
func (t *triggerSpec) Decode(ctx *kong.DecodeContext) (err error) {
	var text string
	if err := ctx.Scan.PopValueInto("trigger", &text); err != nil {
		return err
	}
	*t, err = parseTrigger(text)
	return err
}

func parseTrigger(text string) (triggerSpec, error) {
	m := triggerForm.FindStringSubmatch(text)
	if m == nil {
		return triggerSpec{}, fmt.Errorf("%q: write NAME=log:EXPRESSION or NAME=metric:METRIC, log>=N: for at least N a block, log=0: for none", text)
	}
	t := triggerSpec{Name: m[1]}
	if m[2] == "log" {
		t.Log = m[5]
	} else {
		t.Metric = m[5]
	}
	if m[3] == "" {
		return t, nil
	}
	n, err := strconv.ParseFloat(m[4], 64)
	switch {
	case err != nil || m[3] == "=" && n != 0 || m[3] == ">=" && n == 0:
		return triggerSpec{}, fmt.Errorf("%q: it is >=N with N above 0, or =0", text)
	case n == 0:
		t.None = true
	default:
		t.AtLeast = n
	}
	return t, nil
}

// addTriggers gives variants their triggers.
func addTriggers(variants []record.Variant, triggers []triggerSpec) error {
	for _, t := range triggers {
		i := slices.IndexFunc(variants, func(v record.Variant) bool { return v.Name == t.Name })
		switch {
		case i < 0:
			return usagef("--trigger: there is no variant %q; there are %s", t.Name, variantNames(variants))
		case variants[i].Trigger != nil:
			return usagef("--trigger: %q has two; an experiment file can give one with a log expression and a metric", t.Name)
		case variants[i].Kind == record.KindURL && t.Log != "":
			return usagef("--trigger %s: the log of a server at a URL is not known; a metric can tell", t.Name)
		}
		trigger := record.Trigger(t.Trigger)
		if err := experiment.CheckTrigger(trigger); err != nil {
			return usagef("--trigger %s: %w", t.Name, err)
		}
		variants[i].Trigger = &trigger
	}
	return nil
}

// triggerText is a trigger in words, for a dry run.
func triggerText(t *record.Trigger) string {
	var parts []string
	if t.Log != "" {
		parts = append(parts, fmt.Sprintf("lines of its log that match %q", t.Log))
	}
	if t.Metric != "" {
		parts = append(parts, t.Metric)
	}
	switch what := strings.Join(parts, " and "); {
	case t.None:
		return what + ": none per block"
	case t.AtLeast > 0:
		return fmt.Sprintf("%s: at least %g per block", what, t.AtLeast)
	default:
		return what + ": at least 1 per block"
	}
}
