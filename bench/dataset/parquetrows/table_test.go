package parquetrows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"siglab/bench/dataset"
)

type turn struct {
	Role    string `parquet:"role"`
	Content string `parquet:"content"`
}

type picture struct {
	Bytes []byte  `parquet:"bytes,optional"`
	Path  *string `parquet:"path,optional"`
}

// chatRow has the schema of VisionArena-Chat, benchRow that of vision-arena-bench.
type chatRow struct {
	Images         []picture `parquet:"images,list"`
	ConversationID string    `parquet:"conversation_id"`
	Language       string    `parquet:"language,dict"`
	Conversation   [][]turn  `parquet:"conversation,list"`
}

type benchRow struct {
	QuestionID string    `parquet:"question_id"`
	Images     []picture `parquet:"images"`
	Turns      [][]turn  `parquet:"turns,list"`
}

func onePicture(t testing.TB, width int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, 2))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func write[T any](t testing.TB, rows []T, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func chatRows(t testing.TB, n int) []chatRow {
	t.Helper()
	var rows []chatRow
	for i := range n {
		rows = append(rows, chatRow{
			Images:         []picture{{Bytes: onePicture(t, i+1)}, {Bytes: []byte("second image")}},
			ConversationID: fmt.Sprintf("c%d", i), Language: "English",
			Conversation: [][]turn{{{"user", fmt.Sprintf("question %d", i)}, {"user", "more"}}, {{"assistant", "answer"}}},
		})
	}
	return rows
}

func read(t testing.TB, table *Table, rows []int64) map[int64]dataset.Raw {
	t.Helper()
	got := map[int64]dataset.Raw{}
	err := table.Read(context.Background(), rows, func(row int64, raw dataset.Raw) error {
		got[row] = raw
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func open(t testing.TB, file []byte) *Table {
	t.Helper()
	table, err := New(bytes.NewReader(file), int64(len(file)), "x.parquet")
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestReadTakesFirstTurnAndFirstImage(t *testing.T) {
	const n = 23
	tests := []struct {
		sentence string
		options  []parquet.WriterOption
	}{
		{"one row group, one page", nil},
		{"several row groups", []parquet.WriterOption{parquet.MaxRowsPerRowGroup(7)}},
		{"small pages", []parquet.WriterOption{parquet.PageBufferSize(128), parquet.MaxRowsPerRowGroup(10)}},
		{"pages of version 1, compressed", []parquet.WriterOption{parquet.DataPageVersion(1), parquet.Compression(&parquet.Snappy)}},
		{"zstd", []parquet.WriterOption{parquet.Compression(&parquet.Zstd), parquet.PageBufferSize(200)}},
	}
	rows := chatRows(t, n)
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			table := open(t, write(t, rows, tt.options...))
			wanted := []int64{0, 3, 6, 7, 19, 22}
			got := read(t, table, wanted)
			if table.Len() != n || len(got) != len(wanted) {
				t.Fatalf("%d rows, %d read", table.Len(), len(got))
			}
			for _, i := range wanted {
				want := dataset.Raw{ID: fmt.Sprintf("c%d", i), Role: "user", Prompt: fmt.Sprintf("question %d", i), Language: "English", Image: onePicture(t, int(i)+1)}
				if diff := cmp.Diff(want, got[i]); diff != "" {
					t.Errorf("row %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

// TestReadMissingParts has rows that lack each part: they are given with what they
// have, and do not shift their neighbours.
func TestReadMissingParts(t *testing.T) {
	rows := chatRows(t, 6)
	rows[1].Images = nil
	rows[2].Images = []picture{{}, {Bytes: []byte("second")}}
	rows[3].Conversation = nil
	rows[4].Conversation = [][]turn{{}, {{"user", "second turn"}}}
	rows[5].ConversationID = ""
	got := read(t, open(t, write(t, rows)), []int64{0, 1, 2, 3, 4, 5})
	for i, want := range []struct {
		prompt string
		image  bool
		id     string
	}{{"question 0", true, "c0"}, {"question 1", false, "c1"}, {"question 2", false, "c2"}, {"", true, "c3"}, {"", true, "c4"}, {"question 5", true, "x.parquet:5"}} {
		raw := got[int64(i)]
		if raw.Prompt != want.prompt || (len(raw.Image) > 0) != want.image || raw.ID != want.id {
			t.Errorf("row %d: %+v, want %+v", i, raw, want)
		}
	}
}

func TestReadBenchSchema(t *testing.T) {
	rows := []benchRow{{"q1", []picture{{Bytes: onePicture(t, 3)}}, [][]turn{{{"user", "what?"}}}}}
	got := read(t, open(t, write(t, rows)), []int64{0})
	if diff := cmp.Diff(dataset.Raw{ID: "q1", Role: "user", Prompt: "what?", Image: onePicture(t, 3)}, got[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestReadPyarrow reads a file that the datasets library wrote: three rows in the
// schema of VisionArena-Chat.
func TestReadPyarrow(t *testing.T) {
	table, err := Open("testdata/train-00000-of-00001.parquet", "train")
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, table, []int64{0, 2})
	for _, i := range []int64{0, 2} {
		img, _, err := dataset.Inspect(got[i].Image)
		if err != nil || img.MIME != "image/jpeg" || got[i].Role != "user" || !strings.Contains(got[i].Prompt, "picture") && !strings.Contains(got[i].Prompt, "image") {
			t.Errorf("row %d: role %s, prompt %q, image %v", i, got[i].Role, got[i].Prompt, err)
		}
	}
	if err := table.Close(); err != nil {
		t.Error(err)
	}
}

func TestBadFiles(t *testing.T) {
	good := write(t, chatRows(t, 4))
	lying := slices.Clone(good)
	copy(lying[len(lying)-8:], "\xff\xff\xff\x7f")
	tests := []struct {
		sentence string
		file     []byte
		want     string
	}{
		{"an empty file", nil, "does not begin"},
		{"a file of another kind", []byte(strings.Repeat("hello ", 10)), "does not begin"},
		{"a pointer of Git LFS says how to fetch the file", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"), "git lfs pull"},
		{"a truncated file says so", good[:len(good)-20], "cut short"},
		{"a footer longer than the file", lying, "footer has 2147483647 bytes"},
		{"a wrong schema lists what there is and what is wanted", write(t, []struct {
			Title string  `parquet:"title"`
			Stars float64 `parquet:"stars"`
		}{{"a", 1}}), "its columns are title, stars; wanted are conversation[][].content"},
		{"a prompt without an image lists what there is", write(t, []struct {
			Prompt string `parquet:"prompt"`
		}{{"a"}}), "its columns are prompt; wanted"},
		{"a prompt that is a number is no prompt", write(t, []struct {
			Prompt int64    `parquet:"prompt"`
			Image  *picture `parquet:"image"`
		}{{1, nil}}), "wanted are"},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			_, err := New(bytes.NewReader(tt.file), int64(len(tt.file)), "x.parquet")
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "x.parquet") {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestReadStops(t *testing.T) {
	table := open(t, write(t, chatRows(t, 8)))
	stop := errors.New("enough")
	calls := 0
	err := table.Read(context.Background(), []int64{1, 2, 3}, func(int64, dataset.Raw) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%d calls, error %v", calls, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := table.Read(ctx, []int64{1}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := table.Read(context.Background(), []int64{8}, nil); err == nil || !strings.Contains(err.Error(), "has 8 rows") {
		t.Errorf("error %v", err)
	}
	if _, err := Open("testdata/none.parquet", "none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// FuzzRead checks that whatever bytes a file has, reading ends with rows or an error.
func FuzzRead(f *testing.F) {
	f.Add(write(f, chatRows(f, 3)))
	f.Add(write(f, chatRows(f, 5), parquet.DataPageVersion(1), parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(2)))
	f.Add(write(f, []benchRow{{"q1", []picture{{Bytes: onePicture(f, 3)}}, [][]turn{{{"user", "what?"}}}}}))
	f.Add([]byte("PAR1\x00\x00\x00\x00PAR1"))
	f.Fuzz(func(t *testing.T, file []byte) {
		table, err := New(bytes.NewReader(file), int64(len(file)), "x")
		if err != nil {
			return
		}
		var rows []int64
		for i := range min(table.Len(), 20) {
			rows = append(rows, i)
		}
		count := 0
		err = table.Read(context.Background(), rows, func(int64, dataset.Raw) error { count++; return nil })
		if err == nil && count != len(rows) {
			t.Errorf("%d rows of %d", count, len(rows))
		}
	})
}
