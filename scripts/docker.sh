#!/usr/bin/env bash
# docker.sh start | stop | status: a Docker engine for tests.
#
# start   uses the engine that runs; else starts the installed one: by systemd where that runs, else by hand, its
#         process id kept. Fails, saying why, where none can be had.
# stop    ends the engine that `start` started by hand, and no other.
# status  succeeds if an engine answers.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

pid_file="$cache/dockerd.pid"
log="$cache/dockerd.log"

answers() { have docker && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }
answers_root() { as_root timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }
ours() { [ -s "$pid_file" ] && [ "$(cat "/proc/$(cat "$pid_file")/comm" 2>/dev/null)" = dockerd ]; }

# Where images can't be layered on the file system (an overlay on an overlay), copies of whole layers can.
start_by_hand() {
  local options pid
  for options in "" "--storage-driver=vfs"; do
    say "starting dockerd $options (log: $log)"
    # shellcheck disable=SC2086,SC2024 # options are words; the log is the caller's own file
    as_root setsid dockerd $options >"$log" 2>&1 </dev/null &
    for _ in $(seq 60); do
      if answers_root; then
        pid=$(as_root cat /var/run/docker.pid)
        echo "$pid" >"$pid_file"
        say "dockerd runs as process $pid; scripts/docker.sh stop ends it"
        return 0
      fi
      kill -0 $! 2>/dev/null || break
      sleep 0.5
    done
    as_root kill $! 2>/dev/null || true
    wait $! 2>/dev/null || true
  done
  return 1
}

case "${1:-}" in
start)
  if answers; then
    say "a Docker engine answers"
    exit 0
  fi
  [ -z "${DOCKER_HOST:-}" ] || fail "no engine answers at DOCKER_HOST=$DOCKER_HOST"
  if ! have docker || ! have dockerd; then fail "no Docker engine is installed"; fi
  can_be_root || fail "the Docker engine does not answer this user, and starting one needs root or sudo"
  mkdir -p "$cache"
  if answers_root; then
    :
  elif [ -d /run/systemd/system ]; then
    say "starting the docker service"
    as_root systemctl start docker || fail "systemd could not start the docker service"
  else
    start_by_hand || fail "dockerd does not run here: $(grep -v level=info "$log" | tail -n 3 | tr -s '\n' ' ')"
  fi
  answers || fail "the Docker engine runs, but this user may not use it: add the user to the group docker and log in again"
  ;;
stop)
  ours || exit 0
  pid=$(cat "$pid_file")
  say "ending dockerd (process $pid)"
  as_root kill "$pid"
  for _ in $(seq 60); do
    [ -d "/proc/$pid" ] || break
    sleep 0.5
  done
  rm -f "$pid_file"
  ;;
status) answers ;;
*) fail "usage: scripts/docker.sh start | stop | status" ;;
esac
