package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"siglab/bench/record"
)

// undeclaredBetween are the differences between what two servers by command ran with
// that neither declares. A command, its environment and its ref are declarations; what
// is installed for its interpreter, what a wrapper set, and what the command came to are
// not, but for what the experiment names.
func (s *study) undeclaredBetween(a, b record.Variant) []string {
	fa, fb := s.fingerprint(a), s.fingerprint(b)
	if fa == nil || fb == nil {
		return nil // nothing was found out, as in runs of earlier versions
	}
	may := s.mayDiffer(a, b)
	var problems []string
	report := func(what string, differences []string) {
		if len(differences) > 0 {
			problems = append(problems, fmt.Sprintf("variants %q and %q differ in %s that they do not declare: %s (--may-differ NAME allows one)", a.Name, b.Name, what, listed(differences)))
		}
	}
	report("variables", differing(fa.Env, fb.Env, may))
	// What a command comes to is up to the code of its ref, where that differs.
	if slices.Equal(a.Argv, b.Argv) && slices.Equal(sourceOf(a), sourceOf(b)) && !slices.Equal(fa.Argv, fb.Argv) {
		report("the command line", []string{fmt.Sprintf("%q → %q", strings.Join(fa.Argv, " "), strings.Join(fb.Argv, " "))})
	}
	switch pa, pb := fa.Python, fb.Python; {
	case pa == nil && pb == nil:
	case pa == nil || pb == nil:
		report("the interpreter", []string{"only one of them runs a Python that was found"})
	default:
		if pa.Version != pb.Version && !may("python") {
			report("the interpreter", []string{fmt.Sprintf("python %s → %s", pa.Version, pb.Version)})
		}
		report("packages", differing(pa.Packages, pb.Packages, may))
	}
	return problems
}

func (s *study) fingerprint(v record.Variant) *record.Fingerprint {
	for i := range s.run.Manifest.Fingerprints {
		if f := &s.run.Manifest.Fingerprints[i]; f.Variant == v.Name {
			return f
		}
	}
	return nil
}

// mayDiffer reports whether a name is one in which two variants may differ: that of a
// variable that one of them sets, of the package under test, or one that the experiment
// names. Names of packages are compared as pip does.
func (s *study) mayDiffer(a, b record.Variant) func(name string) bool {
	var names []string
	for _, v := range []record.Variant{a, b} {
		for _, pair := range v.Env {
			name, _, _ := strings.Cut(pair, "=")
			names = append(names, plain(name))
		}
		if v.Source != nil {
			names = append(names, plain(v.Source.Module))
			if v.Source.Overlay {
				names = append(names, plain("PYTHONPATH"))
			}
		}
	}
	for _, name := range s.run.Manifest.Experiment.MayDiffer {
		names = append(names, plain(name))
	}
	return func(name string) bool { return slices.Contains(names, plain(name)) }
}

// plain is a name without what pip does not tell apart.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "-", ".", "-").Replace(name))
}

// differing lists where two maps differ: "torch 2.12 → 2.13", "flash-attn only in the
// second".
func differing(a, b map[string]string, may func(string) bool) []string {
	names := maps.Clone(a)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, b)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		va, inA := a[name]
		vb, inB := b[name]
		switch {
		case may(name) || inA && inB && va == vb:
		case !inA:
			out = append(out, fmt.Sprintf("%s %s only in the second", name, vb))
		case !inB:
			out = append(out, fmt.Sprintf("%s %s only in the first", name, va))
		default:
			out = append(out, fmt.Sprintf("%s %s → %s", name, va, vb))
		}
	}
	return out
}
