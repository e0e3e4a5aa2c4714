// Package sweep lays experiments out over values of the keys of an experiment file, and
// puts what came of them side by side: one table, one plot, and what they say of the
// claims that gave this program its task.
//
// A sweep's points are experiments of their own, each with its run directory. Nothing
// is pooled over them.
package sweep

import (
	"fmt"
	"slices"
	"strings"

	"siglab/bench/configfile"
)

// Axis is a key of the experiment file and the values that it takes.
type Axis struct {
	Key    string   `json:"key"`
	Values []string `json:"values"` // as YAML
}

// ParseAxis reads KEY=VALUE,VALUE,…; commas within brackets or quotes belong to a
// value.
func ParseAxis(text string) (Axis, error) {
	key, list, ok := strings.Cut(text, "=")
	if !ok || key == "" || strings.TrimSpace(list) == "" {
		return Axis{}, fmt.Errorf("%q: write KEY=VALUE,VALUE,… such as load.request_rate=5,10,20", text)
	}
	a := Axis{Key: strings.TrimSpace(key), Values: splitValues(list)}
	for i, v := range a.Values {
		switch {
		case v == "":
			return Axis{}, fmt.Errorf("%q: value %d is empty", text, i+1)
		case slices.Contains(a.Values[:i], v):
			return Axis{}, fmt.Errorf("%q: the value %s is given twice", text, v)
		}
	}
	return a, nil
}

// splitValues cuts at commas outside of brackets and quotes.
func splitValues(list string) []string {
	var values []string
	depth, quote, start := 0, rune(0), 0
	for i, r := range list {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'':
			quote = r
		case strings.ContainsRune("[{", r):
			depth++
		case strings.ContainsRune("]}", r):
			depth--
		case r == ',' && depth == 0:
			values = append(values, strings.TrimSpace(list[start:i]))
			start = i + 1
		}
	}
	return append(values, strings.TrimSpace(list[start:]))
}

// Point is one experiment of a sweep.
type Point struct {
	Index     int // from 0
	Overrides []configfile.Override
}

// mostPoints keeps a slip of the finger from running for weeks.
const mostPoints = 200

// Points are all combinations of the axes' values, the last axis changing fastest.
func Points(axes []Axis) ([]Point, error) {
	total := 1
	for i, a := range axes {
		if slices.ContainsFunc(axes[:i], func(b Axis) bool { return a.Key == b.Key }) {
			return nil, fmt.Errorf("%s is swept twice; give all its values at once", a.Key)
		}
		if total *= len(a.Values); total > mostPoints {
			return nil, fmt.Errorf("the axes have more than %d combinations; each is an experiment of its own", mostPoints)
		}
	}
	points := make([]Point, total)
	for i := range points {
		points[i].Index = i
		rest := i
		for _, a := range slices.Backward(axes) {
			o := configfile.Override{Key: a.Key, Value: a.Values[rest%len(a.Values)]}
			points[i].Overrides = append(points[i].Overrides, o)
			rest /= len(a.Values)
		}
		slices.Reverse(points[i].Overrides)
	}
	return points, nil
}

// String lists what the point sets: "image_size=384 load.request_rate=5".
func (p Point) String() string {
	parts := make([]string, len(p.Overrides))
	for i, o := range p.Overrides {
		parts[i] = o.String()
	}
	return strings.Join(parts, " ")
}

// Dir names the point's run directory: "01_image_size=384".
func (p Point) Dir() string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '_'
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._-=+", r):
			return r
		}
		return '-'
	}, p.String())
	const most = 80
	return fmt.Sprintf("%02d_%.*s", p.Index+1, most, name)
}
