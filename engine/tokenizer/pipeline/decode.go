package pipeline

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// stage is a step of decoding: it takes tokens one by one and hands strings to
// the next stage, at once where it can.
type stage interface {
	push(token string, emit func(string))
	flush(emit func(string)) // ends the sequence and readies the stage for another
}

// Stream decodes one sequence, id by id. It serves one goroutine.
type Stream struct {
	pipeline    *Pipeline
	skipSpecial bool
	stages      []stage
	out         strings.Builder
}

// NewStream returns a stream at the start of a sequence. What its Push and
// Flush return, joined, is what [Pipeline.Decode] returns of all ids; each
// return value is whole runes.
//
// Text is held back while it can still change: the bytes of a rune until it is
// whole, and a run of byte tokens (<0xE2> …) until it ends, since the library
// makes U+FFFD of every byte of a run unless the whole run is valid.
func (p *Pipeline) NewStream(skipSpecial bool) *Stream {
	return &Stream{pipeline: p, skipSpecial: skipSpecial, stages: p.decoder()}
}

// Push takes the next id and returns the text that it completes.
func (s *Stream) Push(id int) string {
	token, ok := s.pipeline.Token(id)
	if !ok || s.skipSpecial && s.pipeline.Special(id) {
		return ""
	}
	s.into(0)(token)
	return s.taken()
}

// Flush ends the sequence and returns the text that was held back.
func (s *Stream) Flush() string {
	for i, stage := range s.stages {
		stage.flush(s.into(i + 1))
	}
	return s.taken()
}

// into returns what hands a string to the stages from number i.
func (s *Stream) into(i int) func(string) {
	if i == len(s.stages) {
		return func(text string) { s.out.WriteString(text) }
	}
	return func(text string) { s.stages[i].push(text, s.into(i+1)) }
}

func (s *Stream) taken() string {
	text := s.out.String()
	s.out.Reset()
	return text
}

// newDecoder returns what makes the stages of a decoder of tokenizer.json, and
// fails if it cannot be done in one pass.
func newDecoder(c *component) (func() []stage, error) {
	if c == nil {
		return func() []stage { return []stage{&joinStage{}} }, nil
	}
	flat, err := flatDecoders(*c)
	if err != nil {
		return nil, err
	}
	if _, err := newStages(flat); err != nil {
		return nil, err
	}
	return func() []stage {
		stages, err := newStages(flat)
		if err != nil {
			panic("pipeline: stages that were made before: " + err.Error())
		}
		return stages
	}, nil
}

func flatDecoders(c component) ([]component, error) {
	if c.Type != "Sequence" {
		return []component{c}, nil
	}
	var flat []component
	for _, inner := range c.Decoders {
		more, err := flatDecoders(inner)
		if err != nil {
			return nil, err
		}
		flat = append(flat, more...)
	}
	return flat, nil
}

// newStages builds the stages. After Fuse or ByteLevel the library has one
// string, which here arrives in pieces.
func newStages(decoders []component) ([]stage, error) {
	var stages []stage
	fused := false
	for _, c := range decoders {
		var next stage
		switch c.Type {
		case "Fuse":
			fused = true
			continue
		case "ByteLevel":
			if fused {
				return nil, fmt.Errorf("decoder %q after one that joins all tokens is not supported", c.Type)
			}
			next, fused = &byteLevelStage{}, true
		case "ByteFallback":
			if fused {
				return nil, fmt.Errorf("decoder %q after one that joins all tokens is not supported", c.Type)
			}
			next = &byteRunStage{}
		case "Metaspace":
			mark, scheme, err := c.metaspace()
			if err != nil {
				return nil, err
			}
			if fused {
				return nil, fmt.Errorf("decoder %q after one that joins all tokens is not supported", c.Type)
			}
			next = &metaspaceStage{mark: mark, drop: scheme != "never"}
		case "Replace":
			p, err := c.pattern()
			if err != nil {
				return nil, err
			}
			if p.regex != nil || fused && utf8.RuneCountInString(p.text) > 1 {
				return nil, fmt.Errorf("decoder %q with a regular expression, or with several characters after a decoder that joins all tokens, is not supported", c.Type)
			}
			next = replaceStage{p.text, c.Content}
		case "Strip":
			if utf8.RuneCountInString(c.Content) != 1 || c.Start < 0 || c.Stop < 0 || c.Start > 1<<16 || c.Stop > 1<<16 {
				return nil, fmt.Errorf("decoder %q of %q, %d and %d, is not supported", c.Type, c.Content, c.Start, c.Stop)
			}
			next = &stripStage{content: c.Content, start: c.Start, stop: c.Stop, fused: fused}
		default:
			return nil, fmt.Errorf("decoder %q is not supported", c.Type)
		}
		stages = append(stages, next)
	}
	return stages, nil
}

