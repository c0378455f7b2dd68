# `make help` lists the targets. Go and make are enough: an engine is installed or started by hack/engine.sh where
# a target needs one, and the lint tools are built from hack/tools.

GO        ?= go
FUZZTIME  ?= 10s
SOAK      ?= 10m
# How many random scripts the model plays; from 10000 on a fault that never met its step is a failure.
SCRIPTS   ?= 10000
# Another seed for them than the everyday one; 0 is a new one at each run.
SEED      ?=
SPECS     ?= config/samples
# The variables that the samples name.
RUN_FLAGS ?= --token-env CLAUDE_CODE_OAUTH_TOKEN,GITHUB_TOKEN,INVENTORY_KEY

# A binary with the race detector or cgo would not run in an image from scratch. The sidecar carries no version:
# its image is identified by content, so that a new controller with the same sidecar replaces nothing.
STATIC_GO   := CGO_ENABLED=0 $(GO)
BUILD_FLAGS := -trimpath -ldflags "-s -w"
# The controller says which commit it is, where git can tell, also in a linked work tree, which Go does not look into.
COMMIT      := $(shell git describe --always --abbrev=40 --exclude='*' --dirty 2>/dev/null)
STAMPED     := -trimpath $(if $(COMMIT),-buildvcs=true,-buildvcs=false) \
	-ldflags "-s -w -X credproxy.dev/controller/internal/buildinfo.stamped=$(COMMIT)"
SIDECAR_DIR := internal/sidecarimage/bin
SIDECARS    := $(SIDECAR_DIR)/cred-proxy-linux-amd64.gz $(SIDECAR_DIR)/cred-proxy-linux-arm64.gz
LINTER      := bin/tools/golangci-lint

# A program with the race detector waits for a second before it ends, and the tests run hundreds of them.
export GORACE ?= atexit_sleep_ms=50

.DEFAULT_GOAL := help

##@ Use

.PHONY: demo
demo: build toolbox engine ## Tell the whole story on a real engine, and leave nothing behind
	@hack/demo.sh

.PHONY: run
run: build engine ## Run the controller on SPECS (config/samples) with RUN_FLAGS, until Ctrl-C
	bin/controller run --specs $(SPECS) $(RUN_FLAGS)

##@ Build

.PHONY: build
build: sidecars ## Build bin/controller, which carries the sidecar, and bin/cred-proxy
	@mkdir -p bin
	$(STATIC_GO) build $(STAMPED) -o bin/ ./cmd/controller ./cmd/cred-proxy

.PHONY: sidecars
sidecars: $(SIDECARS) # The binaries that the controller embeds

# Go's cache decides what to compile. Packing takes ten times as long as unpacking, so it is done only for a binary that is not the
# one in the file.
$(SIDECAR_DIR)/cred-proxy-linux-%.gz: FORCE
	@mkdir -p bin/sidecar $(SIDECAR_DIR)
	@GOOS=linux GOARCH=$* $(STATIC_GO) build $(BUILD_FLAGS) -buildvcs=false -o bin/sidecar/cred-proxy-linux-$* ./cmd/cred-proxy
	@{ gzip -dc $@ >bin/sidecar/packed-$* && cmp -s bin/sidecar/packed-$* bin/sidecar/cred-proxy-linux-$*; } 2>/dev/null || \
		{ gzip -n -9 -c bin/sidecar/cred-proxy-linux-$* >bin/sidecar/$(@F) && mv bin/sidecar/$(@F) $@ && echo "built $@"; }

.PHONY: toolbox
toolbox: # The static helper that the demo, the tests and the benchmarks put in containers
	@mkdir -p bin
	@$(STATIC_GO) build $(BUILD_FLAGS) -buildvcs=false -o bin/toolbox ./test/toolbox

.PHONY: generate
generate: sidecars ## Write the files that follow from the code, such as JSON schemas and tables of the documents
	@$(GO) run ./hack/generate

.PHONY: man
man: sidecars ## Write the manual pages of the controller and its verbs to bin/man
	@$(STATIC_GO) run -trimpath ./hack/man bin/man

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin $(SIDECARS)

##@ Check

.PHONY: test
test: test-unit test-age test-shells test-prometheus test-page test-model test-e2e test-clients ## Run the tests: units, Prometheus, a browser, the model's random stories, then end to end on a real engine, with real clients

.PHONY: test-unit
test-unit: sidecars race ## Run the tests that need no engine, with the race detector
	$(GO) test -race ./...

.PHONY: test-age
test-age: sidecars race ## Run the example of a token provider with age itself, which is installed on Debian as root
	@hack/age.sh $(GO) test -race -count=1 -tags age -run Age ./internal/tokens/provider

