package results

import (
	"fmt"
	"slices"

	"siglab/bench/compare"
	"siglab/bench/record"
	"siglab/bench/report"
	"siglab/bench/runlog"
)

// Details reads what a report shows of the requests that it tells one by one. What is
// wrong with those files becomes a warning of the comparison: no verdict rests on them.
func Details(dir string, c *compare.Comparison) report.Details {
	items, warnings := readItems(dir, c)
	thumbnails, err := runlog.ReadThumbnails(dir)
	if err != nil {
		warnings = append(warnings, "The images are not shown: "+err.Error())
	}
	for _, text := range warnings {
		if w := (compare.Warning{Code: "run-files", Text: text}); !slices.Contains(c.Warnings, w) {
			c.Warnings = append(c.Warnings, w)
		}
	}
	return report.Details{Items: items, Thumbnails: thumbnails}
}

// readItems finds the frozen requests that are shown. A workload other than the one
// that was recorded gives none, so that no prompt stands beside another's answer.
func readItems(dir string, c *compare.Comparison) (map[string]record.Item, []string) {
	wanted := map[string]bool{}
	for _, r := range c.Requests {
		wanted[r.Item] = true
	}
	items := map[string]record.Item{}
	var hash record.WorkloadHash
	warnings, err := runlog.EachItem(dir, func(item record.Item) {
		hash.Add(&item)
		if wanted[item.ID] {
			items[item.ID] = item
		}
	})
	if err != nil {
		return nil, append(warnings, "The prompts are not shown: "+err.Error())
	}
	_, found := hash.Sums()
	recorded := c.Manifest.Workload.SHA256
	if len(warnings) == 0 && recorded != "" && found != recorded {
		return nil, []string{fmt.Sprintf("%s is not the workload of this run (SHA-256 %.12s, not %.12s), so the prompts are not shown; no verdict rests on it.", runlog.WorkloadFile, found, recorded)}
	}
	return items, warnings
}
