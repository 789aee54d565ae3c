# The commands of daily work. Everything here is also a plain Go command.
.PHONY: build test test-faults conformance lint generate bench bench-sim bench-quality bench-faults bench-peers demo

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

# Everything that breaks, and is mended, under load: about five minutes.
test-faults:
	FAIRLEAD_FAULTS=all go test -race -count=1 -timeout 20m -v ./test/faults

# What other people's clients and suites say of the proxy: malformed messages, h2spec, gRPC's
# interop client, a WebSocket library, curl, wrk and h2load; and thousands of slow clients.
# The tests play the same, the last ones for a shorter time.
conformance:
	FAIRLEAD_CONFORMANCE=full go test -race -count=1 -timeout 20m -v ./test/http ./test/h2spec ./test/grpc ./test/websocket ./test/curl ./test/load

generate:
	$(tool) buf generate

bench:
	go test -run '^$$' -bench . -benchmem ./internal/dispatch ./internal/permit ./internal/proxy/...
	go run ./bench/asks
	go run ./bench/asks -assign
	go run ./bench/asks -soak 5000000

# Every policy in every scenario of bench/sim. FULL=1 plays them as long as the files say,
# which the figures in the documentation are from; without it they are only near. Faults
# have their times, so outage is never cut short.
bench-sim: build
	bin/fairlead sim bench/sim/headline.yaml $(if $(FULL),,--requests 200000)
	bin/fairlead sim bench/sim/more-proxies.yaml $(if $(FULL),,--requests 100000)
	bin/fairlead sim bench/sim/overload.yaml $(if $(FULL),,--requests 100000)
	bin/fairlead sim bench/sim/features.yaml $(if $(FULL),,--requests 100000)
	bin/fairlead sim bench/sim/outage.yaml
	bin/fairlead sim bench/sim/robustness.yaml $(if $(FULL),,--requests 60000)

# One HAProxy, many HAProxys, many Fairlead proxies: real processes, about five minutes.
# HAProxy comes from the Debian package haproxy.
bench-quality:
	go run ./bench/quality

# What a request costs beside HAProxy, nginx and Caddy: about twelve minutes. For a look,
# go run ./bench/peers -rounds 1 -each 1s takes less than two.
bench-peers:
	go run ./bench/peers -write docs/performance.md

# What clients see while a part of the fleet is broken: every fault at two loads, about
# twenty minutes.
bench-faults:
	go run ./bench/faults
