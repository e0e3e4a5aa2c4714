package runlog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"time"

	"siglab/bench/record"
)

// readObservations reads observations.jsonl. A run may have hundreds of thousands of
// requests, each with tens of stamps, so the rows are kept in as little memory as
// their values need: lists at their exact length, side by side, and one copy of words
// that come again in every row.
//
// A block that the manifest lists with the hash of its lines must have those lines.
// Fewer, after a file was cut off, is a warning: the block is not complete, and the
// analysis leaves it out.
func readObservations(path string, blocks []record.Block) ([]record.Observation, []string, error) {
	p := packer{sums: map[int]*blockSum{}}
	for _, b := range blocks {
		if b.ObservationsHash != "" && b.Void == "" {
			p.sums[b.ID] = &blockSum{Hash: sha256.New()}
		}
	}
	warnings, err := eachLine(path, func(line []byte) error {
		if p.rows == nil {
			p.reserve(path, len(line))
		}
		return p.add(line)
	})
	if err != nil {
		return nil, nil, err
	}
	for i := range p.rows {
		if v := p.rows[i].Version; v != record.ObservationVersion {
			return nil, nil, fmt.Errorf("read run: %s line %d has version %d and this siglab reads version %d", filepath.Base(path), i+1, v, record.ObservationVersion)
		}
	}
	missing, err := p.check(path, blocks)
	return p.rows, append(warnings, missing...), err
}

// check compares the lines of every block with what was recorded of them.
func (p *packer) check(path string, blocks []record.Block) (warnings []string, err error) {
	for _, b := range blocks {
		sum := p.sums[b.ID]
		if sum == nil {
			continue
		}
		found := hex.EncodeToString(sum.Sum(nil))
		switch {
		case found == b.ObservationsHash:
		case sum.lines < b.Requests:
			warnings = append(warnings, fmt.Sprintf("%s has %d of the %d lines of block %d, which is left out", filepath.Base(path), sum.lines, b.Requests, b.ID))
		default:
			return nil, fmt.Errorf("read run: the lines of block %d in %s are not those that were recorded (SHA-256 %.12s, not %.12s): they were edited or come from another run, so no result is made of them; restore the file, or measure again",
				b.ID, path, found, b.ObservationsHash)
		}
	}
	return warnings, nil
}

// blockSum is the hash of the lines of one block.
type blockSum struct {
	hash.Hash
	lines int
}

// packer decodes rows into memory that they share.
type packer struct {
	rows   []record.Observation
	row    record.Observation // whose lists are used again for every line
	stamps []time.Duration    // room for the lists of the next rows
	counts []int
	words  map[string]string
	sums   map[int]*blockSum // by block, of those to be checked
}

// reserve makes room for about as many rows as the file has, going by its first line.
func (p *packer) reserve(path string, firstLine int) {
	rows := 1
	if info, err := os.Stat(path); err == nil { // otherwise the rows grow as they come
		rows += int(info.Size()) / firstLine
	}
	p.rows = make([]record.Observation, 0, rows)
	p.words = map[string]string{}
}

func (p *packer) add(line []byte) error {
	p.row = record.Observation{
		ChunkAt: p.row.ChunkAt[:0], ChunkTokens: p.row.ChunkTokens[:0], ChunkLens: p.row.ChunkLens[:0], ReasoningLens: p.row.ReasoningLens[:0],
	}
	if err := json.Unmarshal(line, &p.row); err != nil {
		return err
	}
	if sum := p.sums[p.row.Block]; sum != nil {
		sum.Write(line)
		sum.lines++
	}
	o := p.row
	o.ChunkAt = pack(&p.stamps, o.ChunkAt)
	o.ChunkTokens, o.ChunkLens, o.ReasoningLens = pack(&p.counts, o.ChunkTokens), pack(&p.counts, o.ChunkLens), pack(&p.counts, o.ReasoningLens)
	o.Variant, o.FinishReason = p.word(o.Variant), p.word(o.FinishReason)
	o.TokenSource, o.Failure = record.TokenSource(p.word(string(o.TokenSource))), record.Failure(p.word(string(o.Failure)))
	o.Item = p.word(o.Item) // the same in every arm
	p.rows = append(p.rows, o)
	return nil
}

// word is the one copy of a text that many rows have.
func (p *packer) word(text string) string {
	if known, ok := p.words[text]; ok {
		return known
	}
	p.words[text] = text
	return text
}

// packedTogether is how many numbers of lists share one allocation.
const packedTogether = 1 << 14

// pack copies a list into the room, and makes new room where it is used up. An empty
// list is nil, as it is where the line does not have it.
func pack[T any](room *[]T, list []T) []T {
	n := len(list)
	if n == 0 {
		return nil
	}
	if cap(*room)-len(*room) < n {
		*room = make([]T, 0, max(packedTogether, n))
	}
	start := len(*room)
	*room = append(*room, list...)
	return (*room)[start : start+n : start+n]
}
