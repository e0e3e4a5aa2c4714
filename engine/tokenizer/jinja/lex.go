package jinja

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind is what a token of a template is.
type tokenKind int

const (
	tokenEnd      tokenKind = iota // of the template
	tokenText                      // what is between tags
	tokenOpen                      // {% or {{
	tokenClose                     // %} or }}
	tokenName                      // also keywords
	tokenString                    // text is what it stands for
	tokenInteger                   // text is the digits
	tokenFloat                     //
	tokenOperator                  //
)

// token is a piece of a template's source.
type token struct {
	kind tokenKind
	text string
	line int
}

func (t token) String() string {
	switch t.kind {
	case tokenEnd:
		return "the end of the template"
	case tokenText:
		return "text"
	case tokenString:
		return strconv.Quote(t.text)
	}
	return "'" + t.text + "'"
}

// is reports whether t is this operator, keyword or delimiter.
func (t token) is(text string) bool {
	return t.text == text && t.kind != tokenText && t.kind != tokenString
}

// lexer cuts a source into tokens with trim_blocks and lstrip_blocks: the
// newline after a block or comment goes, and so does the indentation before
// (jinja2 3.1, lexer.py).
type lexer struct {
	source    string
	at        int
	line      int
	lineStart bool // what was consumed last ended a line, or nothing was
	tokens    []token
}

func lex(source string) ([]token, error) {
	source = strings.ReplaceAll(strings.ReplaceAll(source, "\r\n", "\n"), "\r", "\n")
	l := &lexer{source: strings.TrimSuffix(source, "\n"), line: 1, lineStart: true}
	for l.at < len(l.source) {
		if err := l.next(); err != nil {
			return nil, fmt.Errorf("line %d: %w", l.line, err)
		}
	}
	return append(l.tokens, token{kind: tokenEnd, line: l.line}), nil
}

func (l *lexer) add(kind tokenKind, text string) {
	l.tokens = append(l.tokens, token{kind, text, l.line})
}

// consume moves on by n bytes and counts lines.
func (l *lexer) consume(n int) string {
	s := l.source[l.at : l.at+n]
	l.at += n
	l.line += strings.Count(s, "\n")
	if s != "" {
		l.lineStart = s[len(s)-1] == '\n'
	}
	return s
}

// next takes the text before the next tag, and the tag.
func (l *lexer) next() error {
	rest := l.source[l.at:]
	start := -1
	for i := 0; i+1 < len(rest); i++ {
		if rest[i] == '{' && (rest[i+1] == '{' || rest[i+1] == '%' || rest[i+1] == '#') {
			start = i
			break
		}
	}
	if start < 0 {
		l.add(tokenText, rest)
		l.consume(len(rest))
		return nil
	}
	tag := rest[start : start+2]
	sign := byte(0)
	if start+2 < len(rest) && (rest[start+2] == '-' || rest[start+2] == '+') {
		sign = rest[start+2]
	}
	l.text(rest[:start], tag, sign)
	opened := l.line
	if sign != 0 {
		l.consume(1)
	}
	l.consume(2)
	var err error
	switch tag {
	case "{#":
		err = l.comment()
	case "{{":
		l.add(tokenOpen, tag)
		err = l.inside("}}")
	default:
		if l.rawBegins() {
			return l.raw()
		}
		l.add(tokenOpen, tag)
		err = l.inside("%}")
	}
	if err != nil {
		return fmt.Errorf("%w (the tag opens on line %d)", err, opened)
	}
	return nil
}

// text adds the text before a tag, stripped as the tag asks.
func (l *lexer) text(text, tag string, sign byte) {
	kept := text
	switch {
	case sign == '-':
		kept = strings.TrimRightFunc(text, isSpace)
	case sign != '+' && tag != "{{":
		lineAt := strings.LastIndexByte(text, '\n') + 1
		if (lineAt > 0 || l.lineStart) && strings.TrimLeftFunc(text[lineAt:], isSpace) == "" {
			kept = text[:lineAt]
		}
	}
	if kept != "" {
		l.add(tokenText, kept)
	}
	l.consume(len(text))
}

// isSpace is Python's str.isspace.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// closed consumes what follows the delimiter that ends a tag.
func (l *lexer) closed(sign byte, trims bool) {
	rest := l.source[l.at:]
	switch {
	case sign == '-':
		l.consume(len(rest) - len(strings.TrimLeftFunc(rest, isSpace)))
	case sign != '+' && trims && strings.HasPrefix(rest, "\n"):
		l.consume(1)
	}
}

func (l *lexer) comment() error {
	end := strings.Index(l.source[l.at:], "#}")
	if end < 0 {
		return fmt.Errorf("a comment is not closed")
	}
	body := l.consume(end)
	l.consume(2)
	l.closed(lastSign(body), true)
	return nil
}

func lastSign(body string) byte {
	if body != "" && (body[len(body)-1] == '-' || body[len(body)-1] == '+') {
		return body[len(body)-1]
	}
	return 0
}

// rawTag matches a tag of one name from after its "{%", and returns the number
// of bytes to its end, and its sign.
func rawTag(s, name string) (int, byte) {
	trimmed := strings.TrimLeftFunc(s, isSpace)
	if !strings.HasPrefix(trimmed, name) {
		return 0, 0
	}
	trimmed = strings.TrimLeftFunc(trimmed[len(name):], isSpace)
	sign := byte(0)
	if trimmed != "" && (trimmed[0] == '-' || trimmed[0] == '+') {
		sign, trimmed = trimmed[0], trimmed[1:]
	}
	if !strings.HasPrefix(trimmed, "%}") {
		return 0, 0
	}
	return len(s) - len(trimmed) + 2, sign
}

func (l *lexer) rawBegins() bool {
	n, _ := rawTag(l.source[l.at:], "raw")
	return n > 0
}

