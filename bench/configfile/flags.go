package configfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Rate is a number that may be infinite, which is written inf.
type Rate float64

// UnmarshalYAML reads a number or inf.
func (r *Rate) UnmarshalYAML(unmarshal func(any) error) error {
	var word string
	if unmarshal(&word) == nil && strings.EqualFold(word, "inf") {
		*r = Rate(math.Inf(1))
		return nil
	}
	var number float64
	if err := unmarshal(&number); err != nil {
		return err
	}
	*r = Rate(number)
	return nil
}

// MarshalYAML writes a number or inf.
func (r Rate) MarshalYAML() (any, error) {
	if math.IsInf(float64(r), 1) {
		return "inf", nil
	}
	return float64(r), nil
}

// Size is the size of an image: the pixels of a square's side, or HEIGHTxWIDTH.
type Size string

// UnmarshalYAML reads a number or a word.
func (s *Size) UnmarshalYAML(unmarshal func(any) error) error {
	var word string
	err := unmarshal(&word)
	*s = Size(word)
	return err
}

// Flags are the values that the file gives, by the name of the flag that says the
// same: a string as it would be written on a command line, or a list of values, which
// are Variants for commands and refs, and NamedTriggers for triggers.
func (f File) Flags() map[string]any {
	flags := map[string]any{}
	collect(reflect.ValueOf(f), flags)
	var modes, urls, commands, refs, triggers []any
	var delays []string
	for i, v := range f.Variants {
		if v.Trigger != nil {
			triggers = append(triggers, NamedTrigger{v.Name, *v.Trigger})
		}
		switch {
		case v.Ref != "":
			refs = append(refs, v)
		case len(v.Command) > 0:
			commands = append(commands, v)
		case v.URL != "":
			urls = append(urls, v.Name+"="+v.URL)
		default:
			modes = append(modes, v.Name+"="+v.PosEmbed)
		}
		if v.InjectDelay != "" {
			delays = append(delays, v.Name+"="+v.InjectDelay)
		}
		if _, given := flags["baseline"]; i == 0 && !given {
			flags["baseline"] = v.Name
		}
	}
	for name, values := range map[string][]any{"variant": modes, "command": commands, "ref": refs, "url": urls, "trigger": triggers} {
		if values != nil {
			flags[name] = values
		}
	}
	if delays != nil {
		flags["inject-delay"] = strings.Join(delays, ";")
	}
	return flags
}

// FlagNames are the flags that a file can say.
func FlagNames() []string {
	names := map[string]bool{"variant": true, "command": true, "ref": true, "url": true, "trigger": true, "inject-delay": true}
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		for i := range t.NumField() {
			field := t.Field(i)
			if name := field.Tag.Get("flag"); name != "" {
				names[name] = true
			} else if field.Type.Kind() == reflect.Pointer {
				walk(field.Type.Elem())
			}
		}
	}
	walk(reflect.TypeFor[File]())
	return slices.Sorted(maps.Keys(names))
}

// collect adds the fields of a struct that have a flag and are there.
func collect(v reflect.Value, flags map[string]any) {
	for i := range v.NumField() {
		field, name := v.Field(i), v.Type().Field(i).Tag.Get("flag")
		switch kind := field.Kind(); {
		case (kind == reflect.Pointer || kind == reflect.Slice || kind == reflect.Map) && field.IsNil():
		case name == "hooks":
			flags[name] = field.Elem().Interface()
		case name == "" && kind == reflect.Pointer:
			collect(field.Elem(), flags)
		case name == "":
		case kind == reflect.Slice || kind == reflect.Map:
			flags[name] = list(field.Interface())
		default:
			flags[name] = fmt.Sprint(field.Elem().Interface())
		}
	}
}

// list is a field of several values as its flag takes them.
func list(field any) any {
	var values []any
	switch f := field.(type) {
	case []string:
		for _, s := range f {
			values = append(values, s)
		}
	case []float64:
		for _, x := range f {
			values = append(values, x)
		}
	case map[string]string: // K=V
		for _, key := range slices.Sorted(maps.Keys(f)) {
			values = append(values, key+"="+f[key])
		}
	case map[string]float64: // K:V
		for _, key := range slices.Sorted(maps.Keys(f)) {
			values = append(values, fmt.Sprintf("%s:%v", key, f[key]))
		}
	default:
		encoded, err := json.Marshal(field)
		if err != nil { // it came from YAML, whose maps may have keys that JSON lacks
			return fmt.Sprint(field)
		}
		return string(encoded)
	}
	return values
}
