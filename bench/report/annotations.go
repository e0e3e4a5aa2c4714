package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"siglab/bench/compare"
)

// Annotations writes GitHub's workflow commands, which show beside a pull request: an
// error for each gate that does not hold and each primary metric whose verdict is
// among failOn, a notice for every other primary.
func Annotations(w io.Writer, c *compare.Comparison, failOn []compare.Verdict) error {
	var out strings.Builder
	for _, g := range c.Gates {
		if g.Checked && !g.OK {
			annotate(&out, "error", "siglab gate "+g.Name, g.Detail)
		}
	}
	for _, m := range c.Metrics {
		if !m.Primary {
			continue
		}
		level := "notice"
		if slices.Contains(failOn, m.Verdict) {
			level = "error"
		}
		annotate(&out, level, fmt.Sprintf("siglab %s: %s", m.Variant, m.Verdict), sentence(c, m))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// annotate writes one command. Data and properties are escaped as GitHub's toolkit
// does (actions/toolkit, packages/core/src/command.ts).
func annotate(out *strings.Builder, level, title, text string) {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	fmt.Fprintf(out, "::%s title=%s::%s\n", level, property.Replace(title), data.Replace(text))
}
