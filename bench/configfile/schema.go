package configfile

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"
)

// WriteSchema writes the JSON Schema of experiment files.
func WriteSchema(w io.Writer) error {
	schema, err := jsonschema.For[File](&jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[Rate](): {AnyOf: []*jsonschema.Schema{{Type: "number"}, {Const: jsonschema.Ptr[any]("inf")}}},
		reflect.TypeFor[Size](): {AnyOf: []*jsonschema.Schema{{Type: "integer"}, {Type: "string"}}},
	}})
	if err != nil {
		return fmt.Errorf("schema of experiment files: %w", err)
	}
	schema.Schema = "https://json-schema.org/draft/2020-12/schema"
	schema.Title = "siglab experiment"
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(schema)
}