// joinStage writes a space between tokens: what the library does without a
// decoder.
type joinStage struct{ later bool }

func (s *joinStage) push(token string, emit func(string)) {
	if s.later {
		token = " " + token
	}
	s.later = true
	emit(token)
}

func (s *joinStage) flush(func(string)) { s.later = false }

// byteLevelStage turns visible runes into bytes, and bytes into whole runes.
type byteLevelStage struct{ bytes Lossy }

func (s *byteLevelStage) push(token string, emit func(string)) {
	emit(s.bytes.Push(runesToBytes(token)))
}

func (s *byteLevelStage) flush(emit func(string)) { emit(s.bytes.Flush()) }

// byteRunStage gathers runs of <0x..> tokens.
type byteRunStage struct{ run []byte }

func (s *byteRunStage) push(token string, emit func(string)) {
	if b, ok := byteToken(token); ok {
		s.run = append(s.run, b)
		return
	}
	s.flush(emit)
	emit(token)
}

func (s *byteRunStage) flush(emit func(string)) {
	if utf8.Valid(s.run) {
		if len(s.run) > 0 {
			emit(string(s.run))
		}
	} else {
		for range s.run {
			emit(string(utf8.RuneError))
		}
	}
	s.run = s.run[:0]
}

// byteToken returns the byte that <0x..> stands for.
func byteToken(token string) (byte, bool) {
	if len(token) != 6 || token[:3] != "<0x" || token[5] != '>' {
		return 0, false
	}
	b, err := strconv.ParseUint(token[3:5], 16, 8)
	return byte(b), err == nil
}

// metaspaceStage writes the mark as a space, and drops those of the first
// token where encoding put one in front.
type metaspaceStage struct {
	mark        string
	drop, later bool
}

func (s *metaspaceStage) push(token string, emit func(string)) {
	space := " "
	if s.drop && !s.later {
		space = ""
	}
	s.later = true
	emit(strings.ReplaceAll(token, s.mark, space))
}

func (s *metaspaceStage) flush(func(string)) { s.later = false }

type replaceStage struct{ from, to string }

func (s replaceStage) push(token string, emit func(string)) {
	if s.from != "" {
		token = strings.ReplaceAll(token, s.from, s.to)
	}
	emit(token)
}

func (s replaceStage) flush(func(string)) {}

// stripStage drops up to start contents at the start and stop at the end: of
// each token, or of the whole text once it is fused.
type stripStage struct {
	content     string
	start, stop int
	fused       bool

	begun int // contents dropped at the start, or start once other text came
	held  int // contents held back, since they may be the end
}

func (s *stripStage) push(token string, emit func(string)) {
	if !s.fused {
		for n := 0; n < s.start && strings.HasPrefix(token, s.content); n++ {
			token = token[len(s.content):]
		}
		for n := 0; n < s.stop && strings.HasSuffix(token, s.content); n++ {
			token = token[:len(token)-len(s.content)]
		}
		emit(token)
		return
	}
	for s.begun < s.start && token != "" {
		if !strings.HasPrefix(token, s.content) {
			s.begun = s.start
			break
		}
		token = token[len(s.content):]
		s.begun++
	}
	if s.stop == 0 || token == "" {
		emit(token)
		return
	}
	end := len(token)
	trailing := 0
	for strings.HasSuffix(token[:end], s.content) {
		end -= len(s.content)
		trailing++
	}
	if end > 0 {
		emit(strings.Repeat(s.content, s.held) + token[:end])
		s.held = 0
	}
	s.held += trailing
	if s.held > s.stop {
		emit(strings.Repeat(s.content, s.held-s.stop))
		s.held = s.stop
	}
}

func (s *stripStage) flush(func(string)) { s.begun, s.held = 0, 0 }
