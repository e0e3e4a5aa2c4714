package serve

import (
	"encoding/json"
	"net/http"

	"siglab/chatapi"
	"siglab/posembed"
)

// isFastPath reports whether a mode stands for the code that the debug line is of.
func isFastPath(m posembed.Mode) bool {
	return m == posembed.BilinearGather || m == posembed.BilinearFused
}

func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	s.writeJSON(w, http.StatusOK, chatapi.ModelList{Object: "list", Data: []chatapi.Model{{
		ID: s.config.ServedName, Object: "model", Created: s.started.Unix(), OwnedBy: "siglab",
		Root: s.config.Model.Name(), MaxModelLen: s.config.Model.MaxModelLen(),
	}}})
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	s.writeJSON(w, http.StatusOK, map[string]string{"version": "siglab " + s.config.Version})
}

// writeJSON answers with a JSON body. An error of the write means that the client
// has gone, who cannot be told.
func (s *Server) writeJSON(w http.ResponseWriter, status int, v any) { writeJSON(w, status, v) }

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
