package pipeline

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// matchTimeout bounds what one pattern may spend on one text. Patterns come
// with the model and can look ahead, so their time is not bounded by nature.
const matchTimeout = 10 * time.Second

// maxPattern bounds a pattern, in bytes.
const maxPattern = 16 << 10

// pattern is what a component looks for: a string or a regular expression.
type pattern struct {
	text  string // when regex is nil
	regex *regexp2.Regexp
}

// newRegex compiles an expression in Oniguruma's Ruby syntax.
func newRegex(expression string) (pattern, error) {
	if len(expression) > maxPattern {
		return pattern{}, fmt.Errorf("the regular expression has %d bytes; at most %d are supported", len(expression), maxPattern)
	}
	translated, err := translateRegex(expression)
	if err != nil {
		return pattern{}, fmt.Errorf("regular expression %q: %w", expression, err)
	}
	// Ruby's ^ and $ always match at line ends.
	regex, err := regexp2.Compile(translated, regexp2.Multiline)
	if err != nil {
		return pattern{}, fmt.Errorf("regular expression %q: %w", expression, err)
	}
	regex.MatchTimeout = matchTimeout
	return pattern{regex: regex}, nil
}

// part is a stretch of a text that matches a pattern, or lies between matches.
type part struct {
	start, end int
	match      bool
}

// parts cuts text into matches and what lies between; together they are text.
func (p pattern) parts(text string) ([]part, error) {
	if p.regex == nil {
		return literalParts(text, p.text), nil
	}
	var parts []part
	deadline := time.Now().Add(matchTimeout)
	runes := []rune(text)
	m, err := p.regex.FindRunesMatch(runes)
	index, end := 0, 0 // the same position, in runes and in bytes
	for ; m != nil && err == nil; m, err = p.regex.FindNextMatch(m) {
		start := end + byteLength(runes[index:m.Index])
		if end < start {
			parts = append(parts, part{end, start, false})
		}
		index = m.Index + m.Length
		end = start + byteLength(runes[m.Index:index])
		parts = append(parts, part{start, end, true})
		if len(parts)%1024 == 0 && time.Now().After(deadline) {
			return nil, errTooSlow(len(text))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errTooSlow(len(text)), err)
	}
	if end < len(text) {
		parts = append(parts, part{end, len(text), false})
	}
	return parts, nil
}

func errTooSlow(length int) error {
	return fmt.Errorf("a pattern of the tokenizer took more than %v on a text of %d bytes; shorten the text", matchTimeout, length)
}

func byteLength(runes []rune) int {
	n := 0
	for _, r := range runes {
		n += utf8.RuneLen(r)
	}
	return n
}

func literalParts(text, literal string) []part {
	if literal == "" {
		return []part{{0, len(text), false}}
	}
	var parts []part
	end := 0
	for {
		i := strings.Index(text[end:], literal)
		if i < 0 {
			break
		}
		if i > 0 {
			parts = append(parts, part{end, end + i, false})
		}
		parts = append(parts, part{end + i, end + i + len(literal), true})
		end += i + len(literal)
	}
	if end < len(text) {
		parts = append(parts, part{end, len(text), false})
	}
	return parts
}

