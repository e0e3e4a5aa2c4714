// Package safetensors reads and writes files of named arrays in the safetensors
// format, version 0.8: the length of a JSON header in 8 bytes, little-endian; the
// header, which maps names to type, shape and place; the data, row-major and
// little-endian.
//
// A file is checked completely before any of its data can be had: lengths, types,
// shapes, that every tensor has the bytes that it needs, and that the tensors cover
// the data without holes or overlaps, as the reference library demands.
//
// # Deviations from the reference library
//
// A name that occurs twice is refused, not taken from its last occurrence, and so are
// shapes of no values whose sides overflow, and types of less than a byte. JSON is
// read as encoding/json reads it, which takes field names in capitals, too.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxHeader is the longest header that the reference library accepts, in bytes.
const maxHeader = 100_000_000

// File is a file whose header has been checked. It may be used by several
// goroutines at once until it is closed.
type File struct {
	name     string
	tensors  map[string]Tensor
	metadata map[string]string
	release  func() error
	mapped   bool
}

// Tensor is one array. Data is what the file holds, which may begin at any address.
type Tensor struct {
	Name  string
	DType DType
	Shape []int  // of a scalar, empty
	Data  []byte // row-major, little-endian
}

// Open maps a file into memory and checks it. Tensors are valid until Close; the
// file must not be written meanwhile.
func Open(path string) (*File, error) {
	data, release, err := mapFile(path)
	if err != nil {
		return nil, fmt.Errorf("open safetensors file: %w", err)
	}
	f, err := Parse(path, data)
	if err != nil {
		return nil, errors.Join(err, release())
	}
	f.release, f.mapped = release, true
	return f, nil
}

// Parse checks a file that is in memory already; name is what errors call it.
func Parse(name string, data []byte) (*File, error) {
	f := &File{name: name, tensors: map[string]Tensor{}, release: func() error { return nil }}
	if err := f.parse(data); err != nil {
		return nil, fmt.Errorf("safetensors file %s: %w", name, err)
	}
	return f, nil
}

// Close ends the use of the file and of all its tensors.
func (f *File) Close() error { return f.release() }

// Forget tells the operating system that a tensor of this file will not be read again
// soon: what a large file takes of memory can then be given back while it is read.
func (f *File) Forget(t Tensor) {
	if f.mapped {
		forget(t.Data)
	}
}

// Names lists the tensors in alphabetical order.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.tensors)) }

// Metadata is the header's __metadata__, nil if it has none.
func (f *File) Metadata() map[string]string { return f.metadata }

// Tensor finds a tensor. The error of a missing one names some that are there.
func (f *File) Tensor(name string) (Tensor, error) {
	if t, ok := f.tensors[name]; ok {
		return t, nil
	}
	names := f.Names()
	const most = 10
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	return Tensor{}, fmt.Errorf("safetensors file %s has no tensor %q: it has %s%s", f.name, name, strings.Join(names, ", "), more)
}

// entry is a tensor in the header. Pointers tell what is missing.
type entry struct {
	DType   *string    `json:"dtype"`
	Shape   *[]*uint64 `json:"shape"`
	Offsets []uint64   `json:"data_offsets"`
}

// parse reads the header and checks it against the length of the data.
func (f *File) parse(file []byte) error {
	if len(file) < 8 {
		return fmt.Errorf("%d bytes: want at least 8, the length of the header", len(file))
	}
	length := binary.LittleEndian.Uint64(file)
	if length > maxHeader {
		return fmt.Errorf("header of %d bytes: want at most %d", length, maxHeader)
	}
	if length > uint64(len(file)-8) {
		return fmt.Errorf("header of %d bytes in a file of %d", length, len(file))
	}
	header, data := file[8:8+length], file[8+length:]
	if !utf8.Valid(header) {
		return errors.New("the header is not UTF-8")
	}
	entries, err := f.readHeader(header)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	for name, e := range entries {
		if f.tensors[name], err = e.tensor(name, data); err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
	}
	return checkCover(entries, uint64(len(data)))
}

