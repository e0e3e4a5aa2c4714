package serve

import (
	"errors"
	"fmt"
	"net/http"

	"siglab/chatapi"
	"siglab/engine/generate"
)

// apiError is an answer with an error status.
type apiError struct {
	status  int
	message string
	param   string // the field that is at fault, "" if none
}

func (e *apiError) Error() string { return e.message }

func badRequest(param, format string, args ...any) error {
	return &apiError{http.StatusBadRequest, fmt.Sprintf(format, args...), param}
}

// errorTypes are vLLM's names of the statuses.
func errorType(status int) string {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return "BadRequestError"
	case http.StatusNotFound:
		return "NotFoundError"
	case http.StatusMethodNotAllowed:
		return "MethodNotAllowedError"
	case http.StatusTooManyRequests:
		return "TooManyRequestsError"
	case http.StatusServiceUnavailable:
		return "ServiceUnavailableError"
	}
	return "InternalServerError"
}

// asAPIError gives every error its status.
func asAPIError(err error) *apiError {
	var api *apiError
	var invalid *generate.InvalidRequestError
	switch {
	case errors.As(err, &api):
		return api
	case errors.As(err, &invalid):
		return &apiError{http.StatusBadRequest, invalid.Reason, ""}
	case errors.Is(err, generate.ErrQueueFull):
		return &apiError{http.StatusTooManyRequests, "Too many requests are waiting; try again later.", ""}
	case errors.Is(err, generate.ErrClosed):
		return &apiError{http.StatusServiceUnavailable, "The server is shutting down.", ""}
	}
	return &apiError{http.StatusInternalServerError, err.Error(), ""}
}

func (s *Server) writeError(w http.ResponseWriter, err error) { writeError(w, err) }

func writeError(w http.ResponseWriter, err error) {
	e := asAPIError(err)
	if e.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, e.status, chatapi.ErrorResponse{Error: e.body()})
}

func (e *apiError) body() chatapi.APIError {
	body := chatapi.APIError{Message: e.message, Type: errorType(e.status), Code: e.status}
	if e.param != "" {
		body.Param = &e.param
	}
	return body
}
