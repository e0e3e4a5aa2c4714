package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"siglab/chatapi"
	"siglab/engine/generate"
	"siglab/engine/serve/imageurl"
)

// apiError is an answer with an error status.
type apiError struct {
	status  int
	message string
	param   string // the field that is at fault, "" if none
	invalid bool   // the body does not have the protocol's form
}

func (e *apiError) Error() string { return e.message }

func badRequest(param, format string, args ...any) error {
	return &apiError{status: http.StatusBadRequest, message: fmt.Sprintf(format, args...), param: param}
}

// invalidBody is an error of vLLM's validation, which names the place in the body.
func invalidBody(place, format string, args ...any) error {
	return &apiError{status: http.StatusBadRequest, message: fmt.Sprintf(format, args...), param: place, invalid: true}
}

// errorType is vLLM's name of the status.
func (e *apiError) errorType() string {
	switch e.status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		if e.invalid {
			return "Bad Request"
		}
		return "BadRequestError"
	case http.StatusUnauthorized:
		return "AuthenticationError"
	case http.StatusNotFound:
		return "NotFoundError"
	case http.StatusMethodNotAllowed:
		return "MethodNotAllowedError"
	case http.StatusRequestTimeout:
		return "RequestTimeoutError"
	case http.StatusUnprocessableEntity:
		return "UnprocessableEntityError"
	case http.StatusTooManyRequests:
		return "TooManyRequestsError"
	case http.StatusServiceUnavailable:
		return "ServiceUnavailableError"
	}
	return "InternalServerError"
}

// statusClientGone is what the log and the metrics say of a request whose client did
// not wait: nginx's code, never sent.
const statusClientGone = 499

// asAPIError gives every error its status.
func asAPIError(err error) *apiError {
	var api *apiError
	var invalid *generate.InvalidRequestError
	var full *generate.QueueFullError
	var refused *imageurl.RefusedError
	var fetch *imageurl.FetchError
	switch {
	case errors.As(err, &api):
		return api
	case errors.As(err, &invalid):
		return &apiError{status: http.StatusBadRequest, message: invalid.Reason, param: invalid.Param}
	case errors.As(err, &full):
		return &apiError{status: http.StatusTooManyRequests, message: full.Error()}
	case errors.As(err, &refused):
		return &apiError{status: http.StatusBadRequest, message: refused.Reason}
	case errors.As(err, &fetch):
		return &apiError{status: http.StatusUnprocessableEntity, message: fetch.Reason, param: "image_url"}
	case errors.Is(err, generate.ErrClosed):
		return &apiError{status: http.StatusServiceUnavailable, message: "The server is shutting down."}
	case errors.Is(err, context.Canceled):
		return &apiError{status: statusClientGone, message: "The client has gone."}
	}
	return &apiError{status: http.StatusInternalServerError, message: err.Error()}
}

// writeError answers with an error in OpenAI's shape.
func writeError(w http.ResponseWriter, err error) {
	e := asAPIError(err)
	if e.status == http.StatusTooManyRequests || e.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, e.status, chatapi.ErrorResponse{Error: e.body()})
}

func (e *apiError) body() chatapi.APIError {
	body := chatapi.APIError{Message: e.message, Type: e.errorType(), Code: e.status}
	if e.param != "" {
		body.Param = &e.param
	}
	return body
}
