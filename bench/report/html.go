package report

import (
	_ "embed"
	"html/template"
	"io"

	"siglab/bench/compare"
	"siglab/bench/record"
)

//go:embed report.html.tmpl
var htmlTemplate string

//go:embed report.css
var htmlStyle string

// Details are what the report shows of single requests beyond what was seen of them.
type Details struct {
	Items      map[string]record.Item // by ID; those of Comparison.Requests
	Thumbnails map[string][]byte      // small JPEGs by record.Item.ImageHash
}

// HTML writes one self-contained file: the verdict first, then what it rests on. It
// has no scripts and loads nothing, so it shows wherever a file can be shown, also
// where a policy of the site forbids scripts.
func HTML(w io.Writer, dir string, c *compare.Comparison, d Details) error {
	t, err := template.New("report").Parse(htmlTemplate)
	if err != nil {
		return err
	}
	return t.Execute(w, newPage(dir, c, d))
}
