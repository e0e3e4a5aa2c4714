package compare

import (
	"strings"
	"testing"

	"siglab/bench/record"
)

// byRef is a run of two servers by ref that is as it should be.
func byRef(change func(*record.Run)) fake {
	variants := []record.Variant{
		{Name: "main", Kind: record.KindCommand, Argv: []string{"vllm", "serve"}, Source: &record.Source{Ref: "main", Commit: "aaaaaaaaaaaaaaaa", Module: "vllm"},
			Trigger: &record.Trigger{Log: "fast", None: true}},
		{Name: "fast", Kind: record.KindCommand, Argv: []string{"vllm", "serve"}, Source: &record.Source{Ref: "feature/fast", Commit: "bbbbbbbbbbbbbbbb", Module: "vllm"},
			Env: []string{"VLLM_DEBUG_SIGLIP=1"}, Trigger: &record.Trigger{Log: "fast", Metric: "calls_total", AtLeast: 20}},
	}
	return fake{variants: variants, change: func(run *record.Run) {
		m := &run.Manifest
		for _, v := range m.Variants {
			python := &record.Python{Executable: "{worktree}/bin/python", Version: "3.11.7", Packages: map[string]string{"torch": "2.13.0", "vllm": "0.1+" + v.Name}}
			m.Fingerprints = append(m.Fingerprints, record.Fingerprint{Variant: v.Name, Argv: []string{"vllm", v.Name}, Env: map[string]string{"OMP_NUM_THREADS": "1"}, Python: python})
			m.Code = append(m.Code, record.Code{Variant: v.Name, Found: record.CodeRight, Detail: "loads the commit of " + v.Name})
		}
		m.Fingerprints[1].Env["VLLM_DEBUG_SIGLIP"] = "1"
		for i := range m.Blocks {
			b := &m.Blocks[i]
			log, metric := 0.0, 25.0
			b.Trigger = &record.TriggerCount{Log: &log}
			if b.Variant == "fast" {
				log = 20
				b.Trigger.Metric = &metric
			}
		}
		if change != nil {
			change(run)
		}
	}}
}

func TestGatesOfRefs(t *testing.T) {
	last := func(run *record.Run) *record.TriggerCount { // of the variant fast
		return run.Manifest.Blocks[len(run.Manifest.Blocks)-2].Trigger
	}
	count := func(n float64) *float64 { return &n }
	for _, test := range []struct {
		why, gate string
		state     state
		detail    string
		change    func(*record.Run)
	}{
		{"what should have moved did", "trigger", passed, `variant "fast": lines of its log match "fast": 20 to 20 per block, at least 20 expected`, nil},
		{"and what should not did not", "trigger", passed, `variant "main": lines of its log match "fast": 0 to 0 per block, none expected`, nil},
		{"one block logged too little", "trigger", failed, "19 to 20 per block", func(run *record.Run) { last(run).Log = count(19) }},
		{"one block moved the metric too little", "trigger", failed, "calls_total: 0 to 25 per block (it has no such metric), at least 20", func(run *record.Run) {
			last(run).Metric, last(run).Detail = count(0), "it has no such metric"
		}},
		{"the baseline ran the code, too", "trigger", failed, "0 to 1 per block, none expected", func(run *record.Run) { run.Manifest.Blocks[0].Trigger.Log = count(1) }},
		{"a block was not counted", "trigger", notChecked, "block 11 of variant \"fast\": its log was not read", func(run *record.Run) {
			last(run).Log, last(run).Detail = nil, "its log was not read"
		}},
		{"one variant declares no trigger", "trigger", passed, `variant "main" declares none`, func(run *record.Run) { run.Manifest.Variants[0].Trigger = nil }},
		{"no variant declares one", "trigger", notChecked, "no mode and no trigger", func(run *record.Run) {
			run.Manifest.Variants[0].Trigger, run.Manifest.Variants[1].Trigger = nil, nil
		}},
		{"both loaded their commits", "code_loaded", passed, "loads the commit of fast", nil},
		{"one loaded other code", "code_loaded", failed, "loads another", func(run *record.Run) {
			run.Manifest.Code[1] = record.Code{Variant: "fast", Found: record.CodeWrong, Detail: "loads another"}
		}},
		{"of one it is not known", "code_loaded", notChecked, "no interpreter", func(run *record.Run) {
			run.Manifest.Code[1] = record.Code{Variant: "fast", Found: record.CodeUnknown, Detail: "no interpreter"}
		}},
		{"one was not asked", "code_loaded", notChecked, "was not asked", func(run *record.Run) { run.Manifest.Code = run.Manifest.Code[:1] }},
		{"one loaded other code, and of the other it is not known", "code_loaded", failed, "loads another", func(run *record.Run) {
			run.Manifest.Code = []record.Code{{Variant: "fast", Found: record.CodeWrong, Detail: "loads another"}}
		}},
		{"they differ in what they declare", "environment", passed, `code "main at aaaaaaaaaaaa" → "feature/fast at bbbbbbbbbbbb"`, nil},
		{"another torch", "environment", failed, "packages that they do not declare: torch 2.13.0 → 2.12.0", func(run *record.Run) {
			run.Manifest.Fingerprints[1].Python.Packages["torch"] = "2.12.0"
		}},
		{"another torch, which may be", "environment", passed, "declared", func(run *record.Run) {
			run.Manifest.Fingerprints[1].Python.Packages["torch"] = "2.12.0"
			run.Manifest.Experiment.MayDiffer = []string{"Torch"}
		}},
		{"a package that only one has", "environment", failed, "flash_attn 2 only in the second", func(run *record.Run) {
			run.Manifest.Fingerprints[1].Python.Packages["flash_attn"] = "2"
		}},
		{"a variable that a wrapper set", "environment", failed, "variables that they do not declare: OMP_NUM_THREADS 1 → 2", func(run *record.Run) {
			run.Manifest.Fingerprints[1].Env["OMP_NUM_THREADS"] = "2"
		}},
		{"another interpreter", "environment", failed, "python 3.11.7 → 3.12.1", func(run *record.Run) {
			run.Manifest.Fingerprints[1].Python.Version = "3.12.1"
		}},
		{"one command, of the same code, came to two", "environment", failed, "the command line that they do not declare", func(run *record.Run) {
			run.Manifest.Variants[1].Source = run.Manifest.Variants[0].Source
		}},
		{"nothing was found out", "environment", passed, "declared", func(run *record.Run) { run.Manifest.Fingerprints = nil }},
	} {
		t.Run(test.why, func(t *testing.T) {
			c := analyse(t, byRef(test.change))
			g := gateOf(t, c, test.gate)
			if g.OK != (test.state == passed) || g.Checked != (test.state != notChecked) || !strings.Contains(g.Detail, test.detail) {
				t.Errorf("gate %+v, want %q in its detail", g, test.detail)
			}
			if c.Valid != (test.state != failed) {
				t.Errorf("valid: %v", c.Valid)
			}
		})
	}
}
