package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rowsTable is a table in memory.
type rowsTable []Raw

func (t rowsTable) Len() int64 { return int64(len(t)) }

func (t rowsTable) Read(ctx context.Context, rows []int64, yield func(row int64, raw Raw) error) error {
	if !slices.IsSorted(rows) {
		return fmt.Errorf("rows %v do not ascend", rows)
	}
	for _, row := range rows {
		if err := yield(row, t[row]); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// table has n usable rows, named after name, each with its own image.
func table(t testing.TB, name string, n int) rowsTable {
	t.Helper()
	var rows rowsTable
	for i := range n {
		rows = append(rows, Raw{ID: fmt.Sprintf("%s%d", name, i), Prompt: "p", Image: pngOf(t, image.NewGray(image.Rect(0, 0, i+1, len(name))))})
	}
	return rows
}

func mustSelect(t *testing.T, tables []Table, s Selection) *Set {
	t.Helper()
	set, err := Select(context.Background(), tables, s)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestSelectFollowsTheSeed(t *testing.T) {
	tables := []Table{table(t, "a", 30), table(t, "bb", 20)}
	drawn := func(seed uint64, n int) []string {
		return ids(mustSelect(t, tables, Selection{Rows: n, Seed: seed}).Rows())
	}
	ten := drawn(1, 10)
	if diff := cmp.Diff(ten, drawn(1, 10)); diff != "" {
		t.Errorf("the same seed draws other rows:\n%s", diff)
	}
	if diff := cmp.Diff(ten, drawn(1, 25)[:10]); diff != "" {
		t.Errorf("more rows do not begin with the same:\n%s", diff)
	}
	if cmp.Equal(ten, drawn(2, 10)) {
		t.Error("seeds 1 and 2 draw the same")
	}
	every := drawn(3, 1000)
	slices.Sort(every)
	if len(slices.Compact(every)) != 50 {
		t.Errorf("%d different rows of 50", len(every))
	}
	inOrder := mustSelect(t, tables, Selection{})
	if got := ids(inOrder.Rows()); len(got) != 50 || got[0] != "a0" || got[49] != "bb19" {
		t.Errorf("all rows: %v", got)
	}
}

// TestSelectEvenly draws one row of ten very often: each comes about as often.
func TestSelectEvenly(t *testing.T) {
	rows := table(t, "a", 10)
	count := map[string]int{}
	for seed := range uint64(2000) {
		count[mustSelect(t, []Table{rows}, Selection{Rows: 1, Seed: seed}).Rows()[0].ID]++
	}
	for id, n := range count {
		if n < 140 || n > 260 { // 200 expected, 4.5 standard deviations
			t.Errorf("row %s was drawn %d times of 2000", id, n)
		}
	}
}

func TestSelectSkipsAndCounts(t *testing.T) {
	rows := table(t, "a", 20)
	rows[3].Prompt = " \n"
	rows[5].Image = nil
	rows[7].Image = []byte("no image")
	rows[9] = Raw{ID: "a9", Broken: NotARow, Detail: "not JSON"}
	set := mustSelect(t, []Table{rows}, Selection{MaxSkipped: .2})
	want := map[Reason]int{EmptyPrompt: 1, NoImage: 1, UnreadableImage: 1, NotARow: 1}
	if diff := cmp.Diff(want, set.About().Skipped); diff != "" || len(set.Rows()) != 16 || set.About().Examined != 20 {
		t.Errorf("%d rows of %d examined, skipped (-want +got):\n%s", len(set.Rows()), set.About().Examined, diff)
	}
	fifteen := mustSelect(t, []Table{rows}, Selection{Rows: 15, Seed: 4, MaxSkipped: 1})
	if len(fifteen.Rows()) != 15 {
		t.Errorf("%d rows, want 15 although some are unusable", len(fifteen.Rows()))
	}
	_, err := Select(context.Background(), []Table{rows}, Selection{About: About{Name: "x"}, MaxSkipped: .19})
	var many *TooManyError
	if !errors.As(err, &many) {
		t.Fatalf("error %v", err)
	}
	for _, part := range []string{"data set x", "4 of the 20 rows", "20.0 %, at most 19 %", "not a row 1 (first a9: not JSON)", "no image 1 (first a5)"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %v lacks %q", err, part)
		}
	}
}

func TestSelectErrors(t *testing.T) {
	bad := rowsTable{{ID: "a0"}}
	tests := []struct {
		sentence string
		tables   []Table
		s        Selection
		want     string
	}{
		{"no tables have no rows", nil, Selection{}, "has no rows"},
		{"an empty table has no rows", []Table{rowsTable{}}, Selection{Rows: 3}, "has no rows"},
		{"no usable row, whatever the bound", []Table{bad}, Selection{MaxSkipped: 1}, "none of the 1 rows"},
		{"too many bytes", []Table{table(t, "a", 40)}, Selection{MostBytes: 1000}, "ask for fewer rows"},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			if _, err := Select(context.Background(), tt.tables, tt.s); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestSelectSharesImages: an image of many rows is held once and has one name.
func TestSelectSharesImages(t *testing.T) {
	rows := table(t, "a", 2)
	rows[1].Image = slices.Clone(rows[0].Image)
	got := mustSelect(t, []Table{rows}, Selection{}).Rows()
	if &got[0].Image.Data[0] != &got[1].Image.Data[0] || got[0].Image.Name != got[1].Image.Name {
		t.Error("the same image is held twice")
	}
}

func TestCheck(t *testing.T) {
	good := pngOf(t, image.NewGray(image.Rect(0, 0, 3, 2)))
	huge := slices.Clone(good)
	copy(huge[16:24], []byte{0, 0x10, 0, 0, 0, 0x10, 0, 0}) // IHDR's width and height: a bomb of 2^40 pixels
	tests := []struct {
		sentence string
		raw      Raw
		want     Reason
	}{
		{"a good row", Raw{Prompt: "p", Role: "user", Image: good}, ""},
		{"the file's own reason comes first", Raw{Broken: LineTooLong}, LineTooLong},
		{"a blank prompt", Raw{Prompt: "\t ", Image: good}, EmptyPrompt},
		{"an endless prompt", Raw{Prompt: strings.Repeat("x", mostPrompt+1), Image: good}, PromptTooLong},
		{"a prompt of other bytes", Raw{Prompt: "\xff\xfe", Image: good}, NotText},
		{"an assistant's turn", Raw{Prompt: "p", Role: "assistant", Image: good}, NotUser},
		{"no image", Raw{Prompt: "p"}, NoImage},
		{"not an image", Raw{Prompt: "p", Image: []byte("<svg/>")}, UnreadableImage},
		{"half a header", Raw{Prompt: "p", Image: good[:20]}, UnreadableImage},
		{"a bomb is refused by its header", Raw{Prompt: "p", Image: withCRC(huge)}, ImageTooLarge},
		{"too many bytes", Raw{Prompt: "p", Image: make([]byte, MostImageBytes+1)}, ImageTooLarge},
		{"a GIF of no size", Raw{Prompt: "p", Image: []byte("GIF89a\x00\x00\x00\x00\x00\x00\x00")}, UnreadableImage},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			row, reason, detail := check(tt.raw, PassThrough)
			if reason != tt.want {
				t.Fatalf("reason %q (%s), want %q", reason, detail, tt.want)
			}
			if reason == "" && (!bytes.Equal(row.Image.Data, tt.raw.Image) || row.Image.MIME != "image/png" || row.Image.Width != 3) {
				t.Errorf("row %+v", row)
			}
		})
	}
}

// withCRC corrects the checksum of a PNG's first chunk.
func withCRC(data []byte) []byte {
	sum := crcOf(data[12:29])
	copy(data[29:33], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	return data
}

func TestKindsOfImages(t *testing.T) {
	frame := image.NewPaletted(image.Rect(0, 0, 5, 4), color.Palette{color.Black, color.White})
	var animated bytes.Buffer
	part := image.NewPaletted(image.Rect(1, 1, 3, 3), frame.Palette)
	if err := gif.EncodeAll(&animated, &gif.GIF{Image: []*image.Paletted{part, frame}, Delay: []int{1, 1}, Config: image.Config{Width: 5, Height: 4}}); err != nil {
		t.Fatal(err)
	}
	transparent := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	for i := 0; i < len(transparent.Pix); i += 4 {
		transparent.Pix[i] = 200 // red behind no opacity
	}
	for name, data := range map[string][]byte{
		"animated": animated.Bytes(), "transparent": pngOf(t, transparent), "grey": pngOf(t, image.NewGray16(image.Rect(0, 0, 8, 8))),
		"paletted": pngOf(t, frame), "cmyk": cmykJPEG,
	} {
		t.Run(name, func(t *testing.T) {
			as, reason, detail := check(Raw{Prompt: "p", Image: data}, PassThrough)
			if reason != "" || !bytes.Equal(as.Image.Data, data) {
				t.Fatalf("passing through: %s %s", reason, detail)
			}
			again, reason, detail := check(Raw{Prompt: "p", Image: data}, Reencode)
			if reason != "" {
				t.Fatalf("re-encoding: %s %s", reason, detail)
			}
			decoded, err := jpeg.Decode(bytes.NewReader(again.Image.Data))
			if err != nil {
				t.Fatal(err)
			}
			ycc, ok := decoded.(*image.YCbCr)
			if !ok || ycc.SubsampleRatio != image.YCbCrSubsampleRatio420 || again.Image.MIME != "image/jpeg" || again.Image.Width != as.Image.Width {
				t.Errorf("re-encoded is %T, %+v", decoded, again.Image)
			}
			if name == "transparent" {
				if r, _, _, _ := ycc.At(4, 4).RGBA(); r>>8 < 190 { // Pillow drops alpha, so the red shows
					t.Errorf("red is %d, want 200", r>>8)
				}
			}
		})
	}
}

// FuzzInspect checks that a header gives a size within the bounds or an error.
func FuzzInspect(f *testing.F) {
	f.Add(pngOf(f, image.NewGray(image.Rect(0, 0, 3, 2))))
	f.Add(cmykJPEG)
	f.Add([]byte("GIF89a\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("RIFF\x24\x00\x00\x00WEBPVP8 "))
	f.Fuzz(func(t *testing.T, data []byte) {
		img, _, err := Inspect(data)
		if err == nil && (img.Width < 1 || img.Height < 1 || img.Width > MostImagePixels/img.Height || len(img.SHA256) != 64) {
			t.Errorf("image %+v", img)
		}
	})
}
