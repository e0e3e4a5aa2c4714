package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"siglab/engine/tokenizer/pipeline"
)

// Bounds of the files of a model directory, in bytes. The largest published
// tokenizer.json has some 35 MB.
const (
	maxVocabularyFile = 128 << 20
	maxConfigFile     = 16 << 20
)

// directory reads the files of a model.
type directory string

// read returns the content of a file, nil when there is none.
func (d directory) read(name string, limit int64) ([]byte, error) {
	f, err := os.Open(filepath.Join(string(d), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return nil, fmt.Errorf("%s: it is not a file that can be read", f.Name())
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: it is larger than %d MB", f.Name(), limit>>20)
	}
	if data == nil {
		data = []byte{}
	}
	return data, nil
}

// decode reads a JSON file into v and does nothing when there is none.
func (d directory) decode(name string, v any) error {
	data, err := d.read(name, maxConfigFile)
	if err != nil || data == nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(string(d), name), err)
	}
	return nil
}

// tokenName is the spelling of a token: a string, or an object with content.
type tokenName string

func (t *tokenName) UnmarshalJSON(data []byte) error {
	var object struct{ Content string }
	if len(data) > 0 && data[0] == '{' {
		err := json.Unmarshal(data, &object)
		*t = tokenName(object.Content)
		return err
	}
	return json.Unmarshal(data, (*string)(t))
}

// tokenIDs is an id, a list of ids, or null.
type tokenIDs []int

func (t *tokenIDs) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, (*[]int)(t))
	}
	var id *int
	if err := json.Unmarshal(data, &id); err != nil {
		return err
	}
	*t = nil
	if id != nil {
		*t = tokenIDs{*id}
	}
	return nil
}

// tokenNames is a list of tokens, or an object from roles to tokens.
type tokenNames map[string]tokenName

func (t *tokenNames) UnmarshalJSON(data []byte) error {
	*t = tokenNames{}
	if len(data) > 0 && data[0] == '[' {
		var list []tokenName
		if err := json.Unmarshal(data, &list); err != nil {
			return err
		}
		for i, name := range list {
			(*t)[fmt.Sprintf("%06d", i)] = name
		}
		return nil
	}
	return json.Unmarshal(data, (*map[string]tokenName)(t))
}

// sorted returns the tokens in the order of the list.
func (t tokenNames) sorted() []string {
	var names []string
	for _, role := range slices.Sorted(maps.Keys(t)) {
		names = append(names, string(t[role]))
	}
	return names
}

// chatTemplates is a template, or a list of named ones, of which the one
// called default is taken.
type chatTemplates string

func (c *chatTemplates) UnmarshalJSON(data []byte) error {
	if len(data) == 0 || data[0] != '[' {
		return json.Unmarshal(data, (*string)(c))
	}
	var list []struct{ Name, Template string }
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	for _, named := range list {
		if named.Name == "default" {
			*c = chatTemplates(named.Template)
		}
	}
	return nil
}

// namedTokens are the tokens that have a role.
type namedTokens struct {
	BOS  tokenName `json:"bos_token"`
	EOS  tokenName `json:"eos_token"`
	Unk  tokenName `json:"unk_token"`
	Sep  tokenName `json:"sep_token"`
	Pad  tokenName `json:"pad_token"`
	Cls  tokenName `json:"cls_token"`
	Mask tokenName `json:"mask_token"`
}

// byRole returns the tokens that are there, by the names that templates use.
func (n namedTokens) byRole() map[string]string {
	roles := map[string]string{}
	for role, token := range map[string]tokenName{
		"bos_token": n.BOS, "eos_token": n.EOS, "unk_token": n.Unk, "sep_token": n.Sep,
		"pad_token": n.Pad, "cls_token": n.Cls, "mask_token": n.Mask,
	} {
		if token != "" {
			roles[role] = string(token)
		}
	}
	return roles
}

