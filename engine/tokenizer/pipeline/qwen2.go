package pipeline

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// qwen2Pattern is the pre-tokenizer of Qwen2 (transformers 5.19,
// models/qwen2/tokenization_qwen2.py).
const qwen2Pattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

// Qwen2 builds the pipeline of Qwen2 from its older files, vocab.json and
// merges.txt. They name no added tokens; see [Pipeline.Add].
func Qwen2(vocab, merges []byte) (*Pipeline, error) {
	var ids map[string]int
	if err := json.Unmarshal(vocab, &ids); err != nil {
		return nil, fmt.Errorf("vocab.json: %w", err)
	}
	var spec modelSpec
	lines := bufio.NewScanner(bytes.NewReader(merges))
	for number := 1; lines.Scan(); number++ {
		line := lines.Text()
		if line == "" || number == 1 && strings.HasPrefix(line, "#version") {
			continue
		}
		var m mergeSpec
		if err := m.parse(line); err != nil {
			return nil, fmt.Errorf("merges.txt, line %d: %w", number, err)
		}
		spec.Merges = append(spec.Merges, m)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("merges.txt: %w", err)
	}
	b, err := buildBPE(ids, spec)
	if err != nil {
		return nil, fmt.Errorf("vocab.json and merges.txt: %w", err)
	}
	no := false
	pattern := qwen2Pattern
	p := &Pipeline{added: newAddedTokens(), model: b}
	return p, p.build(file{
		Normalizer: &component{Type: "NFC"},
		PreTokenizer: &component{Type: "Sequence", PreTokenizers: []component{
			{Type: "Split", Pattern: &patternSpec{Regex: &pattern}, Behavior: string(isolated)},
			{Type: "ByteLevel", AddPrefixSpace: &no, UseRegex: &no},
		}},
		Decoder: &component{Type: "ByteLevel"},
	})
}
