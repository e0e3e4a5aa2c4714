package results

import (
	"siglab/bench/compare"
	"siglab/bench/record"
	"siglab/bench/report"
	"siglab/bench/runlog"
)

// details reads what a report shows of the requests that it tells one by one.
func details(dir string, c *compare.Comparison) (report.Details, error) {
	d := report.Details{Items: map[string]record.Item{}}
	wanted := map[string]bool{}
	for _, r := range c.Requests {
		wanted[r.Item] = true
	}
	if len(wanted) == 0 {
		return d, nil
	}
	_, err := runlog.EachItem(dir, func(item record.Item) {
		if wanted[item.ID] {
			d.Items[item.ID] = item
		}
	})
	if err != nil {
		return d, err
	}
	if d.Thumbnails, err = runlog.ReadThumbnails(dir); err != nil {
		d.Thumbnails = nil // they decorate: a report without is better than none
	}
	return d, nil
}
