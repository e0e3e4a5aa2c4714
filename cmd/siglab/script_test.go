package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/shirou/gopsutil/v4/process"

	"siglab/internal/hub/hubtest"
)

// TestMain lets the scripts run this program as the command siglab: the test
// binary is then started under that name, also as its own child by bench.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"siglab": main, "badserver": badServer})
}

func TestScripts(t *testing.T) {
	good, err := filepath.Abs("../../internal/safetensors/testdata/good.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	peers, err := filepath.Abs("../../bench/peerfiles/testdata")
	if err != nil {
		t.Fatal(err)
	}
	models, err := filepath.Abs("../../engine/vlm/testdata")
	if err != nil {
		t.Fatal(err)
	}
	configs, err := filepath.Abs("../../internal/inspect/testdata")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := filepath.Abs("../../bench/dataset/parquetrows/testdata/train-00000-of-00001.parquet")
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Abs("../../scripts")
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(rows)
	if err != nil {
		t.Fatal(err)
	}
	hub := &hubtest.Server{Repo: "org/set", Token: "hf_test", Files: map[string]string{"data/train-00000-of-00001.parquet": string(table)}}
	hub.Start(t)
	model := &hubtest.Server{Repo: "org/model", Models: true, Token: "hf_test", Files: map[string]string{
		"config.json": `{"model_type": "paligemma", "vision_config": {"model_type": "siglip_vision_model", "image_size": 448, "patch_size": 14}}`,
	}}
	model.Start(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GOOD", good)
			env.Setenv("PEERS", peers)
			env.Setenv("MODELS", models)
			env.Setenv("PARQUET", rows)
			env.Setenv("SCRIPTS", scripts)
			env.Setenv("HUB", hub.URL())
			env.Setenv("MODELHUB", model.URL())
			env.Setenv("CONFIGS", configs)
			return startFake(env)
		},
		Condition: func(name string) (bool, error) {
			if name != "gpu" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			gpu, err := openGPU()
			if err != nil {
				return false, nil
			}
			return true, gpu.Close()
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"waitfor": waitFor, "try": try, "nobodyleft": nobodyLeft},
	})
}

// try executes a command that may succeed or fail; what it printed and wrote decides.
func try(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: try command [argument...]")
	}
	if err := ts.Exec(args[0], args[1:]...); err != nil {
		ts.Logf("[%v]", err)
	}
}

// waitFor waits until a file is there and not empty, for half a minute at most.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitfor file")
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if info, err := os.Stat(ts.MkAbs(args[0])); err == nil && info.Size() > 0 {
			return
		}
	}
	ts.Fatalf("%s is still missing or empty", args[0])
}

// nobodyLeft fails unless every process that noted itself in the folder pids is gone.
func nobodyLeft(ts *testscript.TestScript, neg bool, args []string) {
	noted, err := os.ReadDir(ts.MkAbs("pids"))
	if neg || len(args) != 0 || err != nil || len(noted) == 0 {
		ts.Fatalf("usage: nobodyleft, after a server has noted itself (%v)", err)
	}
	for _, entry := range noted {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			ts.Fatalf("%v", err)
		}
		alive, err := process.PidExists(int32(pid))
		if err != nil {
			ts.Fatalf("%v", err)
		}
		if alive {
			ts.Fatalf("process %d is left", pid)
		}
	}
	ts.Check(os.RemoveAll(ts.MkAbs("pids")))
}
