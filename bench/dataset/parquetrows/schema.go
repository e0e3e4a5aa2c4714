package parquetrows

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// columns are the leaf columns that a row is read from, by their number in the file;
// none is -1.
type columns struct {
	prompt, role, image, id, language int
}

// places are where the parts of a row may be, the preferred place first. A place is a
// path without the levels that list encodings add ("list", "element", "item", "array").
var (
	promptPlaces = []string{"conversation.content", "turns.content", "conversations.value", "prompt", "question"}
	rolePlaces   = []string{"conversation.role", "turns.role", "conversations.from"}
	imagePlaces  = []string{"images.bytes", "image.bytes", "images", "image"}
	idPlaces     = []string{"conversation_id", "question_id", "id"}
)

const wantedColumns = "conversation[][].content, turns[][].content, conversations[].value, prompt or question (text), and images[].bytes or image.bytes (binary)"

// findColumns finds the columns of a schema. An error lists those that there are.
func findColumns(schema *parquet.Schema) (columns, error) {
	byPlace := map[string]int{}
	var found []string
	for i, path := range schema.Columns() {
		leaf, ok := schema.Lookup(path...)
		if !ok {
			continue
		}
		place := place(path)
		found = append(found, place)
		if leaf.Node.Type().Kind() != parquet.ByteArray {
			continue
		}
		if _, again := byPlace[place]; !again {
			byPlace[place] = i
		}
	}
	first := func(places []string) int {
		for _, p := range places {
			if i, ok := byPlace[p]; ok {
				return i
			}
		}
		return -1
	}
	c := columns{prompt: first(promptPlaces), image: first(imagePlaces), id: first(idPlaces), language: first([]string{"language"}), role: -1}
	if c.prompt < 0 || c.image < 0 {
		return c, fmt.Errorf("its columns are %s; wanted are %s", list(found), wantedColumns)
	}
	prompt := place(schema.Columns()[c.prompt])
	for _, role := range rolePlaces { // of the same list as the prompt
		if i, ok := byPlace[role]; ok && parent(role) == parent(prompt) {
			c.role = i
		}
	}
	return c, nil
}

// place is the path of a column without the levels of list encodings.
func place(path []string) string {
	kept := slices.DeleteFunc(slices.Clone(path), func(name string) bool {
		return name == "list" || name == "element" || name == "item" || name == "array"
	})
	return strings.Join(kept, ".")
}

func parent(place string) string {
	before, _, _ := strings.Cut(place, ".")
	return before
}

// list is names for an error, not too many.
func list(names []string) string {
	const most = 40
	if len(names) == 0 {
		return "none"
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
