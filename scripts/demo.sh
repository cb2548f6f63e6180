#!/usr/bin/env bash
# demo.sh: the main job on made-up data. Builds, writes a DuckDB file like PyRIT's and an SQLite file like ViolentUTF's,
# hazards included, moves the one into an SQLite file and back, proves that nothing was lost, then finds or starts a
# Postgres, moves both there, verifies both, and shows what arrived. Without a Postgres it ends before that.
#
# DEMO_POSTGRES=none leaves the part with Postgres out.
# DEMO_ROWS sets the number of prompts (30,000). Everything is made in a throw-away directory, and the server, if it was
# started here, ends with the demonstration.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

rows=${DEMO_ROWS:-30000}
work=$(mktemp -d)
chmod 755 "$work"
finish() {
  scripts/postgres.sh stop "$work/postgres" || true
  rm -rf "$work"
}
trap finish EXIT

heading() { printf '\n── %s\n\n' "$*"; }
# The one step of the demonstration that may end with a code other than 0 says which one it expects.
expect() {
  local expected=$1 code=0
  shift
  printf '$ trimaran %s\n' "${*:2}"
  "$@" || code=$?
  [ "$code" = "$expected" ] || fail "exit code $code where $expected was expected"
  printf '(exit code %s)\n' "$code"
}

heading "1. Build the program"
eval "$(scripts/duckdb.sh)"
# shellcheck disable=SC2086 # flags are words
cargo build --release -p trimaran-migrator $TRIMARAN_MIGRATOR_FLAGS --bin trimaran --example sample_data
release=${CARGO_TARGET_DIR:-target}/release

heading "2. Two databases such as users have: $rows prompts, some of them hostile"
"$release/examples/sample_data" users "$work" "$rows"
ls -lh "$work"/*.duckdb "$work"/*.sqlite

# The digests in a report, one for each table.
digests() { sed -nE "s/^ *\"$1\": \"([0-9a-f]+)\",?\$/\1/p" | sort; }

heading "3. From DuckDB to SQLite, and back: two files, and no server"
duckdb=duckdb://$work/memory.duckdb sqlite=sqlite://$work/memory.sqlite back=duckdb://$work/back.duckdb
expect 0 "$release/trimaran" migrate run --from "$duckdb" --to "$sqlite" --on-hazard escape
expect 0 "$release/trimaran" migrate run --from "$sqlite" --to "$back" --on-hazard escape
"$release/trimaran" migrate verify --from "$duckdb" --to "$sqlite" --json 2>/dev/null | digests source_digest >"$work/origin"
"$release/trimaran" migrate verify --from "$sqlite" --to "$back" --json 2>/dev/null | digests target_digest >"$work/returned"
if ! [ -s "$work/origin" ] || ! cmp "$work/origin" "$work/returned"; then
  fail "the file that came back is not the one that went"
fi
echo "The digests of all $(wc -l <"$work/origin") tables are those of the origin: every row came back as it was."

heading "4. From SQLite to DuckDB; what the new types can't hold is put aside"
expect 5 "$release/trimaran" migrate run --from "sqlite://$work/app.sqlite" --to "duckdb://$work/app.duckdb" --on-hazard escape

heading "5. A Postgres"
if [ "${DEMO_POSTGRES:-}" = none ] || ! url=$(scripts/postgres.sh start "$work/postgres"); then
  heading "Done: without a Postgres, that is all. Rows read = rows written + rows put aside, and every digest is equal."
  exit 0
fi
# A password belongs into the environment (or ~/.pgpass, or a file), not onto a command line.
password=$(printf '%s' "$url" | sed -nE 's#^postgres(ql)?://[^:/@]*:([^@]*)@.*#\2#p')
if [ -n "$password" ]; then
  export PGPASSWORD=$password
  url=$(printf '%s' "$url" | sed -E 's#^(postgres(ql)?://[^:/@]*):[^@]*@#\1@#')
fi
psql -qX "$url" -c 'SELECT version()' -At
database=trimaran_demo_$$
psql -qX "$url" -c "CREATE DATABASE $database"
target=$(printf '%s' "$url" | sed -E "s#^(postgres(ql)?://[^/]*)/[^?]*#\1/$database#")
q() { psql -qX "$target" "$@"; }

heading "6. What stands in the way? (reads only; by default a hazard stops everything before anything is written)"
expect 4 "$release/trimaran" migrate check --from "duckdb://$work/memory.duckdb" --to "$target" --schema pyrit

heading "7. Move the DuckDB file; rows that Postgres can't hold are put aside, with all that refers to them"
expect 5 "$release/trimaran" migrate run --from "duckdb://$work/memory.duckdb" --to "$target" --schema pyrit --on-hazard quarantine

heading "8. Move the SQLite file; hostile text is kept by a reversible codec, the rest is put aside"
expect 5 "$release/trimaran" migrate run --from "sqlite://$work/app.sqlite" --to "$target" --schema app --on-hazard escape

heading "9. Prove it again, from nothing but the two databases"
expect 5 "$release/trimaran" migrate verify --from "duckdb://$work/memory.duckdb" --to "$target" --schema pyrit

heading "10. What is in Postgres now"
q -c "SELECT n.nspname AS schema, c.relname AS \"table\", (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I.%I', n.nspname, c.relname), false, true, '')))[1]::text::bigint AS rows,
        (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = c.oid AND contype IN ('p', 'u')) AS keys,
        (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = c.oid AND contype = 'f' AND convalidated) AS \"foreign keys\"
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname IN ('pyrit', 'app') AND c.relname NOT LIKE '\\_trimaran%' ORDER BY 1, 2"
echo "Rows put aside, by reason:"
q -c "SELECT source_table AS \"table\", column_name AS \"column\", reason, count(*) AS rows, min(row_key) AS \"first key\"
      FROM (SELECT * FROM pyrit._trimaran_quarantine UNION ALL SELECT * FROM app._trimaran_quarantine) q GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1"
if [ "${KEEP_DATABASE:-}" = "" ]; then
  psql -qX "$url" -c "DROP DATABASE $database"
fi
heading "Done: rows read = rows written + rows put aside, and every digest is equal."
