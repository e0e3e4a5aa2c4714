package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"text/tabwriter"

	"siglab/bench/dataset"
	"siglab/bench/dataset/catalog"
	"siglab/bench/dataset/frozen"
	"siglab/bench/dataset/gallery"
	"siglab/bench/record"
	"siglab/internal/hub"
)

type datasetCmd struct {
	List   datasetListCmd   `cmd:"" help:"List the data sets that are known, and what of the hub is in the cache."`
	Pull   datasetPullCmd   `cmd:"" help:"Fetch a data set of the hub into the cache."`
	Show   datasetShowCmd   `cmd:"" help:"Show rows of a data set: text, JSON, or an HTML page with thumbnails."`
	Freeze datasetFreezeCmd `cmd:"" help:"Write rows with their images and hashes to a folder, which bench --dataset DIR replays exactly."`
}

// rowFlags say which rows of a data set are used, and as which bytes.
type rowFlags struct {
	Reencode   bool    `name:"dataset-reencode" help:"Send images as vLLM's loader does, as RGB JPEG of quality 75; the encoder is Go's, not libjpeg."`
	MaxSkipped float64 `name:"dataset-max-skipped" default:"0.05" help:"Largest share of rows that cannot be used (${default})."`
}

func (f rowFlags) options(rows int, seed uint64) (catalog.Options, error) {
	o := catalog.Options{Rows: rows, Seed: seed, MaxSkipped: f.MaxSkipped}
	if err := dataset.CheckShare(f.MaxSkipped); err != nil {
		return o, usagef("--dataset-max-skipped %v: %w", f.MaxSkipped, err)
	}
	if f.Reencode {
		o.Encoding = dataset.Reencode
	}
	client, err := newHub(hub.DataSets)
	o.Hub = client
	return o, err
}

// openDataset opens the data set of an experiment, with as many rows as it can use.
func openDataset(ctx context.Context, e record.Experiment) (*dataset.Set, error) {
	o, err := rowFlags{Reencode: e.Reencode, MaxSkipped: e.MaxSkipped}.options(e.Pairs*e.NumPrompts+e.Warmups, e.Seed)
	if err != nil {
		return nil, err
	}
	set, err := catalog.Open(ctx, e.Dataset, o)
	if err != nil {
		return nil, datasetError(err)
	}
	if set.About().SkippedRows() > 0 {
		for _, line := range gallery.Describe(set.About()) {
			fmt.Fprintln(os.Stderr, "siglab:", line)
		}
	}
	return set, nil
}

// datasetError adds which flag allows more unusable rows. A data set that cannot be
// opened is a matter of the command line, unless the hub fails or the user stopped it.
func datasetError(err error) error {
	var many *dataset.TooManyError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, hub.ErrUnreachable):
		return err
	case errors.As(err, &many):
		return usagef("%w; mend the data set, or allow more with --dataset-max-skipped", err)
	}
	return usageError{err}
}

type datasetListCmd struct {
	JSON bool `name:"json" help:"Print the list as JSON."`
}

// Run prints what is known and what is cached.
func (c *datasetListCmd) Run() error {
	client, err := newHub(hub.DataSets)
	if err != nil {
		return err
	}
	cached, err := client.List()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(map[string]any{"known": catalog.KnownSets(), "cached": append([]hub.CachedSet{}, cached...)})
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, known := range catalog.KnownSets() {
		fmt.Fprintf(w, "%s\t%s\n", known.Name, known.What)
	}
	fmt.Fprint(w, "ORG/NAME[@REVISION]\tany set of the hub with their schema\nPATH\ta folder of Parquet files, a Parquet or JSONL file, a frozen folder\n")
	for _, set := range cached {
		fmt.Fprintf(w, "cached: %s\tcommit %.12s, %d of %d files, %d MB in %s\n", set.Repo, set.Commit, set.Fetched, set.Files, set.Bytes>>20, set.Path)
	}
	return w.Flush()
}

type datasetPullCmd struct {
	Name       string `arg:"" help:"ORG/NAME or ORG/NAME@REVISION on the hub."`
	NumPrompts int    `name:"num-prompts" default:"1000" help:"Fetch the files that bench would draw this many rows from (${default}); 0 for all files."`
	Seed       uint64 `default:"0" help:"Seed of the order of the files (${default})."`
	JSON       bool   `name:"json" help:"Print what was fetched as JSON."`
}

