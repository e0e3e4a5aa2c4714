package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"siglab/internal/hub"
)

// downloadBar shows how a download goes: one line that is rewritten on a terminal,
// a line every ten seconds and at the end of a file in a log.
type downloadBar struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex
	file  string
	begun time.Time
	from  int64     // bytes that were there when it began
	told  time.Time // last line in a log
}

func (b *downloadBar) show(p hub.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if p.File != b.file {
		b.file, b.begun, b.from, b.told = p.File, now, p.Done, now
	}
	line := fmt.Sprintf("siglab: %s %.1f of %.1f MB", p.File, float64(p.Done)/1e6, float64(p.Total)/1e6)
	if seconds := now.Sub(b.begun).Seconds(); seconds > 1 && p.Done > b.from {
		line += fmt.Sprintf(", %.1f MB/s", float64(p.Done-b.from)/1e6/seconds)
	}
	switch {
	case p.End && b.terminal:
		fmt.Fprintf(b.w, "\r%-79s\n", line+", checked")
	case p.End:
		fmt.Fprintln(b.w, line+", checked")
	case b.terminal:
		fmt.Fprintf(b.w, "\r%-79s", line)
	case now.Sub(b.told) > 10*time.Second:
		fmt.Fprintln(b.w, line)
		b.told = now
	}
}
