package pipeline

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// AddedToken is a token that is cut out of a text before the model sees it.
// The names are those of tokenizer.json.
type AddedToken struct {
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // only where no letter, digit or _ adjoins
	LStrip     bool   `json:"lstrip"`      // takes the white space before it along
	RStrip     bool   `json:"rstrip"`      // takes the white space after it along
	Normalized bool   `json:"normalized"`  // is looked for in normalised text
	Special    bool   `json:"special"`     // is skipped by decoders that are asked to
}

// maxAddedLength bounds an added token, in bytes, and with it the time of a
// search in a text.
const maxAddedLength = 512

// addedTokens is the set of added tokens of a pipeline.
type addedTokens struct {
	ids    map[string]int
	tokens map[int]AddedToken
	shown  map[int]string // what decoders see: normalised where the token is
	order  []int          // ids in the order of addition
	top    int            // highest id, -1 without tokens

	raw        matcher // tokens that are looked for before normalisation
	normalized matcher // the others
}

func newAddedTokens() *addedTokens {
	return &addedTokens{ids: map[string]int{}, tokens: map[int]AddedToken{}, top: -1}
}

func (a *addedTokens) highest() int { return a.top }

// Add makes tokens of contents. One that the vocabulary has keeps its id, the
// others get the ids past the highest, in order; a token that is added again
// takes the new properties. Empty contents are ignored, as the library does.
func (p *Pipeline) Add(tokens ...AddedToken) error {
	for _, token := range tokens {
		if token.Content == "" {
			continue
		}
		if len(token.Content) > maxAddedLength {
			return fmt.Errorf("added token %.20q… has %d bytes; at most %d are supported", token.Content, len(token.Content), maxAddedLength)
		}
		id, ok := p.ID(token.Content)
		if !ok {
			id = max(p.model.size(), p.added.top+1)
		}
		if old, ok := p.added.tokens[id]; ok && old.Content != token.Content {
			return fmt.Errorf("added tokens %q and %q have one id, %d", old.Content, token.Content, id)
		}
		if _, ok := p.added.tokens[id]; !ok {
			p.added.order = append(p.added.order, id)
		}
		p.added.ids[token.Content] = id
		p.added.tokens[id] = token
		p.added.top = max(p.added.top, id)
	}
	return p.index()
}

// Added returns the added token of an id.
func (p *Pipeline) Added(id int) (AddedToken, bool) {
	token, ok := p.added.tokens[id]
	return token, ok
}

// index rebuilds both matchers.
func (p *Pipeline) index() error {
	a := p.added
	a.raw, a.normalized, a.shown = matcher{}, matcher{}, make(map[int]string, len(a.order))
	for _, id := range a.order {
		token := a.tokens[id]
		if !token.Normalized {
			a.raw.add(token, token.Content, id)
			a.shown[id] = token.Content
			continue
		}
		content, err := normalize(p.normalizers, token.Content)
		if err != nil {
			return fmt.Errorf("normalise added token %q: %w", token.Content, err)
		}
		if len(content) > 4*maxAddedLength {
			return fmt.Errorf("added token %q is %d bytes once normalised", token.Content, len(content))
		}
		a.normalized.add(token, content, id)
		a.shown[id] = content
	}
	return nil
}

// span is a part of a text: an added token, or text (id -1).
type span struct{ start, end, id int }

// matcher finds added tokens, the longest at the leftmost position first.
type matcher struct {
	trie   trie
	tokens []AddedToken
	ids    []int
}

// add makes the matcher find content as token. The first of equal contents
// stays.
func (m *matcher) add(token AddedToken, content string, id int) {
	if content != "" && m.trie.insert(content, len(m.ids)) {
		m.tokens = append(m.tokens, token)
		m.ids = append(m.ids, id)
	}
}

// split cuts text, which is not empty, into added tokens and what is between.
func (m *matcher) split(text string) []span {
	var spans []span
	done := 0 // the end of the last span
	for i := 0; i < len(text) && len(m.ids) > 0; {
		index, length := m.trie.longest(text[i:])
		if index < 0 {
			i++
			continue
		}
		start, end := i, i+length
		i = end
		token := m.tokens[index]
		if start < done || token.SingleWord && (wordEnds(text[:start]) || wordBegins(text[end:])) {
			continue
		}
		if token.LStrip {
			start = max(trimSpaceRight(text[:start]), done)
		}
		if token.RStrip {
			end += spaceAtStart(text[end:])
		}
		if done < start {
			spans = append(spans, span{done, start, -1})
		}
		spans = append(spans, span{start, end, m.ids[index]})
		done = end
	}
	if done < len(text) {
		spans = append(spans, span{done, len(text), -1})
	}
	return spans
}

func wordBegins(s string) bool {
	r, size := utf8.DecodeRuneInString(s)
	return size > 0 && isWord(r)
}

func wordEnds(s string) bool {
	r, size := utf8.DecodeLastRuneInString(s)
	return size > 0 && isWord(r)
}

// isWord is \w of Rust's regex: letters, marks, decimal digits, letter
// numbers, connectors and joiners.
func isWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic, unicode.Join_Control)
}

// trimSpaceRight returns the length of s without white space at its end.
func trimSpaceRight(s string) int {
	for len(s) > 0 {
		r, size := utf8.DecodeLastRuneInString(s)
		if !unicode.IsSpace(r) {
			break
		}
		s = s[:len(s)-size]
	}
	return len(s)
}

// spaceAtStart returns the length of the white space at the start of s.
func spaceAtStart(s string) int {
	for i, r := range s {
		if !unicode.IsSpace(r) {
			return i
		}
	}
	return len(s)
}
