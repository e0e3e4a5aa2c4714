.PHONY: all bench test simulate check lint

all: test

bench: ## the main job: bicubic against bilinear in the embedded server
	go run ./cmd/siglab bench

test: ## needs no network, GPU or Python
	go test ./...

simulate: ## the statistics on simulated servers, ten times longer than in the tests
	go test ./bench/compare -run 'Worlds|KnownDelay|UsualPractice|LookingEarly' -v -timeout 2h -repetitions 20000

lint:
	cd tools && go build -o ../.ci/bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	.ci/bin/golangci-lint run

check: ## the whole gate, as in continuous integration
	.ci/run
