// Package e2e holds the test of siglab against a real vLLM on the CPU, with the plugin of
// this repository: a tiny model and a data set are made, servers are started, compared,
// cross-checked with vLLM's own client, and broken.
//
// It needs minutes and gigabytes, so it runs where it is asked for:
//
//	go test ./e2e -v -timeout 15m -vllm "$(e2e/install-vllm.sh)"
package e2e
