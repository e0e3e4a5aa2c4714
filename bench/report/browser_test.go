//go:build browser

package report

import (
	"bytes"
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"siglab/bench/compare"
	"siglab/bench/record"
)

var (
	shots    = flag.String("shots", "", "keep screenshots and PDFs in this directory, which exists")
	pageFile = flag.String("page", "", "also look at this report.html")
)

//go:embed testdata/lookat.js
var lookAt string

// findings are what a page says of itself, see testdata/lookat.js.
type findings struct {
	Problems           []string
	Headings           int
	PairMarks, Forests int
	Lines              int // of the first distribution
	MetricRows         int
	GateRows           int
	RequestRows        int
	Figures, Tables    int
	Dark               bool
	Milliseconds       float64
}

// TestBrowser looks at reports in a headless Chromium: no errors, no requests, every
// mark there, nothing cut off, nothing on top of something else, enough contrast;
// light and dark, on a desk and on a phone, and on paper.
func TestBrowser(t *testing.T) {
	pages := map[string]string{}
	dir := t.TempDir()
	comparisons := map[string]*compare.Comparison{
		"valid": comparison("optimized"), "three": comparison("optimized", "exact"), "invalid": invalid(), "one": comparison(),
		"many": comparison("a", "b", "c", "d", "e", "f", "a-variant-with-a-long-name-as-people-give-them"),
	}
	for name, c := range comparisons {
		pages[name] = filepath.Join(dir, name+".html")
		var b bytes.Buffer
		if err := HTML(&b, "run", c, madeUpDetails(c)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(pages[name], b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if *pageFile != "" {
		path, err := filepath.Abs(*pageFile)
		if err != nil {
			t.Fatal(err)
		}
		pages["run"] = path
	}
	browser := startBrowser(t)
	for name, path := range pages {
		for _, form := range []struct {
			name          string
			width, height int64
			dark          bool
		}{{"desk, light", 1280, 900, false}, {"desk, dark", 1280, 900, true}, {"phone, light", 390, 844, false}, {"phone, dark", 390, 844, true}} {
			t.Run(name+", "+form.name, func(t *testing.T) {
				found := look(browser, t, path, form.width, form.height, form.dark, shotName(name, form.name))
				for _, problem := range found.Problems {
					t.Error(problem)
				}
				if found.Dark != form.dark {
					t.Errorf("dark: %v", found.Dark)
				}
				if found.Headings != 1 {
					t.Errorf("%d first-level headings", found.Headings)
				}
				t.Logf("drawn after %.0f ms; %d figures, %d tables", found.Milliseconds, found.Figures, found.Tables)
				if c := comparisons[name]; c != nil {
					checkMarks(t, c, found)
				}
			})
		}
		t.Run(name+", paper", func(t *testing.T) { printed(browser, t, path, shotName(name, "paper")) })
	}
}

func shotName(page, form string) string {
	return strings.ReplaceAll(page+"-"+form, ", ", "-")
}

// checkMarks compares what is drawn with what there is.
func checkMarks(t *testing.T, c *compare.Comparison, found findings) {
	t.Helper()
	forests, marks := 0, 0
	for _, m := range c.Metrics {
		if m.Primary {
			forests++
			marks += len(m.Pairs)
		}
	}
	metrics := len(c.Metrics)
	if len(c.Arms) == 1 {
		metrics = len(c.Arms[0].Blocks[0].Values)
	}
	for _, count := range []struct {
		what      string
		got, want int
	}{
		{"forest plots", found.Forests, forests},
		{"marks of pairs", found.PairMarks, marks},
		{"lines of the first distribution", found.Lines, len(c.Arms)},
		{"rows of metrics", found.MetricRows, metrics},
		{"rows of gates", found.GateRows, len(c.Gates)},
		{"rows of requests", found.RequestRows, len(c.Requests)},
	} {
		if count.got != count.want {
			t.Errorf("%d %s, want %d", count.got, count.what, count.want)
		}
	}
}

// madeUpDetails has an item for every request.
func madeUpDetails(c *compare.Comparison) Details {
	d := Details{Items: map[string]record.Item{}}
	for _, r := range c.Requests {
		d.Items[r.Item] = record.Item{ID: r.Item, Prompt: "What is this?", Image: "photo.jpg", ImageSize: [2]int{640, 480}}
	}
	return d
}

// startBrowser starts one Chromium for all pages.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.Flag("disable-gpu", true))
	if os.Geteuid() == 0 { // its sandbox refuses root, as whom containers run
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	browser, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("start Chromium: %v; is one installed?", err)
	}
	return browser
}

// look opens a page in one form and asks it what testdata/lookat.js asks. Everything
// that the browser complains about is a problem.
func look(browser context.Context, t *testing.T, path string, width, height int64, dark bool, shot string) findings {
	t.Helper()
	complaints := &complaints{}
	tab, stop := newTab(browser, t, chromedp.WithListener(complaints.hear))
	defer stop()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	viewport := []chromedp.EmulateViewportOption{}
	if width < 600 {
		viewport = append(viewport, chromedp.EmulateMobile)
	}
	err := chromedp.Do(tab, chromedp.EmulateViewport(width, height, viewport...), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, log.Enable, cdp.Empty{})
		if err == nil {
			_, err = cdp.Call(ctx, target, emulation.SetEmulatedMedia, media)
		}
		return err
	}), chromedp.Navigate("file://"+filepath.ToSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	found, err := chromedp.Run(tab, chromedp.Evaluate[findings](lookAt))
	if err != nil {
		t.Fatal(err)
	}
	keep(t, shot+".png", picture)
	found.Problems = append(found.Problems, complaints.all()...)
	return found
}

// printed makes a PDF of a page.
func printed(browser context.Context, t *testing.T, path, shot string) {
	t.Helper()
	tab, stop := newTab(browser, t)
	defer stop()
	if err := chromedp.Do(tab, chromedp.Navigate("file://"+filepath.ToSlash(path))); err != nil {
		t.Fatal(err)
	}
	pdf, err := chromedp.Run(tab, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF")) {
		t.Fatalf("%d bytes of PDF, error %v", len(pdf), err)
	}
	keep(t, shot+".pdf", pdf)
}

// newTab opens a tab that is open for a minute at most.
func newTab(browser context.Context, t *testing.T, options ...chromedp.ContextOption) (context.Context, func()) {
	t.Helper()
	tab, stop := chromedp.NewContext(browser, options...)
	if err := chromedp.Do(tab); err != nil {
		t.Fatal(err)
	}
	bounded, cancel := context.WithTimeout(tab, time.Minute)
	return bounded, func() {
		cancel()
		stop()
	}
}

func keep(t *testing.T, name string, data []byte) {
	t.Helper()
	if *shots == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*shots, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// complaints are what a browser says of a page: to its console, in its log, and by
// requests that the page should not make. The browser calls from its own goroutine.
type complaints struct {
	sync.Mutex
	said []string
}

func (c *complaints) hear(event any) {
	c.Lock()
	defer c.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		c.said = append(c.said, fmt.Sprintf("console: %s %v", e.Type, e.Args))
	case *runtime.EventExceptionThrown:
		c.said = append(c.said, "exception: "+e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		c.said = append(c.said, "log: "+e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if url := e.Request.URL; !strings.HasPrefix(url, "file:") && !strings.HasPrefix(url, "data:") {
			c.said = append(c.said, "request for "+url)
		}
	}
}

func (c *complaints) all() []string {
	c.Lock()
	defer c.Unlock()
	return c.said
}
