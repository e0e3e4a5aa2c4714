package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"siglab/bench/configfile"
)

// TestFlagsHaveKeys: what a flag of bench says, an experiment file can say, and the
// other way round.
func TestFlagsHaveKeys(t *testing.T) {
	// These are about how the command is carried out, not about the experiment.
	notOfTheExperiment := []string{"help", "file", "print-config", "dry-run", "resume", "json", "annotations"}
	parser, err := kong.New(&cli{}, kong.Configuration(readConfig), kong.Exit(func(int) {}))
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

// TestWithoutSecrets: a recorded command line tells what was asked for, and no secret.
func TestWithoutSecrets(t *testing.T) {
	for _, test := range []struct {
		why        string
		args, want []string
	}{
		{"what is no secret stays", []string{"siglab", "bench", "--max-tokens", "32", "--seed=3", "--primary", "median_ttft_ms"}, []string{"siglab", "bench", "--max-tokens", "32", "--seed=3", "--primary", "median_ttft_ms"}},
		{"headers keep their names", []string{"--header", "A=b", "C=d", "--qps", "3"}, []string{"--header", "A=[hidden]", "C=[hidden]", "--qps", "3"}},
		{"a header in one word", []string{"--header=A=b"}, []string{"--header=A=[hidden]"}},
		{"a key as an option", []string{"vllm", "serve", "--api-key", "s3", "--port", "1"}, []string{"vllm", "serve", "--api-key", "[hidden]", "--port", "1"}},
		{"a key as an option, in one word", []string{"--api-key=s3"}, []string{"--api-key=[hidden]"}},
		{"keys within a command", []string{"--command", "a=HF_TOKEN='s 3' vllm serve --api-key s3 --max-tokens 5"}, []string{"--command", "a=HF_TOKEN=[hidden] vllm serve --api-key [hidden] --max-tokens 5"}},
		{"a variable", []string{"HF_TOKEN=s3", "X=y"}, []string{"HF_TOKEN=[hidden]", "X=y"}},
	} {
		if diff := cmp.Diff(test.want, withoutSecrets(test.args)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.why, diff)
		}
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
		withoutSecrets([]string{text, "--header", text})
		spec, err := parseCommand(text)
		if err != nil {
			return
		}
		if v, err := spec.variant(); err == nil {
			withoutSecretsIn(v)
		}
	})
}
