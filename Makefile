.PHONY: all bench test check lint

all: test

bench: ## the main job: bicubic against bilinear in the embedded server
	go run ./cmd/siglab bench

test: ## needs no network, GPU or Python
	go test ./...

lint:
	cd tools && go build -o ../.ci/bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	.ci/bin/golangci-lint run

check: ## the whole gate, as in continuous integration
	.ci/run
