package vllmbench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// object is a JSON object whose keys keep their order, encoded as Python's
// json.dump does: blanks after separators, and floats that show that they are.
type object struct{ fields []field }

type field struct {
	key   string
	value any // nil, string, int, float64, or a slice of those
}

func (o *object) add(key string, value any) { o.fields = append(o.fields, field{key, value}) }

// encode returns the object on one line.
func (o *object) encode() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range o.fields {
		if i > 0 {
			b.WriteString(", ")
		}
		if err := encodeValue(&b, f.key); err != nil {
			return nil, err
		}
		b.WriteString(": ")
		if err := encodeValue(&b, f.value); err != nil {
			return nil, fmt.Errorf("key %s: %w", f.key, err)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encodeValue writes one value.
func encodeValue(b *bytes.Buffer, value any) error {
	switch v := value.(type) {
	case float64:
		b.WriteString(pythonFloat(v))
	case []int:
		return encodeList(b, v)
	case []float64:
		return encodeList(b, v)
	case []string:
		return encodeList(b, v)
	case [][]float64:
		return encodeList(b, v)
	case []RateChange:
		return encodeList(b, v)
	case RateChange:
		encoded, err := v.object().encode()
		b.Write(encoded)
		return err
	default:
		encoded, err := json.Marshal(v)
		if err != nil {
			return err
		}
		b.Write(encoded)
	}
	return nil
}

// encodeList writes a list.
func encodeList[T any](b *bytes.Buffer, list []T) error {
	b.WriteByte('[')
	for i, v := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		if err := encodeValue(b, v); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	return nil
}

// pythonFloat prints v as Python's repr does: the shortest digits that give it back,
// with a point or an exponent. JSON has no word for NaN and infinity; they become
// null.
func pythonFloat(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "null"
	}
	scientific := strconv.FormatFloat(v, 'e', -1, 64)
	_, exponent, _ := strings.Cut(scientific, "e")
	if e, err := strconv.Atoi(exponent); err != nil || e < -4 || e >= 16 {
		return scientific
	}
	plain := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(plain, ".") {
		plain += ".0"
	}
	return plain
}
