# The commands of daily work. Everything here is also a plain Go command.
.PHONY: build test lint generate bench demo

tool = go tool -modfile=tools/go.mod

build:
	go build -o bin/fairlead ./cmd/fairlead

demo:
	go run ./cmd/fairlead up

test:
	go test -race ./...

lint:
	@test -z "$$(git ls-files '*.go' | grep -v '\.pb\.go$$' | xargs gofmt -l)" || \
		{ git ls-files '*.go' | grep -v '\.pb\.go$$' | xargs gofmt -l; echo 'not gofmt-ed'; exit 1; }
	go vet ./...
	$(tool) staticcheck ./...
	$(tool) buf lint

generate:
	$(tool) buf generate

bench:
	go test -run '^$$' -bench . -benchmem ./internal/dispatch ./internal/permit ./internal/proxy/...
	go run ./bench/asks
	go run ./bench/asks -assign
	go run ./bench/asks -soak 5000000
