package pipeline

import "fmt"

// maxID bounds ids, and with them the memory of tables by id. Gemma 3 has
// 262,208 tokens.
const maxID = 1<<22 - 1

// vocabulary maps a model's tokens to ids and back.
type vocabulary struct {
	ids    map[string]int32
	tokens []string // by id, "" where there is none
	count  int
	empty  int // id of the token "", -1 where there is none
}

// newVocabulary checks that ids are in range and unique.
func newVocabulary(ids map[string]int) (vocabulary, error) {
	v := vocabulary{ids: make(map[string]int32, len(ids)), count: len(ids), empty: -1}
	top := -1
	for token, id := range ids {
		if id < 0 || id > maxID {
			return v, fmt.Errorf("token %.40q has id %d, which is not in 0 … %d", token, id, maxID)
		}
		top = max(top, id)
	}
	v.tokens = make([]string, top+1)
	for token, id := range ids {
		v.ids[token] = int32(id)
		if other := v.tokens[id]; other != "" || v.empty == id {
			return v, fmt.Errorf("tokens %.40q and %.40q have one id, %d", min(other, token), max(other, token), id)
		}
		v.tokens[id] = token
		if token == "" {
			v.empty = id
		}
	}
	return v, nil
}

func (v *vocabulary) id(token string) (int, bool) {
	id, ok := v.ids[token]
	return int(id), ok
}

func (v *vocabulary) token(id int) (string, bool) {
	if id < 0 || id >= len(v.tokens) || v.tokens[id] == "" && id != v.empty {
		return "", false
	}
	return v.tokens[id], true
}

func (v *vocabulary) size() int { return v.count }

func (v *vocabulary) highest() int { return len(v.tokens) - 1 }
