// Package chattemplate renders the chat templates that published models bring:
// Jinja source that lays messages out as the text of a prompt.
//
// It gives package jinja what transformers 5.19 gives jinja2
// (utils/chat_template_utils.py): messages, tools and documents (none here),
// raise_exception, strftime_now, and the caller's variables.
package chattemplate

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"siglab/engine/tokenizer/jinja"
)

// Template is a parsed chat template, safe for concurrent use.
type Template struct {
	name     string
	template *jinja.Template
}

// Parse reads a template; errors begin with its name, for example of its file,
// and say the line.
func Parse(name, source string) (*Template, error) {
	template, err := jinja.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("chat template %s: %w", name, err)
	}
	return &Template{name, template}, nil
}

// Message is one message of a conversation.
type Message struct {
	Role  string
	Text  string // the content, a string, when Parts is nil
	Parts []Part // the content as a list, for templates that lay out images and texts
}

// Part is an image (Text is then ignored) or a text.
type Part struct {
	Image bool
	Text  string
}

// Render lays messages out; generation is add_generation_prompt, whether an answer is
// to follow. Variables are what the template sees besides, such as bos_token. now is the time that
// strftime_now formats. An error of the template, such as one that it raises
// itself, names the template and the line.
func (t *Template) Render(messages []Message, generation bool, variables map[string]any, now time.Time) (string, error) {
	list := make([]any, len(messages))
	for i, m := range messages {
		list[i] = m.value()
	}
	values := map[string]any{
		"messages": list, "add_generation_prompt": generation, "tools": nil, "documents": nil,
		"raise_exception": jinja.Function(raise),
		"strftime_now":    jinja.Function(func(c jinja.Call) (any, error) { return strftime(now, c) }),
	}
	for name, value := range variables {
		values[name] = value
	}
	text, err := t.template.Render(values)
	if err != nil {
		return "", fmt.Errorf("chat template %s: %w", t.name, err)
	}
	return text, nil
}

func (m Message) value() *jinja.Dict {
	if m.Parts == nil {
		return jinja.NewDict("role", m.Role, "content", m.Text)
	}
	parts := make([]any, len(m.Parts))
	for i, p := range m.Parts {
		if p.Image {
			parts[i] = jinja.NewDict("type", "image")
		} else {
			parts[i] = jinja.NewDict("type", "text", "text", p.Text)
		}
	}
	return jinja.NewDict("role", m.Role, "content", parts)
}

// raise is raise_exception: the template refuses its messages.
func raise(c jinja.Call) (any, error) {
	if len(c.Arguments) != 1 {
		return nil, errors.New("the template raises an exception")
	}
	return nil, fmt.Errorf("the template refuses the messages: %v", c.Arguments[0])
}

// goLayouts are Go's layouts for the directives of Python's strftime.
var goLayouts = map[byte]string{
	'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'e': "_2", 'B': "January", 'b': "Jan", 'h': "Jan", 'A': "Monday", 'a': "Mon",
	'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM", 'Z': "MST", 'z': "-0700", 'j': "002",
	'F': "2006-01-02", 'T': "15:04:05", 'D': "01/02/06", 'R': "15:04", 'c': "Mon Jan _2 15:04:05 2006", 'x': "01/02/06", 'X': "15:04:05",
}

// strftime is strftime_now(format).
func strftime(now time.Time, c jinja.Call) (any, error) {
	if len(c.Arguments) != 1 {
		return nil, errors.New("strftime_now wants a format")
	}
	format, ok := c.Arguments[0].(string)
	if !ok {
		return nil, errors.New("strftime_now wants a format")
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		short := format[i] == '-' && i+1 < len(format) // without zeros in front
		if short {
			i++
		}
		layout, ok := goLayouts[format[i]]
		switch {
		case format[i] == '%':
			b.WriteByte('%')
		case !ok:
			return nil, fmt.Errorf("strftime_now with %%%c is not supported", format[i])
		case short:
			b.WriteString(cmp.Or(strings.TrimLeft(now.Format(layout), "0 "), "0"))
		default:
			b.WriteString(now.Format(layout))
		}
	}
	return b.String(), nil
}
