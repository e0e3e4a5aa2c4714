package arrival

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Format is how a file holds arrivals, one per line.
type Format int

// The formats of Read.
const (
	JSONL Format = iota // one JSON object a line
	CSV                 // a header line that names the columns, then one record a line
)

// Column names the field of a line that holds its arrival.
type Column struct {
	Name string
	Unit time.Duration // of its numbers: time.Second, time.Millisecond, …
	// FromFirst counts from the first arrival: for traces that hold times of day.
	FromFirst bool
}

// columns are those that Read finds by itself; their names tell their units.
var columns = []Column{
	{Name: "offset_ns", Unit: time.Nanosecond},
	{Name: "offset_us", Unit: time.Microsecond},
	{Name: "offset_ms", Unit: time.Millisecond},
	{Name: "offset_s", Unit: time.Second},
}

// longestLine bounds a line of a file, in bytes.
const longestLine = 16 << 20

// Read reads a schedule: a frozen one that Write wrote, or another's trace. A zero
// column takes the first of offset_ns, offset_us, offset_ms and offset_s that the
// first line has; a trace of another tool is read by naming its column and unit.
// Other fields are left alone, blank lines skipped. Arrivals must ascend: a trace
// that does not is refused rather than sorted, since its lines are requests.
func Read(r io.Reader, format Format, column Column) ([]time.Duration, error) {
	var next func() (map[string]string, error)
	switch format {
	case CSV:
		next = csvLines(r)
	default:
		next = jsonLines(r)
	}
	var offsets []time.Duration
	for line := 1; ; line++ {
		fields, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("schedule: arrival %d: %w", line, err)
		}
		if column.Name == "" {
			if column, err = findColumn(fields); err != nil {
				return nil, err
			}
		}
		at, err := parseOffset(fields, column)
		if err != nil {
			return nil, fmt.Errorf("schedule: arrival %d: %w", line, err)
		}
		if len(offsets) == most {
			return nil, fmt.Errorf("schedule: more than %d arrivals", most)
		}
		offsets = append(offsets, at)
	}
	return settle(offsets, column)
}

// settle checks a schedule as a whole.
func settle(offsets []time.Duration, column Column) ([]time.Duration, error) {
	if len(offsets) == 0 {
		return nil, errors.New("schedule: the file holds no arrival")
	}
	if column.FromFirst {
		first := offsets[0]
		for i := range offsets {
			offsets[i] -= first
		}
	}
	for i, at := range offsets {
		switch {
		case at < 0 && i == 0:
			return nil, fmt.Errorf("schedule: the first arrival is at %v, before the start", at)
		case i > 0 && at < offsets[i-1]:
			return nil, fmt.Errorf("schedule: arrival %d at %v comes before arrival %d at %v; sort the file by time", i+1, at, i, offsets[i-1])
		case at > math.MaxInt64/2:
			return nil, fmt.Errorf("schedule: arrival %d is %v after the start; count from the first arrival, or check the unit", i+1, at)
		}
	}
	return offsets, nil
}

func findColumn(fields map[string]string) (Column, error) {
	var names []string
	for _, c := range columns {
		if _, ok := fields[c.Name]; ok {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Column{}, fmt.Errorf("schedule: no field %s; name the one that holds the arrivals, and its unit", strings.Join(names, ", "))
}

// parseOffset reads a decimal number of units, rounded to the nanosecond without
// passing through a float64, which cannot hold a time of day that exactly.
func parseOffset(fields map[string]string, column Column) (time.Duration, error) {
	text, ok := fields[column.Name]
	if !ok {
		return 0, fmt.Errorf("it has no field %q", column.Name)
	}
	text = strings.TrimSpace(text)
	// The exponent is bounded first: a rational number writes it out.
	const longest = 40
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	value, ok := new(big.Rat).SetString(text)
	if len(mantissa) > longest || len(exponent) > 3 || strings.ContainsAny(text, "/_xXpP") || !ok {
		return 0, fmt.Errorf("%q: %.60q is not a decimal number", column.Name, text)
	}
	value.Mul(value, new(big.Rat).SetInt64(int64(column.Unit)))
	ns, _ := value.Float64()
	if math.Abs(ns) > math.MaxInt64/2 {
		return 0, fmt.Errorf("%q: %.60s is more than a duration can hold", column.Name, text)
	}
	half := big.NewRat(1, 2)
	value.Add(value, half)
	whole := new(big.Int).Div(value.Num(), value.Denom()) // rounds down
	return time.Duration(whole.Int64()), nil
}

// jsonLines yields the top-level numbers and strings of each line's object.
func jsonLines(r io.Reader) func() (map[string]string, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), longestLine)
	return func() (map[string]string, error) {
		for lines.Scan() {
			line := bytes.TrimSpace(lines.Bytes())
			if len(line) == 0 {
				continue
			}
			var object map[string]json.RawMessage
			if err := json.Unmarshal(line, &object); err != nil {
				return nil, fmt.Errorf("%.60q is not a JSON object: %w", line, err)
			}
			fields := make(map[string]string, len(object))
			for name, value := range object {
				fields[name] = strings.Trim(string(value), `"`)
			}
			return fields, nil
		}
		if err := lines.Err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
}

// csvLines yields the records of a CSV file by the names in its header.
func csvLines(r io.Reader) func() (map[string]string, error) {
	in := csv.NewReader(&boundedReader{r: r, left: most * 1024})
	in.ReuseRecord, in.TrimLeadingSpace = true, true
	var header []string
	return func() (map[string]string, error) {
		if header == nil {
			record, err := in.Read()
			if err != nil {
				return nil, err
			}
			header = slices.Clone(record)
			header[0] = strings.TrimPrefix(header[0], "\ufeff")
		}
		record, err := in.Read()
		if err != nil {
			return nil, err
		}
		fields := make(map[string]string, len(header))
		for i, name := range header {
			fields[strings.TrimSpace(name)] = record[i]
		}
		return fields, nil
	}
}

// boundedReader ends with an error after left bytes, so that a quote that is never
// closed cannot fill the memory.
type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the file is too long")
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// Write freezes a schedule as JSONL: a line {"offset_ns":N} for each arrival. Read
// gives it back exactly.
func Write(w io.Writer, offsets []time.Duration) error {
	out := bufio.NewWriter(w)
	for _, at := range offsets {
		if _, err := fmt.Fprintf(out, "{\"offset_ns\":%d}\n", at.Nanoseconds()); err != nil {
			return fmt.Errorf("freeze the schedule: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("freeze the schedule: %w", err)
	}
	return nil
}
