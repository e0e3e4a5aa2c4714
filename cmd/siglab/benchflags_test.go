package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"siglab/bench/configfile"
	"siglab/internal/secret"
)

// TestFlagsHaveKeys: what a flag of bench says, an experiment file can say, and the
// other way round.
func TestFlagsHaveKeys(t *testing.T) {
	// These are about how the command is carried out, not about the experiment.
	notOfTheExperiment := []string{"help", "file", "print-config", "dry-run", "resume", "json", "annotations"}
	parser, err := kong.New(&cli{}, kong.Configuration(readConfig), flagDefaults, kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	var flags []string
	for _, command := range parser.Model.Children {
		if command.Name != "bench" {
			continue
		}
		for _, group := range command.AllFlags(false) {
			for _, flag := range group {
				if !slices.Contains(notOfTheExperiment, flag.Name) {
					flags = append(flags, flag.Name)
				}
			}
		}
	}
	slices.Sort(flags)
	if diff := cmp.Diff(flags, configfile.FlagNames()); diff != "" {
		t.Errorf("flags of bench (-) and keys of experiment files (+):\n%s", diff)
	}
}

func TestParseCommand(t *testing.T) {
	for _, test := range []struct {
		why, text string
		want      commandSpec
		err       string
	}{
		{"words", "a=vllm serve  m", commandSpec{Name: "a", Env: map[string]string{}, Command: []string{"vllm", "serve", "m"}}, ""},
		{"an environment", "a=X=1 Y='b c' vllm Z=3", commandSpec{Name: "a", Env: map[string]string{"X": "1", "Y": "b c"}, Command: []string{"vllm", "Z=3"}}, ""},
		{"quotes of both kinds", `a=x '{"image": 2}' "it's" b\ c`, commandSpec{Name: "a", Env: map[string]string{}, Command: []string{"x", `{"image": 2}`, "it's", "b c"}}, ""},
		{"nothing is expanded", "a=echo $HOME *", commandSpec{Name: "a", Env: map[string]string{}, Command: []string{"echo", "$HOME", "*"}}, ""},
		{"no name", "vllm serve", commandSpec{}, "NAME="},
		{"no command", "a= ", commandSpec{}, "NAME="},
		{"an open quote", "a=x 'y", commandSpec{}, "nterminated"},
	} {
		got, err := parseCommand(test.text)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error %v, want %q", test.why, err, test.err)
			}
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", test.why, err, diff)
		}
	}
}

// FuzzCommand: no text makes the parts of a command line panic, and what they give is
// a command that can be checked.
func FuzzCommand(f *testing.F) {
	f.Add("a=X=1 Y='b c' vllm serve --port {port} --api-key s3")
	f.Add(`a="\`)
	f.Fuzz(func(_ *testing.T, text string) {
		secret.HideIn([]string{text, "--header", text})
		spec, err := parseCommand(text)
		if err != nil {
			return
		}
		if v, err := spec.variant(); err == nil {
			withoutSecretsIn(v)
		}
	})
}
