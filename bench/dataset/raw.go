package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Raw is a row as a file has it, before any check.
type Raw struct {
	ID       string
	Role     string // of the first turn; "" if the file does not say
	Prompt   string
	Language string
	Image    []byte
	Broken   Reason // why the file gives no usable row; "" if nothing is known against it
	Detail   string // what was wrong, with its value
}

// Reason is why a row cannot be used.
type Reason string

// The reasons, as they are counted and printed.
const (
	NotARow         Reason = "not a row"
	LineTooLong     Reason = "line too long"
	EmptyPrompt     Reason = "empty prompt"
	PromptTooLong   Reason = "prompt too long"
	NotText         Reason = "prompt is not UTF-8"
	NotUser         Reason = "first turn is not the user's"
	NoImage         Reason = "no image"
	MissingImage    Reason = "image file cannot be read"
	OutsideFolder   Reason = "image file outside the folder"
	UnreadableImage Reason = "unreadable image"
	ImageTooLarge   Reason = "image too large"
)

// mostPrompt bounds a prompt in bytes: beyond any context, so a slip of a converter.
const mostPrompt = 1 << 20

// check makes a row of a raw one, or says why not. Pixels are decoded only to
// re-encode them.
func check(raw Raw, encoding Encoding) (Row, Reason, string) {
	switch {
	case raw.Broken != "":
		return Row{}, raw.Broken, raw.Detail
	case strings.TrimSpace(raw.Prompt) == "":
		return Row{}, EmptyPrompt, ""
	case len(raw.Prompt) > mostPrompt:
		return Row{}, PromptTooLong, fmt.Sprintf("%d bytes, at most %d", len(raw.Prompt), mostPrompt)
	case !utf8.ValidString(raw.Prompt):
		return Row{}, NotText, ""
	case raw.Role != "" && raw.Role != "user" && raw.Role != "human":
		return Row{}, NotUser, fmt.Sprintf("it is of %.40q", raw.Role)
	case len(raw.Image) == 0:
		return Row{}, NoImage, ""
	}
	img, _, err := Inspect(raw.Image)
	if err == nil {
		img, err = encoded(img, encoding)
	}
	switch {
	case errors.Is(err, ErrImageSize):
		return Row{}, ImageTooLarge, err.Error()
	case err != nil:
		return Row{}, UnreadableImage, err.Error()
	}
	img.Name = fmt.Sprintf("%.16s.%s", img.SHA256, strings.TrimPrefix(img.MIME, "image/"))
	return Row{ID: raw.ID, Prompt: raw.Prompt, Language: raw.Language, Image: img}, "", ""
}

// skips counts unusable rows and keeps an example of each reason.
type skips struct {
	count   map[Reason]int
	example map[Reason]string
}

func (s *skips) add(reason Reason, id, detail string) {
	if s.count == nil {
		s.count, s.example = map[Reason]int{}, map[Reason]string{}
	}
	if s.count[reason]++; s.count[reason] > 1 {
		return
	}
	s.example[reason] = id
	if detail != "" {
		s.example[reason] += ": " + detail
	}
}

func (s *skips) total() int { return About{Skipped: s.count}.SkippedRows() }

// String lists the reasons, the most frequent first.
func (s *skips) String() string {
	var parts []string
	for _, reason := range Reasons(s.count) {
		parts = append(parts, fmt.Sprintf("%s %d (first %s)", reason, s.count[reason], s.example[reason]))
	}
	return strings.Join(parts, "; ")
}

// Reasons are the reasons of a count, the most frequent first.
func Reasons(count map[Reason]int) []Reason {
	var reasons []Reason
	for reason := range count {
		reasons = append(reasons, reason)
	}
	slices.SortFunc(reasons, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	return reasons
}
