package configfile

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/google/jsonschema-go/jsonschema"
)

// WriteSchema writes the JSON Schema of experiment files.
func WriteSchema(w io.Writer) error {
	schema, err := jsonschema.For[File](nil)
	if err != nil {
		return fmt.Errorf("schema of experiment files: %w", err)
	}
	schema.Schema = "https://json-schema.org/draft/2020-12/schema"
	schema.Title = "siglab experiment"
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(schema)
}
