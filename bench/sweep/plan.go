package sweep

import (
	"errors"
	"fmt"
	"slices"
)

// PlanVersion is the version of a sweep's plan file.
const PlanVersion = 1

// Plan says what a sweep was asked for: enough to go on with it.
type Plan struct {
	Version  int      `json:"version"`
	Args     []string `json:"args"`                  // of the command line, secrets never on it
	FileHash string   `json:"file_sha256,omitempty"` // of the experiment file, which may hold secrets
	Axes     []Axis   `json:"axes"`
}

// Check says why another plan is not this one, so that its points could not stand in
// one table with those that are there.
func (p Plan) Check(now Plan) error {
	sameAxis := func(a, b Axis) bool { return a.Key == b.Key && slices.Equal(a.Values, b.Values) }
	switch {
	case p.FileHash != now.FileHash:
		return errors.New("its experiment file has changed since")
	case !slices.EqualFunc(p.Axes, now.Axes, sameAxis):
		return fmt.Errorf("it is a sweep over %v, not over %v", p.Axes, now.Axes)
	case !slices.Equal(p.Args, now.Args):
		return fmt.Errorf("its command line was %q, not %q", p.Args, now.Args)
	}
	return nil
}
