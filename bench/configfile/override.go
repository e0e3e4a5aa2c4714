package configfile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Override is another value of one key of an experiment file.
type Override struct {
	Key   string // path of the key: "load.request_rate", "variants[1].inject_delay"
	Value string // as YAML: 10, inf, [a, b]
}

// String is KEY=VALUE.
func (o Override) String() string { return o.Key + "=" + o.Value }

// Apply returns the experiment file with the overrides in it. Comments and the order of
// keys are lost: it is for the program to read.
func Apply(data []byte, overrides []Override) ([]byte, error) {
	var root map[string]any
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, fmt.Errorf("experiment file: %w", err)
	}
	if root == nil { // an empty file
		root = map[string]any{}
	}
	for _, o := range overrides {
		var value any
		if err := yaml.Unmarshal([]byte(o.Value), &value); err != nil {
			return nil, fmt.Errorf("%s: the value is no YAML: %w", o, err)
		}
		if err := set(root, strings.Split(o.Key, "."), value); err != nil {
			return nil, fmt.Errorf("%s: %w", o, err)
		}
	}
	changed, err := yaml.Marshal(root)
	if err != nil {
		return nil, fmt.Errorf("experiment file: %w", err)
	}
	return changed, nil
}

// step is one part of a path: a key, and for a list which of its elements.
var step = regexp.MustCompile(`^([a-z_0-9A-Z]+)(?:\[([0-9]+)\])?$`)

// set puts a value where the path says; maps on the way that are not there are made.
func set(at map[string]any, path []string, value any) error {
	parts := step.FindStringSubmatch(path[0])
	if parts == nil {
		return fmt.Errorf("%q is no key: write load.request_rate, or variants[1].inject_delay", path[0])
	}
	key := parts[1]
	if parts[2] != "" {
		list, _ := at[key].([]any)
		i, err := strconv.Atoi(parts[2])
		if err != nil || i >= len(list) {
			return fmt.Errorf("%s has no element %s in the experiment file, which lists %d", key, parts[2], len(list))
		}
		if len(path) == 1 {
			list[i] = value
			return nil
		}
		element, ok := list[i].(map[string]any)
		if !ok {
			return fmt.Errorf("%s has no keys", path[0])
		}
		return set(element, path[1:], value)
	}
	if len(path) == 1 {
		at[key] = value
		return nil
	}
	if at[key] == nil {
		at[key] = map[string]any{}
	}
	inner, ok := at[key].(map[string]any)
	if !ok {
		return fmt.Errorf("%s has no keys", key)
	}
	return set(inner, path[1:], value)
}
