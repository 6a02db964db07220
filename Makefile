# The commands of this project. `make demo` and `make test` work in a fresh clone on Debian 12 with Rust.

export PATH := $(CURDIR)/.tools/bin:$(PATH)
SHELL := /bin/bash -euo pipefail

DATA ?= demo-data
LISTEN ?= 127.0.0.1:8080
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help demo test check bench package fmt web openapi

help:
	@echo "make demo     a running city with cameras, recorders and people, at http://$(LISTEN)"
	@echo "make test     everything that CI checks"
	@echo "make check    the quick part: format, lints, invariants, types"
	@echo "make fmt      formats the Rust code"
	@echo "make web      builds the page"
	@echo "make openapi  writes web/openapi.json and the page's types from the server"
	@echo "make bench    the benchmarks"
	@echo "make package  the connector as a Debian package"

# The page is built first: the server embeds it.
demo: web
	cargo build --locked --bins
	"$(TARGET)/debug/sightline" demo --data "$(DATA)" --listen "$(LISTEN)"

test:
	scripts/need test
	scripts/test

check:
	scripts/test quick

fmt:
	cargo fmt --all

web:
	@scripts/need demo
	scripts/build-web

openapi:
	scripts/openapi write

bench:
	bench/run

package:
	scripts/package
