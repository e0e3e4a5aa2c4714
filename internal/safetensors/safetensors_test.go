package safetensors

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReferenceFiles has the verdict on files that were made broken on purpose. The
// reference library, version 0.8, agrees on all but duplicate_key, of which it takes
// the last.
func TestReferenceFiles(t *testing.T) {
	tests := []struct{ file, want string }{
		{"good", ""},
		{"good_with_metadata", ""},
		{"truncated_data", `data_offsets [96, 108] in 103 bytes of data`},
		{"trailing_data", "tensors end at byte 108 of 116 bytes of data"},
		{"header_len_huge", "want at most 100000000"},
		{"header_len_max", "want at most 100000000"},
		{"header_len_past_eof", "in a file of 244"},
		{"header_len_zero", "header: EOF"},
		{"header_not_json", "header: invalid character"},
		{"header_json_array", "want an object, not ["},
		{"header_bad_utf8", "the header is not UTF-8"},
		{"overlapping_offsets", "where the one before it ends"},
		{"hole_between_tensors", "where the one before it ends"},
		{"offsets_out_of_range", "data_offsets"},
		{"offsets_reversed", "data_offsets"},
		{"offsets_negative", "cannot unmarshal number -4"},
		{"shape_size_mismatch", "needs"},
		{"shape_overflow", "is larger than the address space"},
		{"negative_shape", "cannot unmarshal number -3"},
		{"wrong_dtype_name", `unknown dtype "Q99"`},
		{"dtype_size_mismatch", "needs"},
		{"missing_offsets", "data_offsets []: want begin and end"},
		{"duplicate_key", `"a" occurs twice`},
		{"empty", "0 bytes: want at least 8"},
		{"seven_bytes", "7 bytes: want at least 8"},
	}
	for _, test := range tests {
		path := filepath.Join("testdata", test.file+".safetensors")
		f, err := Open(path)
		if test.want == "" {
			if err != nil {
				t.Errorf("%s: %v", test.file, err)
				continue
			}
			if diff := cmp.Diff([]string{"a.bias", "a.weight"}, f.Names()); diff != "" {
				t.Errorf("%s: names (-want +got):\n%s", test.file, diff)
			}
			if err := f.Close(); err != nil {
				t.Errorf("%s: close: %v", test.file, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one with %q and the file's name", test.file, err, test.want)
		}
	}
}

// TestRoundTrip writes every type and shape and reads it again.
func TestRoundTrip(t *testing.T) {
	var tensors []Tensor
	for d := range dtypes[1:] {
		dtype := DType(d + 1)
		tensors = append(tensors, Tensor{Name: "x." + dtype.String(), DType: dtype, Shape: []int{3, 1}, Data: bytes.Repeat([]byte{byte(d)}, 3*dtype.Size())})
	}
	tensors = append(tensors, Tensor{Name: "scalar", DType: F32, Shape: []int{}, Data: make([]byte, 4)},
		Tensor{Name: "none", DType: F64, Shape: []int{4, 0, 2}, Data: []byte{}})
	path := filepath.Join(t.TempDir(), "f.safetensors")
	if err := Save(path, tensors, map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range tensors {
		got, err := f.Tensor(want.Name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Name, diff)
		}
	}
	if diff := cmp.Diff(map[string]string{"format": "pt"}, f.Metadata()); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if _, err := f.Tensor("y"); err == nil || !strings.Contains(err.Error(), "it has none, scalar, x.BF16") || !strings.Contains(err.Error(), "and 7 more") {
		t.Errorf("missing tensor: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestSaveErrors leaves nothing behind.
func TestSaveErrors(t *testing.T) {
	dir := t.TempDir()
	for name, tensors := range map[string][]Tensor{
		"short data": {{Name: "a", DType: F32, Shape: []int{2}, Data: make([]byte, 7)}},
		"no type":    {{Name: "a", Shape: []int{}}},
		"twice":      {{Name: "a", DType: U8, Shape: []int{1}, Data: []byte{1}}, {Name: "a", DType: U8, Shape: []int{1}, Data: []byte{1}}},
		"not UTF-8":  {{Name: "a\xff", DType: U8, Shape: []int{1}, Data: []byte{1}}},
		"negative":   {{Name: "a", DType: U8, Shape: []int{-1, -1}, Data: []byte{1}}},
	} {
		if err := Save(filepath.Join(dir, "f"), tensors, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := Save(filepath.Join(dir, "no", "such", "folder"), nil, nil); err == nil {
		t.Error("a missing folder: no error")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestParseNull: null is no number.
func TestParseNull(t *testing.T) {
	for _, header := range []string{
		`{"a":{"dtype":"U8","shape":[null],"data_offsets":[0,0]}}`,
		`{"a":{"dtype":"U8","shape":null,"data_offsets":[0,0]}}`,
		`{"a":{"dtype":null,"shape":[0],"data_offsets":[0,0]}}`,
		`{"a":{"dtype":"U8","shape":[0],"data_offsets":null}}`,
		`{"a":null}`,
	} {
		if _, err := Parse("f", append([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0}, header...)); err == nil {
			t.Errorf("%s: no error", header)
		}
	}
}

func TestFloat32s(t *testing.T) {
	for _, test := range []struct {
		dtype DType
		data  []byte
		want  []float32
	}{
		{F32, []byte{0, 0, 0x80, 0x3f}, []float32{1}},
		{F64, []byte{0, 0, 0, 0, 0, 0, 0, 0xc0}, []float32{-2}},
		{BF16, []byte{0x80, 0x3f, 0x80, 0xff}, []float32{1, float32(math.Inf(-1))}},
		{F16, []byte{0, 0x3c, 1, 0, 0xff, 0xfb, 0, 0x7c, 0, 0x80}, []float32{1, 0x1p-24, -65504, float32(math.Inf(1)), 0}},
	} {
		got, err := Tensor{Name: "a", DType: test.dtype, Shape: []int{len(test.want)}, Data: test.data}.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.dtype, diff)
		}
	}
	if _, err := (Tensor{Name: "a", DType: I32, Shape: []int{1}, Data: make([]byte, 4)}).Float32s(); err == nil {
		t.Error("integers: no error")
	}
	if v := fromFloat16(0x7e01); v == v {
		t.Errorf("a NaN becomes %v", v)
	}
}

// FuzzParse: what is accepted keeps its promises.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.safetensors")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("fuzz", data)
		if err != nil {
			return
		}
		total := 0
		for _, name := range file.Names() {
			tensor, err := file.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := tensor.check(); err != nil {
				t.Fatal(err)
			}
			total += len(tensor.Data)
		}
		if total > len(data)-8 {
			t.Fatalf("tensors of %d bytes in a file of %d", total, len(data))
		}
	})
}
