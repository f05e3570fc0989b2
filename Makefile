# Two commands do all the set-up: `make demo` runs the platform, `make test` runs every test.
SHELL := /bin/bash
.DEFAULT_GOAL := help
TOOLS := target/tools/bin
STAGE := deploy/stage
# The public practice data set is tested with where it lies beside the project, or where this says.
ifneq ($(wildcard ../shared/data/crm-sales),)
export CRM_SALES_DATA ?= $(abspath ../shared/data/crm-sales)
endif

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Run the platform with demo data and gentle load, in the foreground; Ctrl-C ends it
	@deploy/ensure rust compiler postgres redis || { deploy/ensure --compose-hint; exit 3; }
	@echo "Building (first time on two cores: about 10 minutes; later: seconds)"
	cargo build --profile demo -p crm
	@deploy/ensure jaeger-ui
	./crm up --seed demo --load gentle

.PHONY: test
test: check ## Run every check and every test
	@$(STAGE) servers deploy/ensure postgres pgbouncer redis chromium jaeger-ui promtool otel-sdk api-clients rpc-clients
	@$(STAGE) build cargo build --workspace --all-targets
	@# Not by `cargo run`: what that tells its children makes cargo compile half of the world anew.
	@$(STAGE) tests $${CARGO_TARGET_DIR:-target}/debug/with-servers deploy/timed-tests --workspace --no-fail-fast

.PHONY: check
check: ## What a reviewer runs: formatting, lints, docs, house rules, buf lint
	@$(STAGE) tools deploy/ensure rust git compiler buf
	@$(STAGE) format cargo fmt --all --check
	@$(STAGE) clippy cargo clippy --workspace --all-targets -- -D warnings
	@RUSTDOCFLAGS="-D warnings" $(STAGE) docs cargo doc --workspace --no-deps
	@$(STAGE) house-rules cargo test -q -p crm --test house_rules
	@cd proto && ../$(STAGE) buf-lint ../$(TOOLS)/buf lint

.PHONY: fmt
fmt: ## Format the code and the API definitions
	cargo fmt --all
	@deploy/ensure buf
	cd proto && ../$(TOOLS)/buf format -w

.PHONY: compose-test
compose-test: ## Start the platform in containers, call it, and take it down again
	deploy/compose-test

.PHONY: proof
proof: ## Make every experiment of the lab at full speed; figures and pages go to target/proof
	@deploy/ensure rust compiler peers
	cargo build --profile demo -p crm
	@mkdir -p target/proof
	@# One that finds a claim broken does not keep the others from being made.
	@export PATH="$(CURDIR)/$(TOOLS):$$PATH"; broken=0; \
	prove() { name=$$1; shift; ./crm lab "$$@" --json target/proof/$$name.json --html target/proof/$$name.html || broken=$$?; }; \
	prove balancing balancing; prove balancing-alone balancing --alone; prove journal journal; prove customers customers; exit $$broken

.PHONY: clean
clean: ## Remove what was built
	cargo clean
