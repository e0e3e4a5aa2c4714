package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"

	"siglab/bench/compare"
)

// The elements of a JUnit report, as continuous-integration systems read it (the
// schema of Jenkins' xUnit plugin).
type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"timestamp,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string     `xml:"classname,attr"`
	Name    string     `xml:"name,attr"`
	Failure *junitNote `xml:"failure"`
	Skipped *junitNote `xml:"skipped"`
	Out     string     `xml:"system-out,omitempty"`
}

type junitNote struct {
	Message string `xml:"message,attr"`
}

// JUnit writes the gates and the primary metrics as test cases. A gate that does not
// hold fails, one that could not be checked is skipped; a metric fails if its verdict is
// among failOn, and is skipped if it has none.
func JUnit(w io.Writer, c *compare.Comparison, failOn []compare.Verdict) error {
	s := junitSuite{Name: "siglab: " + variantList(c), Time: c.Manifest.Started.UTC().Format("2006-01-02T15:04:05")}
	for _, g := range c.Gates {
		t := junitCase{Class: "siglab.gates", Name: g.Name}
		switch {
		case !g.Checked:
			t.Skipped = &junitNote{g.Detail}
		case !g.OK:
			t.Failure = &junitNote{g.Detail}
		default:
			t.Out = g.Detail
		}
		s.Cases = append(s.Cases, t)
	}
	for _, m := range c.Metrics {
		if !m.Primary {
			continue
		}
		t := junitCase{Class: "siglab." + m.Variant, Name: m.Metric}
		switch text := sentence(c, m); {
		case slices.Contains(failOn, m.Verdict):
			t.Failure = &junitNote{text}
		case m.Verdict == compare.None:
			t.Skipped = &junitNote{text}
		default:
			t.Out = text
		}
		s.Cases = append(s.Cases, t)
	}
	for _, t := range s.Cases {
		s.Tests++
		if t.Failure != nil {
			s.Failures++
		}
		if t.Skipped != nil {
			s.Skipped++
		}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(s); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}
