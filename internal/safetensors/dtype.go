package safetensors

import (
	"fmt"
	"slices"
	"strings"
)

// DType is the type of a tensor's values. The zero value is none.
type DType uint8

// The types whose values are whole bytes, by their names in the format.
const (
	F64 DType = iota + 1
	F32
	F16
	BF16
	I64
	I32
	I16
	I8
	U64
	U32
	U16
	U8
	Bool
	F8E4M3
	F8E5M2
)

// dtypes are the names and sizes in bytes by type.
var dtypes = []struct {
	name string
	size int
}{
	F64: {"F64", 8}, F32: {"F32", 4}, F16: {"F16", 2}, BF16: {"BF16", 2},
	I64: {"I64", 8}, I32: {"I32", 4}, I16: {"I16", 2}, I8: {"I8", 1},
	U64: {"U64", 8}, U32: {"U32", 4}, U16: {"U16", 2}, U8: {"U8", 1},
	Bool: {"BOOL", 1}, F8E4M3: {"F8_E4M3", 1}, F8E5M2: {"F8_E5M2", 1},
}

// ParseDType reads the name that String writes.
func ParseDType(name string) (DType, error) {
	for d, t := range dtypes {
		if t.size > 0 && t.name == name {
			return DType(d), nil
		}
	}
	var known []string
	for _, t := range dtypes[1:] {
		known = append(known, t.name)
	}
	slices.Sort(known)
	return 0, fmt.Errorf("unknown dtype %q: want one of %s", name, strings.Join(known, ", "))
}

// String is the type's name in the format, such as "BF16".
func (d DType) String() string {
	if d == 0 || int(d) >= len(dtypes) {
		return fmt.Sprintf("DType(%d)", uint8(d))
	}
	return dtypes[d].name
}

// Size is the length of a value in bytes, 0 if there is no such type.
func (d DType) Size() int {
	if int(d) >= len(dtypes) {
		return 0
	}
	return dtypes[d].size
}