// tokenizerConfig is tokenizer_config.json.
type tokenizerConfig struct {
	namedTokens
	Class         string                         `json:"tokenizer_class"`
	ImageToken    tokenName                      `json:"image_token"`
	AddedTokens   map[string]pipeline.AddedToken `json:"added_tokens_decoder"`
	Extra         tokenNames                     `json:"extra_special_tokens"`
	Additional    tokenNames                     `json:"additional_special_tokens"`
	ChatTemplate  chatTemplates                  `json:"chat_template"`
	AddBOS        *bool                          `json:"add_bos_token"`
	AddEOS        bool                           `json:"add_eos_token"`
	ModelSpecific map[string]tokenName           `json:"model_specific_special_tokens"`
}

// sortedAdded returns the added tokens in the order of their ids.
func (c tokenizerConfig) sortedAdded() ([]pipeline.AddedToken, error) {
	byID := map[int]pipeline.AddedToken{}
	for key, token := range c.AddedTokens {
		id, err := strconv.Atoi(key)
		if err != nil {
			return nil, fmt.Errorf("added_tokens_decoder has the id %.20q, which is not a number", key)
		}
		byID[id] = token
	}
	var tokens []pipeline.AddedToken
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		tokens = append(tokens, byID[id])
	}
	return tokens, nil
}

// modelConfig is what config.json says about tokens.
type modelConfig struct {
	ModelType       string   `json:"model_type"`
	ImageTokenIndex *int     `json:"image_token_index"`
	ImageTokenID    *int     `json:"image_token_id"`
	BeginImage      *int     `json:"boi_token_index"` // of Gemma 3
	EndImage        *int     `json:"eoi_token_index"`
	EOS             tokenIDs `json:"eos_token_id"`
	BOS             tokenIDs `json:"bos_token_id"`
	Text            struct {
		EOS tokenIDs `json:"eos_token_id"`
		BOS tokenIDs `json:"bos_token_id"`
	} `json:"text_config"`
}

// generationConfig is what generation_config.json says about tokens.
type generationConfig struct {
	EOS      tokenIDs `json:"eos_token_id"`
	Suppress []int    `json:"suppress_tokens"`
}

// processorConfig is what processor_config.json says about prompts.
type processorConfig struct {
	Class        string        `json:"processor_class"`
	ImageToken   tokenName     `json:"image_token"`
	ChatTemplate chatTemplates `json:"chat_template"`
}

// files is what the JSON files of a directory say.
type files struct {
	tokenizer  tokenizerConfig
	model      modelConfig
	generation generationConfig
	processor  processorConfig
	added      map[string]int // added_tokens.json

	templateName, template string
}

func (d directory) files() (files, error) {
	var f files
	var legacy struct {
		ChatTemplate chatTemplates `json:"chat_template"`
	}
	var mapped namedTokens
	for _, file := range []struct {
		name string
		into any
	}{
		{"special_tokens_map.json", &mapped}, {"tokenizer_config.json", &f.tokenizer}, {"config.json", &f.model},
		{"generation_config.json", &f.generation}, {"processor_config.json", &f.processor},
		{"added_tokens.json", &f.added}, {"chat_template.json", &legacy},
	} {
		if err := d.decode(file.name, file.into); err != nil {
			return f, err
		}
	}
	f.tokenizer.fill(mapped)
	jinja, err := d.read("chat_template.jinja", maxConfigFile)
	if err != nil {
		return f, err
	}
	for _, source := range []struct{ name, template string }{
		{"chat_template.jinja", string(jinja)}, {"chat_template.json", string(legacy.ChatTemplate)},
		{"processor_config.json", string(f.processor.ChatTemplate)}, {"tokenizer_config.json", string(f.tokenizer.ChatTemplate)},
	} {
		if strings.TrimSpace(source.template) != "" {
			f.templateName, f.template = source.name, source.template
			break
		}
	}
	return f, nil
}

// fill takes over roles that have no token yet.
func (n *namedTokens) fill(from namedTokens) {
	for _, role := range []struct {
		to   *tokenName
		from tokenName
	}{{&n.BOS, from.BOS}, {&n.EOS, from.EOS}, {&n.Unk, from.Unk}, {&n.Sep, from.Sep}, {&n.Pad, from.Pad}, {&n.Cls, from.Cls}, {&n.Mask, from.Mask}} {
		if *role.to == "" {
			*role.to = role.from
		}
	}
}
