package posembedtest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"siglab/posembed"
)

// tensor is one array of the golden file, row-major, widened.
type tensor struct {
	shape  []int
	values []float64
}

// readTensors reads a safetensors file: the length of a JSON header in 8 bytes,
// the header, the data it points into.
func readTensors(file string) (map[string]tensor, error) {
	if len(file) < 8 {
		return nil, fmt.Errorf("golden file: %d bytes, too short", len(file))
	}
	length := binary.LittleEndian.Uint64([]byte(file[:8]))
	if length > uint64(len(file)-8) {
		return nil, fmt.Errorf("golden file: header of %d bytes in a file of %d", length, len(file))
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal([]byte(file[8:8+length]), &header); err != nil {
		return nil, fmt.Errorf("golden file: header: %w", err)
	}
	data := []byte(file[8+length:])
	tensors := make(map[string]tensor, len(header))
	for name, raw := range header {
		if name == "__metadata__" {
			continue
		}
		t, err := readTensor(raw, data)
		if err != nil {
			return nil, fmt.Errorf("golden file: tensor %q: %w", name, err)
		}
		tensors[name] = t
	}
	return tensors, nil
}

// readTensor reads one header entry and the data that it points to.
func readTensor(raw json.RawMessage, data []byte) (tensor, error) {
	var entry struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(raw, &entry); err != nil {
		return tensor{}, err
	}
	begin, end := entry.Offsets[0], entry.Offsets[1]
	if begin < 0 || begin > end || end > len(data) {
		return tensor{}, fmt.Errorf("offsets %d to %d in %d bytes", begin, end, len(data))
	}
	t := tensor{shape: entry.Shape}
	for data = data[begin:end]; len(data) > 0; {
		switch entry.DType {
		case "F64":
			t.values = append(t.values, math.Float64frombits(binary.LittleEndian.Uint64(data)))
			data = data[8:]
		case "F32":
			t.values = append(t.values, float64(math.Float32frombits(binary.LittleEndian.Uint32(data))))
			data = data[4:]
		case "BF16":
			t.values = append(t.values, float64(posembed.BFloat16(binary.LittleEndian.Uint16(data)).Float32()))
			data = data[2:]
		default:
			return tensor{}, fmt.Errorf("type %s", entry.DType)
		}
	}
	return t, nil
}