// replace returns text with each match replaced by content.
func (p pattern) replace(text, content string) (string, error) {
	if p.regex == nil {
		if p.text == "" {
			return text, nil
		}
		return strings.ReplaceAll(text, p.text, content), nil
	}
	parts, err := p.parts(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, part := range parts {
		if part.match {
			b.WriteString(content)
		} else {
			b.WriteString(text[part.start:part.end])
		}
	}
	return b.String(), nil
}

// wordClass is \w of Oniguruma inside a class: letters, marks, decimal digits,
// connectors and what else is alphabetic.
const wordClass = `\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\u24b6-\u24e9`

// translateRegex writes an expression of Oniguruma for regexp2, which speaks
// .NET's dialect. Four things differ in the expressions of published
// tokenizers: possessive quantifiers become atomic groups, \w holds all marks
// but no joiners, \h is a hexadecimal digit, and without case s is also ſ and
// k the Kelvin sign.
func translateRegex(expression string) (string, error) {
	t := translator{in: expression, group: []groupState{{}}}
	for t.at < len(t.in) {
		if err := t.next(); err != nil {
			return "", err
		}
	}
	return t.out.String(), nil
}

// translator is the state of translateRegex.
type translator struct {
	in    string
	at    int
	out   strings.Builder
	atom  int          // where the last atom begins in out
	group []groupState // of the open groups; the first is the whole expression
}

type groupState struct {
	start    int  // of the group in out
	caseless bool // from here to the end of the group
}

func (t *translator) next() error {
	current := &t.group[len(t.group)-1]
	c := t.in[t.at]
	switch c {
	case '\\':
		t.atom = t.out.Len()
		return t.escape(false)
	case '[':
		return t.class()
	case '(':
		return t.open()
	case ')':
		if len(t.group) == 1 {
			return errors.New("a group is closed that was not opened")
		}
		t.atom = current.start
		t.group = t.group[:len(t.group)-1]
		t.copy(1)
	case '?', '*', '+':
		t.quantifier(1)
	case '{':
		if end := strings.IndexByte(t.in[t.at:], '}'); end > 0 {
			t.copy(end + 1)
			if t.at < len(t.in) && t.in[t.at] == '?' {
				t.copy(1)
			}
			return nil
		}
		t.copy(1)
	default:
		t.atom = t.out.Len()
		_, size := utf8.DecodeRuneInString(t.in[t.at:])
		if folded := caseClass(c); current.caseless && folded != "" {
			t.out.WriteString(folded)
			t.at++
			return nil
		}
		t.copy(size)
	}
	return nil
}

// caseClass returns the class of what equals an ASCII letter without case,
// where ASCII case alone is not enough.
func caseClass(c byte) string {
	switch c {
	case 's', 'S':
		return "[sS\u017f]"
	case 'k', 'K':
		return "[kK\u212a]"
	}
	return ""
}

// copy moves n bytes from in to out.
func (t *translator) copy(n int) {
	n = min(n, len(t.in)-t.at)
	t.out.WriteString(t.in[t.at : t.at+n])
	t.at += n
}

// quantifier copies a quantifier of n bytes with its mode.
func (t *translator) quantifier(n int) {
	t.copy(n)
	if t.at == len(t.in) {
		return
	}
	switch t.in[t.at] {
	case '?':
		t.copy(1)
	case '+':
		t.at++
		all := t.out.String()
		t.out.Reset()
		t.out.WriteString(all[:t.atom] + "(?>" + all[t.atom:] + ")")
	}
}

// open copies the start of a group: "(", "(?:", "(?i:", "(?!", "(?<name>" …
func (t *translator) open() error {
	inherited := t.group[len(t.group)-1].caseless
	state := groupState{start: t.out.Len(), caseless: inherited}
	t.copy(1)
	if t.at == len(t.in) || t.in[t.at] != '?' {
		t.group = append(t.group, state)
		return nil
	}
	end := t.at + 1
	on := true
	for end < len(t.in) && strings.IndexByte("imsx-", t.in[end]) >= 0 {
		switch t.in[end] {
		case '-':
			on = false
		case 'i':
			state.caseless = on
		case 'm', 's':
			return fmt.Errorf("the option %q of a group is not supported", t.in[end])
		}
		end++
	}
	closes := end < len(t.in) && t.in[end] == ')'
	if closes { // (?i) holds for the rest of the enclosing group
		t.group[len(t.group)-1].caseless = state.caseless
		t.copy(end + 1 - t.at)
		return nil
	}
	t.copy(min(end+1, len(t.in)) - t.at)
	t.group = append(t.group, state)
	return nil
}

// escape copies an escape sequence, from inside a class or from outside.
func (t *translator) escape(inClass bool) error {
	if t.at+1 == len(t.in) {
		return errors.New("it ends in a backslash")
	}
	switch c := t.in[t.at+1]; c {
	case 'h', 'w', 'W':
		class := map[byte]string{'h': "0-9a-fA-F", 'w': wordClass, 'W': wordClass}[c]
		switch {
		case !inClass && c == 'W':
			class = "[^" + class + "]"
		case !inClass:
			class = "[" + class + "]"
		case c == 'W':
			return errors.New(`\W inside a class is not supported`)
		}
		t.out.WriteString(class)
		t.at += 2
	case 'p', 'P':
		end := strings.IndexByte(t.in[t.at:], '}')
		if end < 0 {
			return fmt.Errorf(`\%c without a property in braces`, c)
		}
		if strings.HasPrefix(t.in[t.at+2:], "{^") {
			t.out.WriteString(`\` + string(c^('p'^'P')) + "{" + t.in[t.at+4:t.at+end+1])
			t.at += end + 1
			return nil
		}
		t.copy(end + 1)
	case 'H', 'R', 'X', 'K', 'y', 'Y', 'O', 'N', 'G':
		return fmt.Errorf(`\%c is not supported`, c)
	default:
		_, size := utf8.DecodeRuneInString(t.in[t.at+1:])
		t.copy(1 + size)
	}
	return nil
}

// class copies a character class.
func (t *translator) class() error {
	t.atom = t.out.Len()
	t.copy(1)
	if t.at < len(t.in) && t.in[t.at] == '^' {
		t.copy(1)
	}
	if t.at < len(t.in) && t.in[t.at] == ']' {
		t.out.WriteString(`\]`)
		t.at++
	}
	for t.at < len(t.in) {
		switch c := t.in[t.at]; c {
		case ']':
			t.copy(1)
			return nil
		case '[':
			return errors.New("a class inside a class is not supported")
		case '&':
			if strings.HasPrefix(t.in[t.at:], "&&") {
				return errors.New("an intersection of classes is not supported")
			}
			t.copy(1)
		case '\\':
			if err := t.escape(true); err != nil {
				return err
			}
		default:
			_, size := utf8.DecodeRuneInString(t.in[t.at:])
			t.copy(size)
		}
	}
	return errors.New("a class is not closed")
}
