package tokenizer

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"siglab/engine/tokenizer/chattemplate"
	"siglab/engine/tokenizer/pipeline"
)

// defaultImageText is how processors spell the image token when no file says.
const defaultImageText = "<image>"

// Open loads the tokenizer of a model directory. An error names the file and
// the component that is missing, malformed or not supported.
func Open(dir string) (*Tokenizer, error) {
	d := directory(dir)
	f, err := d.files()
	if err != nil {
		return nil, fmt.Errorf("open tokenizer: %w", err)
	}
	p, err := d.vocabulary(f)
	if err != nil {
		return nil, fmt.Errorf("open tokenizer: %w", err)
	}
	if err := addTokens(p, f); err != nil {
		return nil, fmt.Errorf("open tokenizer of %s: %w", dir, err)
	}
	t := &Tokenizer{vocabulary: p, suppressed: slices.Sorted(slices.Values(f.generation.Suppress)), image: -1, bos: -1}
	t.setEnds(f)
	if err := t.setImage(p, f); err != nil {
		return nil, fmt.Errorf("open tokenizer of %s: %w", dir, err)
	}
	if err := t.setFrame(p, f.model); err != nil {
		return nil, fmt.Errorf("open tokenizer of %s: %w", dir, err)
	}
	if err := t.setLayout(f); err != nil {
		return nil, fmt.Errorf("open tokenizer of %s: %w", dir, err)
	}
	return t, nil
}

// vocabulary reads the vocabulary of a directory from the first of the files
// that can hold it.
func (d directory) vocabulary(f files) (*pipeline.Pipeline, error) {
	if p, err := d.siglip(f); p != nil || err != nil {
		return p, err
	}
	name := "tokenizer.json"
	data, err := d.read(name, maxVocabularyFile)
	if err != nil {
		return nil, err
	}
	parse := pipeline.Parse
	if data == nil {
		name = "tokenizer.model"
		if data, err = d.read(name, maxVocabularyFile); err != nil {
			return nil, err
		}
		parse = pipeline.ParseSentencePiece
	}
	if data == nil {
		return d.qwen2(f)
	}
	p, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(string(d), name), err)
	}
	if class := f.tokenizer.Class; class == "Siglip2Tokenizer" || class == "" && f.model.ModelType == "siglip2" {
		p.Lowercase()
	}
	return p, nil
}

// siglip reads the vocabulary of SigLIP's own tokenizer, which ends every text; nil if
// the directory has another. As in transformers its file wins over a tokenizer.json.
func (d directory) siglip(f files) (*pipeline.Pipeline, error) {
	if class := strings.TrimSuffix(f.tokenizer.Class, "Fast"); class != "SiglipTokenizer" && (class != "" || f.model.ModelType != "siglip") {
		return nil, nil
	}
	const name = "spiece.model"
	data, err := d.read(name, maxVocabularyFile)
	if err != nil || data == nil {
		return nil, err
	}
	p, err := pipeline.Siglip(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(string(d), name), err)
	}
	end := cmp.Or(string(f.tokenizer.EOS), "</s>")
	id, ok := p.ID(end)
	if !ok {
		return nil, fmt.Errorf("%s has no end of a text, %q", filepath.Join(string(d), name), end)
	}
	return p, p.Frame(nil, []int{id})
}

// qwen2 reads the older files of Qwen2's vocabulary.
func (d directory) qwen2(f files) (*pipeline.Pipeline, error) {
	vocab, err := d.read("vocab.json", maxVocabularyFile)
	if err != nil {
		return nil, err
	}
	merges, err := d.read("merges.txt", maxVocabularyFile)
	if err != nil {
		return nil, err
	}
	if vocab == nil || merges == nil {
		return nil, fmt.Errorf("%s has no tokenizer.json, no tokenizer.model, and not both vocab.json and merges.txt", d)
	}
	if class := strings.TrimSuffix(f.tokenizer.Class, "Fast"); class != "" && class != "Qwen2Tokenizer" {
		return nil, fmt.Errorf("%s: tokenizer_class %q from vocab.json and merges.txt is not supported; convert it to tokenizer.json", d, f.tokenizer.Class)
	}
	p, err := pipeline.Qwen2(vocab, merges)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d, err)
	}
	return p, nil
}

// addTokens adds the tokens that only the configuration names, as transformers
// does: those with an id in its order, then those with a role.
func addTokens(p *pipeline.Pipeline, f files) error {
	tokens, err := f.tokenizer.sortedAdded()
	if err != nil {
		return err
	}
	byID := func(a, b string) int { return f.added[a] - f.added[b] }
	for _, token := range slices.SortedFunc(maps.Keys(f.added), byID) {
		if _, ok := p.ID(token); !ok {
			tokens = append(tokens, pipeline.AddedToken{Content: token, Special: true})
		}
	}
	if err := p.Add(tokens...); err != nil {
		return err
	}
	roles := f.tokenizer.byRole()
	var special []pipeline.AddedToken
	for _, role := range []string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"} {
		special = append(special, withRole(p, roles[role]))
	}
	for _, names := range []tokenNames{f.tokenizer.Additional, f.tokenizer.Extra, f.tokenizer.ModelSpecific} {
		for _, name := range names.sorted() {
			if _, ok := p.ID(name); !ok {
				special = append(special, withRole(p, name))
			}
		}
	}
	return p.Add(special...)
}

