.PHONY: all bench bench-engine test simulate check lint

all: test

bench: ## the main job: bicubic against bilinear in the embedded server
	go run ./cmd/siglab bench

test: ## needs no network, GPU or Python
	go test ./...

simulate: ## the statistics on simulated servers, ten times longer than in the tests
	go test ./bench/compare -run 'Worlds|KnownDelay|UsualPractice|LookingEarly' -v -timeout 2h -repetitions 20000

PYTHON ?= python3
bench-engine: ## towers against torch's (PYTHON with torch), decode steps against memory
	go test ./engine/optest -v -run 'TestDecode' -decode 17 -rounds 9
	go test ./engine/optest -v -run 'TestTorch' -torch $(PYTHON) -timeout 1h

lint:
	cd tools && go build -o ../.ci/bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	.ci/bin/golangci-lint run

check: ## the whole gate, as in continuous integration
	.ci/run
