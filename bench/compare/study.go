package compare

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"siglab/bench/record"
)

// study is a run put in order: every block with its observations, and the complete
// pairs.
type study struct {
	run    record.Run
	arms   []record.Variant // the baseline first
	blocks []*block         // in the manifest's order, void ones included
	pairs  []pair           // complete ones, ascending
	orphan int              // observations of a block that a killed run did not come to list
}

// block is one measured block. Observations are in order of Index.
type block struct {
	record.Block
	arm          int // index into study.arms
	observations []*record.Observation
	whole        bool // every scheduled request has its observation
	failed       int
	latencies    latencies
	values       map[string]float64 // by metric key, see blockValues
}

// newStudy sorts a run's parts to each other. The error is for a run that cannot
// be read as one.
func newStudy(run record.Run) (*study, error) {
	s := &study{run: run, arms: run.Manifest.Variants}
	if len(s.arms) == 0 {
		return nil, errors.New("compare: the manifest names no variants; is this a run directory?")
	}
	byID, err := s.listBlocks()
	if err != nil {
		return nil, err
	}
	if err := s.assign(byID); err != nil {
		return nil, err
	}
	for _, b := range s.blocks {
		if err := b.complete(); err != nil {
			return nil, err
		}
		b.addGoodput(s.limits())
	}
	s.pairs = completePairs(s.blocks, len(s.arms))
	return s, nil
}

// listBlocks makes the blocks and returns them by their ID.
func (s *study) listBlocks() (map[int]*block, error) {
	arm := map[string]int{}
	for i, v := range s.arms {
		if _, twice := arm[v.Name]; twice {
			return nil, fmt.Errorf("compare: two variants are called %q; names tell them apart", v.Name)
		}
		arm[v.Name] = i
	}
	byID := map[int]*block{}
	for _, b := range s.run.Manifest.Blocks {
		i, known := arm[b.Variant]
		if !known {
			return nil, fmt.Errorf("compare: block %d is of variant %q, which the manifest does not name", b.ID, b.Variant)
		}
		if byID[b.ID] != nil {
			return nil, fmt.Errorf("compare: two blocks have the ID %d", b.ID)
		}
		byID[b.ID] = &block{Block: b, arm: i}
		s.blocks = append(s.blocks, byID[b.ID])
	}
	return byID, nil
}

// stoppedRunning is Manifest.Stopped of a run that was killed.
const stoppedRunning = "running"

// assign gives every observation to its block. A run that was killed may have
// written observations of its last block before the manifest that lists it.
func (s *study) assign(byID map[int]*block) error {
	last := 0
	for id := range byID {
		last = max(last, id)
	}
	for i := range s.run.Observations {
		o := &s.run.Observations[i]
		b := byID[o.Block]
		switch {
		case b == nil && s.run.Manifest.Stopped == stoppedRunning && o.Block > last:
			s.orphan++
		case b == nil:
			return fmt.Errorf("compare: observation %d is of block %d, which the manifest does not list; do both files come from the same run?", i+1, o.Block)
		case o.Variant != b.Variant:
			return fmt.Errorf("compare: observation %d of block %d is of variant %q, the block of %q", i+1, o.Block, o.Variant, b.Variant)
		default:
			b.observations = append(b.observations, o)
		}
	}
	return nil
}

// complete fills in what follows from a block's observations.
func (b *block) complete() error {
	slices.SortStableFunc(b.observations, func(x, y *record.Observation) int { return cmp.Compare(x.Index, y.Index) })
	for i, o := range b.observations {
		if o.Index < 0 || o.Index >= b.Requests {
			return fmt.Errorf("compare: block %d has an observation of request %d, but only %d requests", b.ID, o.Index, b.Requests)
		}
		if i > 0 && o.Index == b.observations[i-1].Index {
			return fmt.Errorf("compare: block %d has two observations of request %d", b.ID, o.Index)
		}
		if !o.OK() {
			b.failed++
		}
	}
	b.whole = b.Requests > 0 && len(b.observations) == b.Requests
	b.latencies = latenciesOf(b.observations)
	b.values = blockValues(b)
	return nil
}

// answered is the number of requests that were answered in full.
func (b *block) answered() int { return len(b.observations) - b.failed }

// counted are the blocks of one variant that the comparison rests on: those of
// complete pairs, in their order.
func (s *study) counted(arm int) []*block {
	out := make([]*block, len(s.pairs))
	for i, p := range s.pairs {
		out[i] = p.blocks[arm]
	}
	return out
}

// candidates are the indices of all variants but the baseline.
func (s *study) candidates() []int {
	var out []int
	for i := 1; i < len(s.arms); i++ {
		out = append(out, i)
	}
	return out
}

// countedBlocks are the blocks of all complete pairs.
func (s *study) countedBlocks() []*block {
	var out []*block
	for _, p := range s.pairs {
		out = append(out, p.blocks...)
	}
	return out
}

// observations are those of one variant's blocks that count.
func (s *study) observations(arm int) []*record.Observation {
	var out []*record.Observation
	for _, b := range s.counted(arm) {
		out = append(out, b.observations...)
	}
	return out
}

// medianTTFT is the mean over a variant's blocks of the median TTFT, in ms.
func (s *study) medianTTFT(arm int) float64 {
	var values []float64
	for _, b := range s.counted(arm) {
		values = append(values, b.values["median_ttft_ms"])
	}
	return mean(values)
}
