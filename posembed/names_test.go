package posembed_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/posembed"
)

func TestConventionNames(t *testing.T) {
	want := []string{"bicubic", "bicubic-offset", "bicubic-align-corners", "bicubic-antialias", "bilinear", "bilinear-align-corners", "bilinear-antialias"}
	var got []string
	for _, c := range posembed.Conventions() {
		got = append(got, c.String())
		if parsed, err := posembed.ParseConvention(c.String()); err != nil || parsed != c {
			t.Errorf("ParseConvention(%q) = %v, %v", c, parsed, err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	_, err := posembed.ParseConvention("lanczos")
	if diff := cmp.Diff(`unknown convention "lanczos": want one of bicubic, bicubic-offset, bicubic-align-corners, bicubic-antialias, bilinear, bilinear-align-corners, bilinear-antialias`, message(err)); diff != "" {
		t.Errorf("unknown name (-want +got):\n%s", diff)
	}
}

func TestModeNames(t *testing.T) {
	want := map[string]posembed.Convention{
		"reference":      posembed.Bicubic,
		"bilinear":       posembed.BilinearAlignCorners,
		"bilinear-fused": posembed.BilinearAlignCorners,
		"exact":          posembed.Bicubic,
		"cached":         posembed.Bicubic,
		"antialias":      posembed.BilinearAntialias,
	}
	got := map[string]posembed.Convention{}
	for _, m := range posembed.Modes() {
		got[m.String()] = m.Convention()
		if parsed, err := posembed.ParseMode(m.String()); err != nil || parsed != m {
			t.Errorf("ParseMode(%q) = %v, %v", m, parsed, err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conventions by mode (-want +got):\n%s", diff)
	}
	if alias, err := posembed.ParseMode("bicubic"); err != nil || alias != posembed.Reference {
		t.Errorf(`ParseMode("bicubic") = %v, %v, want reference`, alias, err)
	}
	_, err := posembed.ParseMode("fast")
	if diff := cmp.Diff(`unknown mode "fast": want one of reference, bilinear, bilinear-fused, exact, cached, antialias`, message(err)); diff != "" {
		t.Errorf("unknown name (-want +got):\n%s", diff)
	}
	if got := posembed.Mode(200).String(); got != "Mode(200)" {
		t.Errorf("a mode that does not exist prints as %q", got)
	}
}
