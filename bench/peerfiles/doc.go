// Package peerfiles reads the result files of the load clients that people compare
// with: `vllm bench serve` and its Rust port (text and JSON), SGLang's bench_serving
// (text and JSON Lines), guidellm (JSON), AIPerf (JSON, CSV, records in JSON Lines)
// and GenAI-Perf (JSON, CSV), inference-perf (JSON) and llmperf (JSON).
//
// A number gets a key of vLLM's JSON only where it means the same, whatever its tool
// calls it: what AIPerf and guidellm call inter-token latency is one average per
// request, which is vLLM's TPOT, and is read as that. What has no counterpart is left
// out, and a note says so. Meaning tells what each tool measures; doc/metrics.md has
// the table.
package peerfiles
