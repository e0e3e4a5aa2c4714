package weights

import (
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParseIndex: whatever an index says, its shards are inside of the directory.
func FuzzParseIndex(f *testing.F) {
	for _, data := range []string{
		`{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}`,
		`{"weight_map": {"a": "../secret"}}`, `{"weight_map": {"a": ""}}`, `{"weight_map": null}`, `{"weight_map": {"a": "sub/x"}}`,
	} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		shards, err := parseIndex(data)
		if err != nil {
			return
		}
		for shard := range shards {
			if joined := filepath.Join("dir", shard); !strings.HasPrefix(joined, "dir"+string(filepath.Separator)) && joined != "dir" {
				t.Errorf("shard %q is %s", shard, joined)
			}
		}
	})
}
