#!/usr/bin/env bash
# setup.sh build | test | demo | bench | binaries: makes this machine able to build, test, demonstrate or measure.
# Installs only what is missing, on Debian and Ubuntu, as root or with sudo, and says what it does; elsewhere it says
# what to install.
#
# build     a C and C++ compiler, make, curl, ccache, and a Rust that is new enough
# test      build, PgBouncer, Redis, and a Docker engine, or Postgres server binaries where no engine can run
# demo      build, and if they can be had, psql and a Postgres: a given one, server binaries, or a Docker engine
# binaries  Postgres server binaries only
# bench     build, psql, a Postgres, and what the measurements are taken with
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

# need COMMAND PACKAGE: notes what must be installed.
missing=()
need() {
  if ! have "$1" && [[ " ${missing[*]} " != *" $2 "* ]]; then missing+=("$2"); fi
}

# Whether the distribution has a package.
offers() { have apt-cache && [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]; }

# Whether Rust is there and not older than the manifest asks.
rust_version() { cargo --version 2>/dev/null | sed 's/^cargo \([0-9.]*\).*/\1/'; }
rust_is_new_enough() {
  local wanted=$1 found
  found=$(rust_version)
  [ -n "$found" ] && [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ]
}

rust() {
  local wanted
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  if rust_is_new_enough "$wanted"; then return 0; fi
  if ! have rustup && offers rustup; then install_packages rustup; fi
  if have rustup; then
    say "installing stable Rust by rustup"
    rustup toolchain install stable --profile minimal --component rustfmt --component clippy >&2
    rustup default stable >&2
    hash -r
  fi
  rust_is_new_enough "$wanted" || fail "Rust $wanted or newer is needed (found: $(have cargo && rust_version || echo none)): install it with rustup"
}

build() {
  need cc build-essential
  need c++ build-essential
  need make make
  need curl curl
  need ccache ccache
  if have apt-get && [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then missing+=(ca-certificates); fi
  install_packages "${missing[@]}"
  missing=()
  rust
}

binaries() { have initdb || [ -x "$(pg_config --bindir 2>/dev/null)/initdb" ] || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

# Debian's package would make and start a cluster of its own; this machine shall only get the programs.
install_binaries() {
  local no_cluster=/etc/postgresql-common/createcluster.d/trimaran.conf
  can_be_root || fail "no Postgres server binaries, and neither root nor sudo to install the package postgresql"
  as_root mkdir -p "$(dirname "$no_cluster")"
  echo 'create_main_cluster = false' | as_root tee "$no_cluster" >/dev/null
  # shellcheck disable=SC2064 # the file of now
  trap "as_root rm -f '$no_cluster'" EXIT
  install_packages postgresql
}

# Succeeds if an engine answers, after installing and starting one where that can be done.
engine() {
  if scripts/docker.sh status; then return 0; fi
  if [ -z "${DOCKER_HOST:-}" ] && ! have dockerd && have apt-get && can_be_root; then
    missing=(docker.io)
    # Newer releases have the command in a package of its own.
    if ! have docker && offers docker-cli; then missing+=(docker-cli); fi
    (install_packages "${missing[@]}") || return 1
  fi
  scripts/docker.sh start
}

# psql, and a Postgres that can be started.
postgres() {
  if ! have psql; then install_packages postgresql-client; fi
  if [ -n "${TRIMARAN_DEMO_POSTGRES_URL:-${PGURL:-}}" ] || binaries; then
    :
  elif can_be_root && have apt-get; then
    install_binaries
  else
    engine
  fi
}

case "${1:-}" in
build) build ;;
test)
  [ -x /usr/sbin/pgbouncer ] || need pgbouncer pgbouncer
  need redis-server redis-server
  build
  if [ -n "${TRIMARAN_TEST_POSTGRES_URL:-}" ]; then
    say "tests will use the server that TRIMARAN_TEST_POSTGRES_URL names"
  elif ! engine; then
    binaries || install_binaries
    say "no Docker engine: tests will run Postgres from this machine's server binaries"
  fi
  ;;
binaries) binaries || install_binaries ;;
demo)
  build
  if [ "${DEMO_POSTGRES:-}" != none ]; then
    (postgres) || say "no Postgres can be had (name one in TRIMARAN_DEMO_POSTGRES_URL, install postgresql, or start a Docker engine): the demonstration shows what goes without"
  fi
  ;;
bench)
  need python3 python3
  # Python packages to measure beside are installed into virtual environments.
  python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
  need gnuplot gnuplot-nox
  if offers pgloader; then need pgloader pgloader; fi
  [ -x /usr/bin/time ] || missing+=(time)
  build
  (postgres) || fail "no Postgres can be had: name one in TRIMARAN_DEMO_POSTGRES_URL, install postgresql, or start a Docker engine"
  ;;
*) fail "usage: scripts/setup.sh build | test | demo | bench | binaries" ;;
esac
