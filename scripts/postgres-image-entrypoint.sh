#!/bin/sh
# What the image of postgres-image.sh runs: on the first start it makes a cluster, as the official image does, from
# PGDATA, POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_INITDB_ARGS; then it is the server, with the arguments given.
set -eu
binaries=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin | sort -V | tail -n 1)

as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  install -d -o postgres -g postgres -m 700 "$PGDATA"
  password=$(mktemp)
  printf '%s\n' "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD}" >"$password"
  chown postgres "$password"
  # shellcheck disable=SC2086 # the arguments are words
  as_postgres "$binaries/initdb" -D "$PGDATA" --username="${POSTGRES_USER:-postgres}" --pwfile="$password" \
    --auth-local=trust --auth-host=scram-sha-256 ${POSTGRES_INITDB_ARGS:-}
  rm "$password"
  echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
fi
[ "${1:-}" != postgres ] || shift
exec setpriv --reuid=postgres --regid=postgres --init-groups "$binaries/postgres" -D "$PGDATA" "$@"