// readHeader reads the JSON object and refuses names that occur twice.
func (f *File) readHeader(header []byte) (map[string]entry, error) {
	dec := json.NewDecoder(bytes.NewReader(header))
	if token, err := dec.Token(); err != nil {
		return nil, err
	} else if token != json.Delim('{') {
		return nil, fmt.Errorf("want an object, not %v", token)
	}
	entries := map[string]entry{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string) // the decoder takes nothing else for a key
		if _, twice := entries[name]; twice || name == "__metadata__" && f.metadata != nil {
			return nil, fmt.Errorf("%q occurs twice", name)
		}
		if name == "__metadata__" {
			f.metadata = map[string]string{}
			err = dec.Decode(&f.metadata)
		} else {
			var e entry
			err = dec.Decode(&e)
			entries[name] = e
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return nil, err
	}
	if rest := bytes.TrimSpace(header[dec.InputOffset():]); len(rest) > 0 {
		return nil, fmt.Errorf("%d bytes behind the object", len(rest))
	}
	return entries, nil
}

// tensor checks one entry and cuts its data out.
func (e entry) tensor(name string, data []byte) (Tensor, error) {
	switch {
	case e.DType == nil:
		return Tensor{}, errors.New("no dtype")
	case e.Shape == nil:
		return Tensor{}, errors.New("no shape")
	case len(e.Offsets) != 2:
		return Tensor{}, fmt.Errorf("data_offsets %v: want begin and end", e.Offsets)
	}
	dtype, err := ParseDType(*e.DType)
	if err != nil {
		return Tensor{}, err
	}
	begin, end := e.Offsets[0], e.Offsets[1]
	if begin > end || end > uint64(len(data)) {
		return Tensor{}, fmt.Errorf("data_offsets [%d, %d] in %d bytes of data", begin, end, len(data))
	}
	t := Tensor{Name: name, DType: dtype, Shape: make([]int, len(*e.Shape)), Data: data[begin:end:end]}
	for i, n := range *e.Shape {
		switch {
		case n == nil:
			return Tensor{}, fmt.Errorf("side %d of the shape is null", i)
		case *n > math.MaxInt:
			return Tensor{}, fmt.Errorf("side %d of the shape, %d, is larger than the address space", i, *n)
		}
		t.Shape[i] = int(*n)
	}
	return t, t.check()
}

// check reports whether the tensor has the bytes that its shape and type need.
func (t Tensor) check() error {
	size := t.DType.Size()
	if size == 0 {
		return fmt.Errorf("type %v", t.DType)
	}
	want, empty := size, false
	for _, n := range t.Shape {
		switch {
		case n < 0:
			return fmt.Errorf("shape %v has a negative side", t.Shape)
		case n == 0:
			empty = true
		case want > math.MaxInt/n:
			return fmt.Errorf("shape %v of %v is larger than the address space", t.Shape, t.DType)
		default:
			want *= n
		}
	}
	if empty {
		want = 0
	}
	if len(t.Data) != want {
		return fmt.Errorf("%d bytes: shape %v of %v needs %d", len(t.Data), t.Shape, t.DType, want)
	}
	return nil
}

// checkCover reports whether the tensors cover the data without holes or overlaps.
func checkCover(entries map[string]entry, length uint64) error {
	names := slices.SortedFunc(maps.Keys(entries), func(a, b string) int {
		return slices.Compare(entries[a].Offsets, entries[b].Offsets)
	})
	covered := uint64(0)
	for _, name := range names {
		if begin := entries[name].Offsets[0]; begin != covered {
			return fmt.Errorf("tensor %q begins at byte %d of the data: want %d, where the one before it ends", name, begin, covered)
		}
		covered = entries[name].Offsets[1]
	}
	if covered != length {
		return fmt.Errorf("tensors end at byte %d of %d bytes of data: the file is truncated or has more than its header says", covered, length)
	}
	return nil
}

