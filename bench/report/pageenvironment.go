package report

import (
	"slices"
	"strings"

	"siglab/bench/compare"
	"siglab/bench/record"
)

// differences set the properties of variants beside each other.
type differences struct {
	Head []string // variants
	Rows []difference
}

type difference struct {
	Name   string
	Values []string
	Differ bool
}

// differencesOf has a row for every property that some variant has.
func differencesOf(c *compare.Comparison) differences {
	var out differences
	for _, v := range c.Manifest.Variants {
		out.Head = append(out.Head, v.Name)
	}
	for _, property := range variantProperties(c.Manifest.Environment) {
		row := difference{Name: property.name}
		for i, v := range c.Manifest.Variants {
			row.Values = append(row.Values, property.of(i, v))
		}
		if len(slices.Compact(slices.Sorted(slices.Values(row.Values)))) > 1 {
			row.Differ = true
		}
		if strings.Join(row.Values, "") != "" {
			out.Rows = append(out.Rows, row)
		}
	}
	return out
}

type variantProperty struct {
	name string
	of   func(i int, v record.Variant) string
}

func variantProperties(e record.Environment) []variantProperty {
	return []variantProperty{
		{"kind", func(_ int, v record.Variant) string { return v.Kind }},
		{"mode", func(_ int, v record.Variant) string { return v.Mode }},
		{"convention", func(_ int, v record.Variant) string { return v.Convention }},
		{"injected delay", func(_ int, v record.Variant) string {
			if v.InjectDelay == 0 {
				return ""
			}
			return v.InjectDelay.String()
		}},
		{"server", func(i int, _ record.Variant) string {
			if i < len(e.Servers) {
				return e.Servers[i]
			}
			return ""
		}},
		{"URL", func(_ int, v record.Variant) string { return v.URL }},
		{"command", func(_ int, v record.Variant) string { return strings.Join(v.Argv, " ") }},
		{"environment", func(_ int, v record.Variant) string { return strings.Join(v.Env, " ") }},
		{"directory", func(_ int, v record.Variant) string { return v.Dir }},
	}
}
