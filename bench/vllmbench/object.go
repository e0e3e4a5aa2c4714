package vllmbench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
)

// object is a JSON object whose keys keep their order, encoded as Python's
// json.dump does: blanks after separators, and floats that show that they are.
type object struct{ fields []field }

type field struct {
	key   string
	value any // nil, string, int, float64, or a slice of those
}

func (o *object) add(key string, value any) { o.fields = append(o.fields, field{key, value}) }

// writeTo writes the object on one line. A detailed result of a long run is large, so
// it is never whole in memory.
func (o *object) writeTo(w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<16)
	if err := o.encode(b); err != nil {
		return err
	}
	return b.Flush()
}

// encode writes the object; what fails to be written shows when b is flushed.
func (o *object) encode(b *bufio.Writer) error {
	_ = b.WriteByte('{')
	for i, f := range o.fields {
		if i > 0 {
			_, _ = b.WriteString(", ")
		}
		if err := encodeValue(b, f.key); err != nil {
			return err
		}
		_, _ = b.WriteString(": ")
		if err := encodeValue(b, f.value); err != nil {
			return fmt.Errorf("key %s: %w", f.key, err)
		}
	}
	return b.WriteByte('}')
}

// encodeValue writes one value.
func encodeValue(b *bufio.Writer, value any) error {
	switch v := value.(type) {
	case float64:
		_, err := b.Write(appendFloat(b.AvailableBuffer(), v))
		return err
	case []int:
		return encodeList(b, v)
	case []float64:
		return encodeFloats(b, v)
	case []string:
		return encodeList(b, v)
	case [][]float64:
		return encodeList(b, v)
	case []RateChange:
		return encodeList(b, v)
	case RateChange:
		return v.object().encode(b)
	default:
		encoded, err := json.Marshal(v)
		if err != nil {
			return err
		}
		_, err = b.Write(encoded)
		return err
	}
}

// encodeList writes a list.
func encodeList[T any](b *bufio.Writer, list []T) error {
	_ = b.WriteByte('[')
	for i, v := range list {
		if i > 0 {
			_, _ = b.WriteString(", ")
		}
		if err := encodeValue(b, v); err != nil {
			return err
		}
	}
	return b.WriteByte(']')
}

// encodeFloats is encodeList for the lists that have a number per token.
func encodeFloats(b *bufio.Writer, list []float64) error {
	_ = b.WriteByte('[')
	for i, v := range list {
		if i > 0 {
			_, _ = b.WriteString(", ")
		}
		_, _ = b.Write(appendFloat(b.AvailableBuffer(), v))
	}
	return b.WriteByte(']')
}

// appendFloat writes v as Python's repr does: the shortest digits that give it back,
// with a point or an exponent. JSON has no word for NaN and infinity; they become
// null.
func appendFloat(to []byte, v float64) []byte {
	size := math.Abs(v)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return append(to, "null"...)
	case size != 0 && (size < 1e-4 || size >= 1e16):
		return strconv.AppendFloat(to, v, 'e', -1, 64)
	}
	start := len(to)
	to = strconv.AppendFloat(to, v, 'f', -1, 64)
	if bytes.IndexByte(to[start:], '.') < 0 {
		to = append(to, ".0"...)
	}
	return to
}
