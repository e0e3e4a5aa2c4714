package sweep

import (
	_ "embed"
	"html/template"
	"io"
)

//go:embed sweep.html.tmpl
var page string

// HTML writes one self-contained file: the plots, the claims, and the table behind
// them. It has no scripts and loads nothing.
func HTML(w io.Writer, r Result) error {
	t, err := template.New("sweep").Parse(page)
	if err != nil {
		return err
	}
	type row struct {
		Cells []string
		Link  string
	}
	data := struct {
		Axes           string
		Panels         []panel
		Columns        []string
		Rows           []row
		Claims, Points []string
	}{Axes: r.axisNames(), Panels: r.panels(), Columns: columns, Claims: r.claimSentences(), Points: r.pointSentences()}
	for _, line := range r.Rows() {
		data.Rows = append(data.Rows, row{line.cells(), line.Report.RunDir + "/report.html"})
	}
	return t.Execute(w, data)
}
