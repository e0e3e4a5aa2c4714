package chatclient

import (
	"errors"
	"fmt"
	"strings"

	"github.com/valyala/fastjson"
)

// event is what is read of one event of either backend.
type event struct {
	hasChoice    bool
	content      string // of a chat, a completion, or a refusal
	reasoning    string // and tool calls, by name and arguments
	toolCalls    int    // that begin here
	finishReason string

	hasUsage                   bool
	promptTokens, outputTokens int

	failed  bool // the server ends the stream by it
	message string
}

// decodeEvent reads the data of an event. While it runs, other streams' reads wait to
// be stamped, which is why it is not encoding/json: that takes several times as long. What
// both make of an event is held equal by FuzzDecodeEvent.
func decodeEvent(p *fastjson.Parser, data []byte) (event, error) {
	var e event
	root, err := p.ParseBytes(data)
	if err != nil {
		return e, err
	}
	if root.Type() != fastjson.TypeObject {
		return e, fmt.Errorf("it is %s, not an object", root.Type())
	}
	if e.message, e.failed = failureIn(root); e.failed {
		return e, nil
	}
	var f fields
	if usage := f.of(root, "usage", fastjson.TypeObject); usage != nil {
		e.hasUsage = true
		e.promptTokens, e.outputTokens = f.count(usage, "prompt_tokens"), f.count(usage, "completion_tokens")
	}
	if choices := f.of(root, "choices", fastjson.TypeArray).GetArray(); len(choices) > 0 {
		if choices[0].Type() != fastjson.TypeObject {
			return e, fmt.Errorf("choices[0] is %s, not an object", choices[0].Type())
		}
		e.hasChoice = true
		f.choice(choices[0], &e)
	}
	return e, f.err
}

// failureIn is the message of an error event. Servers write it in several forms.
func failureIn(root *fastjson.Value) (message string, failed bool) {
	if said := root.Get("error"); said != nil && said.Type() != fastjson.TypeNull {
		if text := said.GetStringBytes("message"); len(text) > 0 {
			return valid(text), true
		}
		return fmt.Sprintf("%.200s", said.MarshalTo(nil)), true
	}
	if string(root.GetStringBytes("object")) == "error" { // older servers
		return valid(root.GetStringBytes("message")), true
	}
	return "", false
}

// fields takes values out of objects and keeps the first error. A field that is null
// is absent.
type fields struct{ err error }

func (f *fields) choice(choice *fastjson.Value, e *event) {
	e.content = f.text(choice, "text") // of a completion
	e.finishReason = f.text(choice, "finish_reason")
	delta := f.of(choice, "delta", fastjson.TypeObject)
	if delta == nil {
		return
	}
	e.content = f.text(delta, "content") + e.content + f.text(delta, "refusal")
	// vLLM writes "reasoning"; until 0.11, as SGLang and llama.cpp, "reasoning_content".
	// Some servers write both.
	if e.reasoning = f.text(delta, "reasoning"); e.reasoning == "" {
		e.reasoning = f.text(delta, "reasoning_content")
	}
	for _, call := range f.of(delta, "tool_calls", fastjson.TypeArray).GetArray() {
		function := f.of(call, "function", fastjson.TypeObject)
		if function == nil {
			continue
		}
		name := f.text(function, "name") // in the first event of a call only
		if name != "" {
			e.toolCalls++
		}
		e.reasoning += name + f.text(function, "arguments")
	}
}

// of is the field of an object, nil if it is absent or of another type, which is an
// error.
func (f *fields) of(object *fastjson.Value, name string, want fastjson.Type) *fastjson.Value {
	v := object.Get(name)
	if v == nil || v.Type() == fastjson.TypeNull {
		return nil
	}
	if v.Type() != want {
		if f.err == nil {
			f.err = fmt.Errorf("%s is %s, not %s", name, v.Type(), want)
		}
		return nil
	}
	return v
}

func (f *fields) text(object *fastjson.Value, name string) string {
	v := f.of(object, name, fastjson.TypeString)
	if v == nil {
		return ""
	}
	return valid(v.GetStringBytes())
}

func (f *fields) count(object *fastjson.Value, name string) int {
	v := f.of(object, name, fastjson.TypeNumber)
	if v == nil {
		return 0
	}
	n, err := v.Int()
	if err != nil && f.err == nil {
		f.err = errors.Join(fmt.Errorf("%s is %s", name, v), err)
	}
	return n
}

// valid copies a text, with U+FFFD for what is not UTF-8.
func valid(text []byte) string { return strings.ToValidUTF8(string(text), "\uFFFD") }