// Run fetches with progress on stderr.
func (c *datasetPullCmd) Run(ctx context.Context) error {
	o, err := rowFlags{}.options(c.NumPrompts, c.Seed)
	if err == nil {
		err = checkRows("--num-prompts", c.NumPrompts)
	}
	if err != nil {
		return err
	}
	pulled, err := catalog.Pull(ctx, c.Name, o)
	if err != nil {
		return datasetError(err)
	}
	if c.JSON {
		return printJSON(pulled)
	}
	_, err = fmt.Printf("%s@%s: %d of %d files, %d rows, %d MB\n", pulled.Name, pulled.Revision, len(pulled.Files), pulled.AllFiles, pulled.Rows, pulled.Bytes>>20)
	return err
}

type datasetShowCmd struct {
	Name     string `arg:"" help:"Name or path."`
	Rows     int    `default:"10" help:"Rows to show (${default})."`
	Seed     uint64 `default:"0" help:"Seed of the draw (${default})."`
	Reencode bool   `name:"dataset-reencode" help:"Show images as bench --dataset-reencode sends them."`
	HTML     string `name:"html" placeholder:"FILE" help:"Write a page with thumbnails."`
	JSON     bool   `name:"json" help:"Print the rows as JSON."`
}

// Run shows rows, however many others cannot be used.
func (c *datasetShowCmd) Run(ctx context.Context) error {
	if c.Rows < 1 || c.Rows > mostPrompts {
		return usagef("--rows %d: it is 1 to %d", c.Rows, mostPrompts)
	}
	o, err := rowFlags{Reencode: c.Reencode, MaxSkipped: 1}.options(c.Rows, c.Seed)
	if err != nil {
		return err
	}
	set, err := catalog.Open(ctx, c.Name, o)
	if err != nil {
		return datasetError(err)
	}
	if c.HTML != "" {
		file, err := os.Create(c.HTML)
		if err != nil {
			return err
		}
		if err := errors.Join(gallery.WriteHTML(file, set, c.Rows), file.Close()); err != nil {
			return err
		}
	}
	switch {
	case c.JSON:
		return gallery.WriteJSON(os.Stdout, set, c.Rows)
	case c.HTML != "":
		fmt.Fprintf(os.Stderr, "siglab: %s has %d rows\n", c.HTML, min(c.Rows, len(set.Rows())))
		return nil
	}
	return gallery.WriteText(os.Stdout, set, c.Rows)
}

type datasetFreezeCmd struct {
	Name       string `arg:"" help:"Name or path."`
	Out        string `required:"" placeholder:"DIR" help:"New folder."`
	NumPrompts int    `name:"num-prompts" default:"1000" help:"Rows to freeze (${default}); 0 for all."`
	Seed       uint64 `default:"0" help:"Seed of the draw (${default})."`
	JSON       bool   `name:"json" help:"Print what was frozen as JSON."`

	rowFlags
}

// Run draws rows and writes them down.
func (c *datasetFreezeCmd) Run(ctx context.Context) error {
	o, err := c.options(c.NumPrompts, c.Seed)
	if err == nil {
		err = checkRows("--num-prompts", c.NumPrompts)
	}
	if err != nil {
		return err
	}
	set, err := catalog.Open(ctx, c.Name, o)
	if err != nil {
		return datasetError(err)
	}
	about := set.About()
	rows := set.Deck(0, rand.New(rand.NewPCG(c.Seed, 0)))
	if c.NumPrompts > 0 && len(rows) > c.NumPrompts {
		rows = rows[:c.NumPrompts]
	}
	about.Selection += fmt.Sprintf("; frozen are %d of them, their images taking turns", len(rows))
	if err := frozen.Write(c.Out, about, rows); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(map[string]any{"dir": c.Out, "rows": len(rows), "sha256": dataset.HashRows(rows), "source": about})
	}
	for _, line := range gallery.Describe(about) {
		fmt.Println(line)
	}
	_, err = fmt.Printf("%d rows are in %s, sha256 %s; `siglab bench --dataset %s` replays them\n", len(rows), c.Out, dataset.HashRows(rows), c.Out)
	return err
}

func checkRows(flag string, n int) error {
	if n < 0 || n > mostPrompts*mostPairs {
		return usagef("%s %d: it is 0 (all) to %d", flag, n, mostPrompts*mostPairs)
	}
	return nil
}

func printJSON(value any) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}
