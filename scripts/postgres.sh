#!/usr/bin/env bash
# postgres.sh start DIRECTORY | stop DIRECTORY: a Postgres for a demonstration or a measurement.
#
# start   prints the URL of a server: the one that TRIMARAN_DEMO_POSTGRES_URL or PGURL names; else one started from
#         this machine's server binaries in a throw-away directory; else one in a container.
#         DIRECTORY keeps what `stop` needs to know. POSTGRES_SETTINGS may hold settings: "fsync=off work_mem=8MB".
# stop    ends what `start` started, and removes its data. A server that was given is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

password=trimaran

# The newest server binaries of this machine.
binaries() {
  local at
  for at in "$(pg_config --bindir 2>/dev/null || true)" \
    "$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)" \
    "$(dirname "$(command -v initdb || true)")"; do
    if [ -n "$at" ] && [ -x "$at/initdb" ] && [ -x "$at/postgres" ]; then
      echo "$at"
      return 0
    fi
  done
  return 1
}

# Postgres refuses root: then the server is another user's.
as_server() {
  if [ "$(id -u)" != 0 ]; then
    "$@"
  elif id postgres >/dev/null 2>&1; then
    setpriv --reuid=postgres --regid="$(id -g postgres)" --clear-groups "$@"
  else
    setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"
  fi
}

settings() {
  local setting
  for setting in ${POSTGRES_SETTINGS:-}; do printf '%s\n' -c "$setting"; done
}

# A port that nothing listens on.
free_port() {
  local port
  for _ in $(seq 50); do
    port=$((20000 + RANDOM % 12000))
    if ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return 0
    fi
  done
  fail "found no free port"
}

start_local() {
  local bin=$1 data port
  data=$(mktemp -d "${TMPDIR:-/tmp}/trimaran-postgres.XXXXXX")
  port=$(free_port)
  echo "$data" >"$state/data"
  echo "$bin" >"$state/bin"
  echo "$password" >"$data/password"
  [ "$(id -u)" != 0 ] || chown -R "$(id postgres >/dev/null 2>&1 && echo postgres || echo nobody)" "$data"
  say "starting a server from $bin in $data"
  (
    cd "$data"
    as_server "$bin/initdb" -D "$data/data" -U postgres --pwfile="$data/password" --auth=scram-sha-256 \
      --encoding=UTF8 --locale=C --no-sync >"$data/initdb.log" 2>&1 </dev/null
  ) || fail "initdb failed: $(tail -n 2 "$data/initdb.log" | tr '\n' ' ')"
  mapfile -t options < <(settings)
  (
    cd "$data"
    as_server "$bin/pg_ctl" -D "$data/data" -l "$data/log" -w -t 60 \
      -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= ${options[*]}" start >/dev/null 2>&1 </dev/null
  ) || fail "the server did not start: $(tail -n 2 "$data/log" | tr '\n' ' ')"
  echo "postgres://postgres:$password@127.0.0.1:$port/postgres"
}

start_container() {
  local image id port
  scripts/docker.sh start || return 1
  image=$(scripts/postgres-image.sh) || return 1
  mapfile -t options < <(settings)
  say "starting a container of $image"
  id=$(docker run --detach --rm --publish 127.0.0.1::5432 --env POSTGRES_PASSWORD="$password" "$image" \
    postgres "${options[@]}") || return 1
  echo "$id" >"$state/container"
  port=$(docker port "$id" 5432/tcp | sed -n 's/.*://p;q')
  for _ in $(seq 120); do
    # The first time it says so of the server that only sets up the cluster, on stdout.
    if docker logs "$id" 2>&1 >/dev/null | grep -q 'ready to accept connections'; then
      echo "postgres://postgres:$password@127.0.0.1:$port/postgres"
      return 0
    fi
    sleep 0.5
  done
  fail "the container never became ready: $(docker logs --tail 1 "$id" 2>&1)"
}

state=${2:-}
[ -n "$state" ] || fail "usage: scripts/postgres.sh start | stop DIRECTORY"

case "$1" in
start)
  mkdir -p "$state"
  given=${TRIMARAN_DEMO_POSTGRES_URL:-${PGURL:-}}
  if [ -n "$given" ]; then
    say "using the server given"
    echo "$given"
  elif bin=$(binaries); then
    start_local "$bin"
  else
    start_container || fail "no Postgres can be had: name one in TRIMARAN_DEMO_POSTGRES_URL, install postgresql, or start a Docker engine"
  fi
  ;;
stop)
  if [ -s "$state/container" ]; then
    docker rm --force --volumes "$(cat "$state/container")" >/dev/null
    rm "$state/container"
  fi
  if [ -s "$state/data" ]; then
    data=$(cat "$state/data")
    (cd / && as_server "$(cat "$state/bin")/pg_ctl" -D "$data/data" -m fast -w stop >/dev/null 2>&1) || true
    rm -rf "${data:?}" "${state:?}/data" "${state:?}/bin"
  fi
  ;;
*) fail "usage: scripts/postgres.sh start | stop DIRECTORY" ;;
esac
