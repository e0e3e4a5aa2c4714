package serve

import (
	"net/http"

	"siglab/chatapi"
)

// tokenize answers POST /tokenize: the tokens of a text, or of a conversation.
func (s *Server) tokenize(w http.ResponseWriter, r *http.Request) {
	var request chatapi.TokenizeRequest
	release, err := s.read(w, r, &request)
	defer release()
	if err == nil {
		err = s.checkModel(request.Model)
	}
	var p prompt
	switch {
	case err != nil:
	case request.Prompt != nil:
		p.tokens, err = s.encode(r.Context(), *request.Prompt, request.AddSpecialTokens)
	default:
		p, err = s.chatPrompt(r.Context(), request.Messages, request.AddGenerationPrompt)
	}
	if err != nil {
		writeError(w, err)
		return
	}
	response := chatapi.TokenizeResponse{Count: len(p.tokens), MaxModelLen: s.config.Model.MaxModelLen(), Tokens: p.tokens}
	if request.ReturnTokenStrs {
		response.TokenStrs = []string{}
		for _, id := range p.tokens {
			response.TokenStrs = append(response.TokenStrs, s.config.Model.Tokenizer().Text(id))
		}
	}
	writeJSON(w, http.StatusOK, response)
}

// detokenize answers POST /detokenize: the text of tokens, special ones by name, as
// vLLM gives it.
func (s *Server) detokenize(w http.ResponseWriter, r *http.Request) {
	var request chatapi.DetokenizeRequest
	release, err := s.read(w, r, &request)
	defer release()
	if err == nil {
		err = s.checkModel(request.Model)
	}
	if err == nil && request.Tokens == nil {
		err = invalidBody("body.tokens", "1 validation error: body.tokens: Field required.")
	}
	for _, id := range request.Tokens {
		if size := s.config.Model.VocabSize(); err == nil && (id < 0 || id >= size) {
			err = badRequest("tokens", "Token id %d is out of the vocabulary of %d.", id, size)
		}
	}
	if err != nil {
		writeError(w, err)
		return
	}
	text := s.config.Model.Tokenizer().Spell(request.Tokens)
	writeJSON(w, http.StatusOK, chatapi.DetokenizeResponse{Prompt: text})
}
