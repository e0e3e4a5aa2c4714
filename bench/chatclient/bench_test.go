package chatclient

import (
	"testing"
	"time"

	"siglab/bench/record"
	"siglab/chatapi"
)

// BenchmarkEvent is what one event of a stream costs after its read was stamped: with
// many streams, what the next stream's read waits for.
func BenchmarkEvent(b *testing.B) {
	const event = `data: {"id":"chatcmpl-83a13f7ab4ad4a2f","object":"chat.completion.chunk","created":1764000000,"model":"google/paligemma-3b-mix-448",` +
		`"choices":[{"index":0,"delta":{"content":" picture"},"logprobs":null,"finish_reason":null,"token_ids":null}],` +
		`"usage":{"prompt_tokens":1030,"total_tokens":1042,"completion_tokens":12}}` + "\n\n"
	r := reader{observation: &record.Observation{}}
	var parser chatapi.EventParser
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		if err := parser.Feed([]byte(event), func(data []byte) { r.event(data, time.Second) }); err != nil || r.err != nil {
			b.Fatal(err, r.err)
		}
		if len(r.observation.ChunkAt) > 100 {
			r = reader{observation: &record.Observation{}}
		}
	}
}