// raw takes {% raw %} … {% endraw %} as text.
func (l *lexer) raw() error {
	n, sign := rawTag(l.source[l.at:], "raw")
	l.consume(n)
	l.closed(sign, false)
	rest := l.source[l.at:]
	for i := 0; ; {
		open := strings.Index(rest[i:], "{%")
		if open < 0 {
			return fmt.Errorf("a raw block is not closed")
		}
		i += open
		skip := 2
		sign := byte(0)
		if i+2 < len(rest) && (rest[i+2] == '-' || rest[i+2] == '+') {
			sign, skip = rest[i+2], 3
		}
		if n, end := rawTag(rest[i+skip:], "endraw"); n > 0 {
			l.text(rest[:i], "{%", sign)
			l.consume(skip + n)
			l.closed(end, true)
			return nil
		}
		i += 2
	}
}

// operators, longest first.
var operators = []string{"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"}

var closing = map[string]string{"(": ")", "[": "]", "{": "}"}

// inside takes the tokens of a tag up to its end.
func (l *lexer) inside(end string) error {
	var open []string // the brackets that wait for their partners
	for {
		rest := l.source[l.at:]
		trimmed := strings.TrimLeftFunc(rest, isSpace)
		l.consume(len(rest) - len(trimmed))
		rest = trimmed
		if rest == "" {
			return fmt.Errorf("a tag is not closed by %s", end)
		}
		if len(open) == 0 {
			sign := byte(0)
			if rest[0] == '-' || rest[0] == '+' && end == "%}" {
				sign = rest[0]
			}
			if strings.HasPrefix(rest, end) || sign != 0 && strings.HasPrefix(rest[1:], end) {
				l.add(tokenClose, end)
				if sign != 0 && !strings.HasPrefix(rest, end) {
					l.consume(1)
				} else {
					sign = 0
				}
				l.consume(2)
				l.closed(sign, end == "%}")
				return nil
			}
		}
		if err := l.one(rest, &open); err != nil {
			return err
		}
	}
}

// one takes one token from rest.
func (l *lexer) one(rest string, open *[]string) error {
	r, _ := utf8.DecodeRuneInString(rest)
	switch {
	case r == '\'' || r == '"':
		return l.quoted(rest)
	case r >= '0' && r <= '9':
		return l.number(rest)
	case r == '_' || unicode.IsLetter(r):
		n := strings.IndexFunc(rest, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if n < 0 {
			n = len(rest)
		}
		l.add(tokenName, rest[:n])
		l.consume(n)
		return nil
	}
	for _, op := range operators {
		if !strings.HasPrefix(rest, op) {
			continue
		}
		if partner, ok := closing[op]; ok {
			*open = append(*open, partner)
		}
		if op == ")" || op == "]" || op == "}" {
			if n := len(*open); n == 0 || (*open)[n-1] != op {
				return fmt.Errorf("unexpected %q", op)
			}
			*open = (*open)[:len(*open)-1]
		}
		l.add(tokenOperator, op)
		l.consume(len(op))
		return nil
	}
	return fmt.Errorf("unexpected %q", r)
}

func (l *lexer) number(rest string) error {
	n := 0
	float := false
	digits := func() {
		for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == '_') {
			n++
		}
	}
	digits()
	if n+1 < len(rest) && rest[n] == '.' && rest[n+1] >= '0' && rest[n+1] <= '9' {
		float = true
		n++
		digits()
	}
	if n+1 < len(rest) && (rest[n] == 'e' || rest[n] == 'E') {
		m := n + 1
		if m+1 < len(rest) && (rest[m] == '-' || rest[m] == '+') {
			m++
		}
		if rest[m] >= '0' && rest[m] <= '9' {
			float = true
			n = m
			digits()
		}
	}
	kind := tokenInteger
	if float {
		kind = tokenFloat
	}
	l.add(kind, strings.ReplaceAll(rest[:n], "_", ""))
	l.consume(n)
	return nil
}

// quoted takes a string literal and resolves its escapes.
func (l *lexer) quoted(rest string) error {
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == rest[0]:
			l.add(tokenString, b.String())
			l.consume(i + 1)
			return nil
		case c == '\\' && i+1 < len(rest):
			i++
			n, err := unescape(&b, rest[i:])
			if err != nil {
				return err
			}
			i += n - 1
		default:
			b.WriteByte(c)
		}
	}
	return fmt.Errorf("a string is not closed")
}

var simpleEscapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", '\\': "\\", '\'': "'", '"': "\"", 'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v", '\n': ""}

// unescape writes what the escape after a backslash stands for and returns its
// length. An unknown one stays as it is, as in Python.
func unescape(b *strings.Builder, s string) (int, error) {
	if plain, ok := simpleEscapes[s[0]]; ok {
		b.WriteString(plain)
		return 1, nil
	}
	if digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[0]]; digits > 0 {
		if len(s) <= digits {
			return 0, fmt.Errorf(`an escape \%c is cut short`, s[0])
		}
		code, err := strconv.ParseUint(s[1:1+digits], 16, 32)
		if err != nil || code > unicode.MaxRune {
			return 0, fmt.Errorf(`the escape \%s is no character`, s[:1+digits])
		}
		b.WriteRune(rune(code))
		return 1 + digits, nil
	}
	if s[0] >= '0' && s[0] <= '7' {
		n := 1
		for n < 3 && n < len(s) && s[n] >= '0' && s[n] <= '7' {
			n++
		}
		code, _ := strconv.ParseUint(s[:n], 8, 32)
		b.WriteRune(rune(code))
		return n, nil
	}
	_, size := utf8.DecodeRuneInString(s)
	b.WriteString("\\" + s[:size])
	return size, nil
}
