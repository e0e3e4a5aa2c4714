package tokenizer

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

// piecesFile lists the word pieces in id order, one JSON string per line so
// that leading and trailing spaces are visible.
//
//go:embed pieces.jsonl
var piecesFile string

// embeddedPieces returns the pieces of the embedded file. The file is part of
// the program, so a malformed one is a bug of this package and panics.
func embeddedPieces() []string {
	pieces, err := parsePieces(piecesFile)
	if err != nil {
		panic("tokenizer: embedded pieces.jsonl: " + err.Error())
	}
	return pieces
}

// parsePieces reads one JSON string per line. A piece must have two bytes or
// more, since every single byte already is a token.
func parsePieces(file string) ([]string, error) {
	var pieces []string
	number := 0
	for line := range strings.Lines(file) {
		number++
		var piece string
		if err := json.Unmarshal([]byte(line), &piece); err != nil {
			return nil, fmt.Errorf("line %d: %q is not a JSON string: %w", number, line, err)
		}
		if len(piece) < 2 {
			return nil, fmt.Errorf("line %d: piece %q is shorter than two bytes; remove it", number, piece)
		}
		pieces = append(pieces, piece)
	}
	return pieces, nil
}