.PHONY: test-shells
test-shells: sidecars race ## Complete command lines in bash, zsh and fish themselves, and have mandoc read the manual pages
	@hack/shells.sh $(GO) test -race -count=1 -tags shells -run Shell ./internal/cli ./internal/manpage

.PHONY: test-prometheus
test-prometheus: sidecars race ## Check rules and dashboards with a real Prometheus, Debian's, that scrapes a controller
	@hack/prometheus.sh $(GO) test -race -count=1 -tags prometheus ./test/prometheus

.PHONY: test-page
test-page: sidecars race ## Look at the status page with a real browser, Debian's Chromium, without a window
	@hack/chromium.sh $(GO) test -race -count=1 -tags page ./test/page

.PHONY: screenshots
screenshots: sidecars ## Make the pictures of docs/page.md anew
	@hack/chromium.sh $(GO) test -count=1 -tags page -run Pictures ./test/page -screenshots $(CURDIR)/docs

# The race detector has seen the model's other parts and some hundred scripts in test-unit; it would take five times as long.
# Each script makes a whole world and drops it: with the usual GOGC a third of the time goes to collecting them.
.PHONY: test-model
test-model: ## Play SCRIPTS random stories of the controller on an engine in memory, and print which faults met which steps
	GOGC=400 $(GO) test -count=1 -timeout 30m -run '^TestModel$$' -v ./internal/model -rapid.checks=$(SCRIPTS) -rapid.nofailfile $(SEED:%=-rapid.seed=%)

.PHONY: test-e2e
test-e2e: build toolbox engine race ## Run the tests that need a real engine; without one they fail
	$(GO) test -race -count=1 -parallel 4 -timeout 20m -tags e2e ./pkg/dockerdriver/...
	$(GO) test -race -count=1 -timeout 40m -tags e2e ./test/e2e/...
	@[ "$$(id -u)" -eq 0 ] || echo "LEFT OUT: TestEngineOutages, TestTokensLeakNowhere and TestDocuments, engines of their own, take root." \
		"TestFleet ran on the engine that is there, not on one of its own."

.PHONY: test-podman
test-podman: sidecars toolbox race ## Run the driver's tests on a Podman of their own, as root; Docker is left alone
	@hack/podman.sh $(GO) test -race -count=1 -timeout 20m -tags e2e ./pkg/dockerdriver/...

.PHONY: test-clients
test-clients: build toolbox engine race ## Have real clients ask through a sidecar: git, npm, curl, gRPC, a WebSocket, models' libraries; installed on Debian as root
	@hack/clients.sh $(GO) test -race -count=1 -timeout 15m -tags e2e,clients -run '^TestClients$$' ./test/e2e

.PHONY: test-wiring
test-wiring: build toolbox engine race bin/tools/composego ## Have an agent's clients ask as `controller env` says: git, npm, pip, docker compose, libraries; installed on Debian as root
	@hack/wiring.sh $(GO) test -race -count=1 -timeout 20m -tags e2e,wiring -run Wired ./test/e2e

.PHONY: lint
lint: sidecars $(LINTER) ## Check formatting, modules, scripts and code
	@hack/lint.sh $(LINTER)

.PHONY: bench
bench: build toolbox engine ## Print this project's figures beside their floors, from one run
	@$(GO) run ./test/bench $(PARTS)

.PHONY: bench-proxy
bench-proxy: build toolbox ## Print what the sidecar costs beside nginx, HAProxy, Caddy and a bare ReverseProxy, from one run
	@$(STATIC_GO) build -buildvcs=false -o bin/benchproxy ./test/benchproxy
	@hack/proxies.sh bin/benchproxy $(PARTS)

.PHONY: soak
soak: build toolbox engine race ## Edit a fleet at random for SOAK (10m): print what is lost and what it uses, fail on growth
	@hack/soak.sh $(SOAK)

.PHONY: mutate
mutate: ## Switch each protection of the sidecar off, and print which attacks catch that; fail where none does
	@$(GO) run ./test/mutate

.PHONY: fuzz
fuzz: sidecars ## Run every fuzz target for FUZZTIME (10s)
	@hack/fuzz.sh $(FUZZTIME)

##@ Helpers

.PHONY: engine
engine: ## Make sure that a container engine answers
	@hack/engine.sh

.PHONY: race
race: # The race detector needs a C compiler
	@hack/compiler.sh

bin/tools/composego: hack/composego/main.go hack/composego/go.mod hack/composego/go.sum
	@mkdir -p $(@D)
	$(STATIC_GO) build -C hack/composego -o $(abspath $@) .

$(LINTER): hack/tools/go.mod hack/tools/go.sum
	@mkdir -p $(@D)
	$(GO) build -C hack/tools -o $(abspath $@) github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: FORCE
FORCE:
