# Everything sets up what it needs first and says what it does: see scripts/setup.sh.
# Variables: TRIMARAN_TEST_POSTGRES_URL, TRIMARAN_TEST_POSTGRES_IMAGE, TRIMARAN_DEMO_POSTGRES_URL, DUCKDB_LIB_DIR,
# TRIMARAN_DUCKDB=source, CARGO_TARGET_DIR (see CONTRIBUTING.md).

.DEFAULT_GOAL := help
.PHONY: help setup demo test load big fuzz s3 bench lint doc book

help: ## list the targets
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/  make \1	\2/p' Makefile

setup: ## install what building and testing need
	@scripts/setup.sh test

demo: ## migrate between DuckDB and SQLite files, and into Postgres if there is one, and verify
	@scripts/setup.sh demo
	@scripts/demo.sh

test: ## run all tests against a real Postgres
	@scripts/test.sh

load: ## let 64 users work for a minute on each engine, while servers and processes are killed, and check what is left
	@scripts/setup.sh test
	@scripts/load.sh

big: ## migrate large tables, values and many tables, and strike at every write, in a release build; takes minutes and some gigabytes
	@scripts/setup.sh test
	@TRIMARAN_FAULTS=all scripts/test.sh --release --test it -- big:: faults:: --nocapture --include-ignored --test-threads 1

fuzz: ## let libFuzzer look for inputs that break the encodings, a minute each; a release build with its instruments first
	@scripts/setup.sh build
	@scripts/fuzz.sh

s3: ## run the tests of content on S3 against a server installed for them
	@scripts/setup.sh test
	@scripts/s3.sh

bench: ## measure migration beside psql's COPY, conversations and requests beside the raw drivers, draw plots
	@scripts/setup.sh bench
	@benches/migrate.sh
	@benches/conversation.sh
	@benches/service.sh

lint: ## check formatting, clippy for engines one by one and together, documentation
	@scripts/lint.sh

doc: ## build the documentation
	@scripts/setup.sh build
	@eval "$$(scripts/duckdb.sh)" && cargo doc --workspace --lib --no-deps $$TRIMARAN_CARGO_FLAGS

book: ## build the book in target/book; installs mdbook if it is missing
	@scripts/links.sh
	@command -v mdbook >/dev/null || cargo install mdbook --version 0.5.4 --locked
	@mdbook build docs
