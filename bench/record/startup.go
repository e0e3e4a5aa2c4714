package record

import (
	"fmt"
	"strings"
	"time"
)

// Startup says where the time went from the command to the first measured request: time
// 0 of the schedule of the first block. A run whose first block got no such moment, and
// one that goes on with an earlier run, have none.
type Startup struct {
	Plan      time.Duration `json:"plan_ns"`                // arguments, data set, workload, fingerprint of the machine
	Calibrate time.Duration `json:"calibrate_ns,omitempty"` // the client's own error was measured
	Worktrees time.Duration `json:"worktrees_ns,omitempty"` // git refs were checked out and asserted, without SetUp
	SetUp     time.Duration `json:"set_up_ns,omitempty"`    // commands that made worktrees ready
	Hooks     time.Duration `json:"hooks_ns,omitempty"`
	Servers   time.Duration `json:"servers_ns"` // until those that the block needs were ready
	Examine   time.Duration `json:"examine_ns"` // the code was asserted, the fingerprint of the server taken
	WarmUp    time.Duration `json:"warm_up_ns"`
	Total     time.Duration `json:"total_ns"`
}

// Ours is what this program itself took: all but servers, their warm-up, commands of the
// user, and the calibration, which is a measurement.
func (s Startup) Ours() time.Duration {
	return max(0, s.Total-s.Calibrate-s.SetUp-s.Hooks-s.Servers-s.WarmUp)
}

// String is one line: the whole, its parts that are not ours, and ours.
func (s Startup) String() string {
	var parts []string
	add := func(name string, d time.Duration) {
		if d > 0 {
			parts = append(parts, fmt.Sprintf("%s %.1f s", name, d.Seconds()))
		}
	}
	add("servers", s.Servers)
	add("their warm-up", s.WarmUp)
	add("set-up", s.SetUp)
	add("hooks", s.Hooks)
	add("calibration", s.Calibrate)
	add("siglab itself", s.Ours())
	return fmt.Sprintf("from the command to the first measured request %.1f s: %s", s.Total.Seconds(), strings.Join(parts, ", "))
}
