package workload

import (
	"encoding/base64"
	"encoding/json"

	"siglab/bench/dataset"
	"siglab/chatapi"
)

// encode is the body of a chat request with the fields of `vllm bench serve
// --backend openai-chat`: the text part first, the image last, a stream with usage
// at its end. Temperature is always sent, since vLLM's default has changed over
// time.
func encode(s Spec, row dataset.Row) ([]byte, error) {
	url := "data:" + row.Image.MIME + ";base64," + base64.StdEncoding.EncodeToString(row.Image.Data)
	return json.Marshal(chatapi.ChatRequest{
		Model: s.Model,
		Messages: []chatapi.Message{{Role: "user", Content: chatapi.Content{
			{Type: "text", Text: row.Prompt},
			{Type: "image_url", ImageURL: &chatapi.ImageURL{URL: url}},
		}}},
		MaxCompletionTokens: &s.MaxTokens,
		Sampling:            chatapi.Sampling{Temperature: &s.Temperature, IgnoreEOS: s.IgnoreEOS},
		Stream:              true,
		StreamOptions:       &chatapi.StreamOptions{IncludeUsage: true},
	})
}
