package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"time"

	"siglab/chatapi"
)

// Handler serves all routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	route := func(path, method string, next http.HandlerFunc) { mux.HandleFunc(path, only(method, next)) }
	nothing := func(http.ResponseWriter, *http.Request) {}
	route("/v1/models", http.MethodGet, s.models)
	route("/v1/chat/completions", http.MethodPost, generation(s, s.prepareChat))
	route("/v1/completions", http.MethodPost, generation(s, s.prepareCompletion))
	route("/tokenize", http.MethodPost, s.tokenize)
	route("/detokenize", http.MethodPost, s.detokenize)
	route("/health", http.MethodGet, nothing)
	mux.HandleFunc("/ping", nothing) // GET and POST, for SageMaker
	route("/load", http.MethodGet, s.load)
	route("/version", http.MethodGet, s.version)
	route("/server_info", http.MethodGet, s.serverInfo)
	route("/metrics", http.MethodGet, s.metrics.handler.ServeHTTP)
	route("/reset_prefix_cache", http.MethodPost, func(w http.ResponseWriter, _ *http.Request) {
		s.engine.ResetPrefixCache()
		writeJSON(w, http.StatusOK, map[string]bool{"success": true})
	})
	reset := func(http.ResponseWriter, *http.Request) { s.engine.ResetEncoderCache() }
	route("/reset_mm_cache", http.MethodPost, reset)
	route("/reset_encoder_cache", http.MethodPost, reset)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, &apiError{status: http.StatusNotFound, message: fmt.Sprintf("There is no route %.200s; the chat route is /v1/chat/completions.", r.URL.Path)})
	})
	return s.bounded(s.authorized(mux))
}

// only lets one method through.
func only(method string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
			w.Header().Set("Allow", method)
			writeError(w, &apiError{status: http.StatusMethodNotAllowed, message: "The method " + r.Method + " is not allowed for " + r.URL.Path + "; use " + method + "."})
			return
		}
		next(w, r)
	}
}

// bounded limits how long a client can keep a handler, and what the server does with a
// body that the handler did not read, waiting. Those that take longer set deadlines
// of their own.
func (s *Server) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control, now := http.NewResponseController(w), time.Now()
		_ = control.SetReadDeadline(now.Add(s.timeouts.body)) // neither is supported by a test's recorder
		_ = control.SetWriteDeadline(now.Add(s.timeouts.write))
		if r.ContentLength != 0 { // until somebody reads it, or the answer would wait for it
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// authorized wants the API key, if there is one, on the routes below /v1, as vLLM
// does.
func (s *Server) authorized(next http.Handler) http.Handler {
	if s.config.APIKey == "" {
		return next
	}
	want := sha256.Sum256([]byte(s.config.APIKey))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(key)) // hashes, since a comparison of keys could tell their length
		known := strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(want[:], got[:]) == 1
		if !known && strings.HasPrefix(r.URL.Path, "/v1") && r.Method != http.MethodOptions {
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeError(w, &apiError{status: http.StatusUnauthorized, message: "Unauthorized: send the server's API key as Authorization: Bearer KEY."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	created := s.started.Unix()
	writeJSON(w, http.StatusOK, chatapi.ModelList{Object: "list", Data: []chatapi.Model{{
		ID: s.config.ServedName, Object: "model", Created: created, OwnedBy: "siglab",
		Root: s.config.Model.Name(), MaxModelLen: s.config.Model.MaxModelLen(),
		Permission: []chatapi.ModelPermission{{
			ID: fmt.Sprintf("modelperm-%016x", created), Object: "model_permission", Created: created,
			AllowSampling: true, AllowLogprobs: true, AllowView: true, Organization: "*",
		}},
	}}})
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"version": "siglab " + s.config.Version})
}

// load is the number of requests that are being answered.
func (s *Server) load(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]int64{"server_load": s.requests.Load()})
}

// serverInfo says how the server was set up.
func (s *Server) serverInfo(w http.ResponseWriter, _ *http.Request) {
	m, e := s.config.Model, s.config.Engine
	writeJSON(w, http.StatusOK, map[string]any{"siglab_config": map[string]any{
		"version": s.config.Version, "model": m.Name(), "served_model_name": s.config.ServedName,
		"max_model_len": m.MaxModelLen(), "max_images": m.MaxImages(), "pos_embed": m.PosEmbed().String(),
		"trained_grid": m.TrainedGrid().String(), "max_num_seqs": e.MaxSeqs, "max_num_batched_tokens": e.MaxBatchedTokens,
		"max_num_queued_reqs": e.MaxQueue, "max_num_queued_tokens": e.MaxQueuedTokens, "kv_cache_bytes": e.KVBytes,
		"encoder_cache_bytes": e.EncoderCache, "enable_prefix_caching": e.PrefixCache, "allow_image_urls": s.config.AllowImageURLs,
	}})
}
