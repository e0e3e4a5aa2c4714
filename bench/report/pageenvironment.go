package report

import (
	"maps"
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

// differencesOf has a row for every property that some variant has and, of what servers
// ran with, for every variable and package in which they differ.
func differencesOf(c *compare.Comparison) differences {
	var out differences
	for _, v := range c.Manifest.Variants {
		out.Head = append(out.Head, v.Name)
	}
	for _, property := range variantProperties() {
		out.add(property.name, c.Manifest, property.of, false)
	}
	ranWith := func(f record.Fingerprint) map[string]string { return f.Env }
	for _, name := range namesOf(c.Manifest, ranWith) {
		out.add("ran with "+name, c.Manifest, fingerprinted(func(f record.Fingerprint) string { return ranWith(f)[name] }), true)
	}
	for _, name := range namesOf(c.Manifest, packages) {
		out.add("package "+name, c.Manifest, fingerprinted(func(f record.Fingerprint) string { return packages(f)[name] }), true)
	}
	return out
}

// add appends a property, unless no variant has it or, with onlyDifferent, all have the
// same.
func (d *differences) add(name string, m record.Manifest, of func(record.Manifest, int) string, onlyDifferent bool) {
	row := difference{Name: name}
	for i := range m.Variants {
		row.Values = append(row.Values, of(m, i))
	}
	row.Differ = len(slices.Compact(slices.Sorted(slices.Values(row.Values)))) > 1
	if strings.Join(row.Values, "") != "" && (row.Differ || !onlyDifferent) {
		d.Rows = append(d.Rows, row)
	}
}

type variantProperty struct {
	name string
	of   func(m record.Manifest, variant int) string
}

func variantProperties() []variantProperty {
	variant := func(of func(record.Variant) string) func(record.Manifest, int) string {
		return func(m record.Manifest, i int) string { return of(m.Variants[i]) }
	}
	source := func(of func(*record.Source) string) func(record.Manifest, int) string {
		return variant(func(v record.Variant) string {
			if v.Source == nil {
				return ""
			}
			return of(v.Source)
		})
	}
	return []variantProperty{
		{"kind", variant(func(v record.Variant) string { return v.Kind })},
		{"mode", variant(func(v record.Variant) string { return v.Mode })},
		{"convention", variant(func(v record.Variant) string { return v.Convention })},
		{"injected delay", variant(func(v record.Variant) string {
			if v.InjectDelay == 0 {
				return ""
			}
			return v.InjectDelay.String()
		})},
		{"git ref", source(func(s *record.Source) string { return s.Ref })},
		{"commit", source(func(s *record.Source) string { return strings.TrimSpace(s.Commit + " " + s.Subject) })},
		{"server", func(m record.Manifest, i int) string {
			if i < len(m.Environment.Servers) {
				return m.Environment.Servers[i]
			}
			return ""
		}},
		{"URL", variant(func(v record.Variant) string { return v.URL })},
		{"command", variant(func(v record.Variant) string { return strings.Join(v.Argv, " ") })},
		{"environment", variant(func(v record.Variant) string { return strings.Join(v.Env, " ") })},
		{"directory", variant(func(v record.Variant) string { return v.Dir })},
		{"python", fingerprinted(func(f record.Fingerprint) string {
			if f.Python == nil {
				return ""
			}
			return f.Python.Version
		})},
	}
}

// fingerprinted is a property of what a variant's server ran with.
func fingerprinted(of func(record.Fingerprint) string) func(record.Manifest, int) string {
	return func(m record.Manifest, i int) string {
		for _, f := range m.Fingerprints {
			if f.Variant == m.Variants[i].Name {
				return of(f)
			}
		}
		return ""
	}
}

func packages(f record.Fingerprint) map[string]string {
	if f.Python == nil {
		return nil
	}
	return f.Python.Packages
}

// namesOf are the names that some variant's server has in a map, sorted.
func namesOf(m record.Manifest, of func(record.Fingerprint) map[string]string) []string {
	names := map[string]bool{}
	for _, f := range m.Fingerprints {
		for name := range of(f) {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