// NewF32 is a tensor of type F32 with a copy of the given values.
func NewF32(name string, values []float32, shape ...int) Tensor {
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return Tensor{Name: name, DType: F32, Shape: shape, Data: data}
}

// Len is the number of values.
func (t Tensor) Len() int {
	if t.DType.Size() == 0 {
		return 0
	}
	return len(t.Data) / t.DType.Size()
}

// Float32s is a copy of the values of a floating-point tensor as float32: exact for
// F16 and BF16, rounded for F64.
func (t Tensor) Float32s() ([]float32, error) {
	values := make([]float32, t.Len())
	switch t.DType {
	case F32:
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
		}
	case F64:
		for i := range values {
			values[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(t.Data[8*i:])))
		}
	case BF16:
		for i := range values {
			values[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(t.Data[2*i:])) << 16)
		}
	case F16:
		for i := range values {
			values[i] = fromFloat16(binary.LittleEndian.Uint16(t.Data[2*i:]))
		}
	default:
		return nil, fmt.Errorf("tensor %q is %v: want F64, F32, F16 or BF16", t.Name, t.DType)
	}
	return values, nil
}

// fromFloat16 widens an IEEE 754 binary16: the exponent and fraction are those of a
// float32 whose exponent is 112 too small, which a multiplication mends, but for
// infinities and NaNs.
func fromFloat16(h uint16) float32 {
	sign, magnitude := uint32(h&0x8000)<<16, uint32(h&0x7fff)<<13
	if magnitude >= 0x7c00<<13 {
		return math.Float32frombits(sign | magnitude | 0xff<<23)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(magnitude)*0x1p112))
}

// Save writes a file, its header padded so that the data is aligned to 8 bytes. It
// appears complete or not at all. metadata may be nil.
func Save(path string, tensors []Tensor, metadata map[string]string) error {
	header, order, err := makeHeader(tensors, metadata)
	if err != nil {
		return fmt.Errorf("write safetensors file %s: %w", path, err)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".safetensors-*")
	if err != nil {
		return fmt.Errorf("write safetensors file %s: %w", path, err)
	}
	write := func() error {
		if _, err := temp.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))); err != nil {
			return err
		}
		if _, err := temp.Write(header); err != nil {
			return err
		}
		for _, i := range order {
			if _, err := temp.Write(tensors[i].Data); err != nil {
				return err
			}
		}
		if err := temp.Chmod(0o644); err != nil {
			return err
		}
		return temp.Sync()
	}
	err = errors.Join(write(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write safetensors file %s: %w", path, errors.Join(err, os.Remove(temp.Name())))
	}
	return nil
}

// makeHeader is the header of the tensors and the order of their data: as in the
// reference library the types with the most bytes first, so that all are aligned.
func makeHeader(tensors []Tensor, metadata map[string]string) (header []byte, order []int, err error) {
	entries := map[string]any{}
	if metadata != nil {
		entries["__metadata__"] = metadata
	}
	for i, t := range tensors {
		if err := t.check(); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if _, twice := entries[t.Name]; twice || t.Name == "__metadata__" || !utf8.ValidString(t.Name) {
			return nil, nil, fmt.Errorf("tensor %q: the name occurs twice, is reserved or is not UTF-8", t.Name)
		}
		entries[t.Name] = nil
		order = append(order, i)
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := tensors[i], tensors[j]
		if d := b.DType.Size() - a.DType.Size(); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	begin := uint64(0)
	for _, i := range order {
		t := tensors[i]
		end := begin + uint64(len(t.Data))
		dtype, shape := t.DType.String(), make([]*uint64, len(t.Shape))
		for k, n := range t.Shape {
			side := uint64(n)
			shape[k] = &side
		}
		entries[t.Name] = entry{DType: &dtype, Shape: &shape, Offsets: []uint64{begin, end}}
		begin = end
	}
	if header, err = json.Marshal(entries); err != nil {
		return nil, nil, err
	}
	for len(header)%8 != 0 {
		header = append(header, ' ')
	}
	return header, order, nil
}