// withRole returns a token as special, with its other properties if it is an
// added token already.
func withRole(p *pipeline.Pipeline, name string) pipeline.AddedToken {
	token := pipeline.AddedToken{Content: name}
	if id, ok := p.ID(name); ok {
		if added, ok := p.Added(id); ok {
			token = added
		}
	}
	token.Special = true
	return token
}

// setEnds finds the beginning and the ends of a sequence.
func (t *Tokenizer) setEnds(f files) {
	t.bosText = string(f.tokenizer.BOS)
	if id, ok := t.ID(t.bosText); ok && t.bosText != "" {
		t.bos = id
	}
	for _, ids := range []tokenIDs{f.generation.EOS, f.model.EOS, f.model.Text.EOS} {
		for _, id := range ids {
			if id >= 0 && !slices.Contains(t.eos, id) {
				t.eos = append(t.eos, id)
			}
		}
		if len(t.eos) > 0 {
			return
		}
	}
	if id, ok := t.ID(string(f.tokenizer.EOS)); ok && f.tokenizer.EOS != "" {
		t.eos = []int{id}
	}
}

// setImage finds the image token. config.json has its id; the vocabulary, or a
// processor's file, its text.
func (t *Tokenizer) setImage(p *pipeline.Pipeline, f files) error {
	text := cmp.Or(string(f.processor.ImageToken), string(f.tokenizer.ImageToken), string(f.tokenizer.Extra["image_token"]),
		string(f.tokenizer.ModelSpecific["image_token"]))
	want := cmp.Or(f.model.ImageTokenIndex, f.model.ImageTokenID)
	if want == nil {
		if id, ok := p.ID(text); ok && text != "" {
			t.image, t.imageText = id, text
		}
		return nil
	}
	if added, ok := p.Added(*want); ok {
		t.image, t.imageText = *want, added.Content
		return nil
	}
	if token, ok := p.Token(*want); ok {
		text = token // of the model's own vocabulary: must become a token of its own
	}
	text = cmp.Or(text, defaultImageText)
	if err := p.Add(pipeline.AddedToken{Content: text, Special: true}); err != nil {
		return err
	}
	if id, _ := p.ID(text); id != *want {
		return fmt.Errorf("config.json says that the image token is %d, but the tokenizer's %q is %d", *want, text, id)
	}
	t.image, t.imageText = *want, text
	return nil
}

// setFrame finds what Gemma 3's processor puts around an image (transformers 5.19,
// models/gemma3/processing_gemma3.py, full_image_sequence).
func (t *Tokenizer) setFrame(p *pipeline.Pipeline, m modelConfig) error {
	if m.ModelType != "gemma3" {
		return nil
	}
	begin, end := 255999, 256000 // transformers' defaults
	if m.BeginImage != nil {
		begin = *m.BeginImage
	}
	if m.EndImage != nil {
		end = *m.EndImage
	}
	first, ok := p.Token(begin)
	last, okLast := p.Token(end)
	if !ok || !okLast {
		return fmt.Errorf("config.json says that the tokens %d and %d are around an image, but the vocabulary has not both", begin, end)
	}
	t.imageBegin, t.imageFrame = first, "\n\n"+first+t.imageText+last+"\n\n"
	return nil
}

// setLayout reads the chat template, or finds the layout of the family.
func (t *Tokenizer) setLayout(f files) error {
	paliGemma := f.model.ModelType == "paligemma" || f.processor.Class == "PaliGemmaProcessor"
	if f.template == "" {
		if !paliGemma {
			return nil
		}
		if t.bos < 0 || t.image < 0 {
			return fmt.Errorf("a PaliGemma prompt needs a bos_token (here %q) and an image token (here %q); see tokenizer_config.json and config.json", t.bosText, t.imageText)
		}
		t.layout = layoutPaliGemma
		return nil
	}
	template, err := chattemplate.Parse(f.templateName, f.template)
	if err != nil {
		return err
	}
	t.layout, t.template = layoutTemplate, template
	t.variables = map[string]any{}
	for role, token := range f.tokenizer.byRole() {
		t.variables[role] = token
	}
	for _, names := range []map[string]tokenName{f.tokenizer.ModelSpecific, f.tokenizer.Extra} {
		for role, token := range names {
			t.variables[role] = string(token)
		}
	}
	if t.imageText != "" {
		t.variables["image_token"] = t.imageText
	}
	t.parts = t.takesParts()
	return nil
}

// takesParts asks the template for a conversation of one text part, and looks
// whether the text comes back as text, not as a printed list.
func (t *Tokenizer) takesParts() bool {
	const probe = "a text to look for"
	text, err := t.template.Render([]chattemplate.Message{
		{Role: "user", Parts: []chattemplate.Part{{Text: probe}}},
	}, true, t.variables, time.Now())
	return err == nil && strings.Contains(text, probe) && !strings.Contains(text, "'"+probe) && !strings.Contains(text, `"`+probe)
}
