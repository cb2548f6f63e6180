#!/usr/bin/env bash
# duckdb.sh: decides where DuckDB comes from, says so, and prints what the shell that calls cargo must evaluate:
#
#   eval "$(scripts/duckdb.sh)" && cargo build $TRIMARAN_CARGO_FLAGS
#
# These flags are for the workspace; for `-p trimaran-migrator`, which has not all of the features, there is TRIMARAN_MIGRATOR_FLAGS.
#
# In this order: the directory DUCKDB_LIB_DIR; a libduckdb of this system; the official release for this platform,
# downloaded once from where the libduckdb-sys crate says it is; else DuckDB is compiled from the crate's own source,
# which takes half an hour on two cores, once per target folder. A library is used only if it loads, reports the
# version that libduckdb-sys was made for, and reads JSON without fetching an extension.
# TRIMARAN_DUCKDB=source goes straight to the last.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

case "$(uname -s)" in
Darwin) library=libduckdb.dylib loader=DYLD_FALLBACK_LIBRARY_PATH archive=duckdb-shared-libs-osx-universal.tar.gz ;;
*)
  library=libduckdb.so loader=LD_LIBRARY_PATH
  case "$(uname -m)" in
  x86_64) archive=duckdb-shared-libs-linux-amd64.tar.gz ;;
  aarch64) archive=duckdb-shared-libs-linux-arm64.tar.gz ;;
  *) archive= ;;
  esac
  ;;
esac

# usable DIRECTORY: whether the library in it does. Says why not.
usable() {
  [ -e "$1/$library" ] || return 1
  mkdir -p "$cache"
  [ "$cache/duckdb-probe" -nt scripts/duckdb-probe.c ] || cc -o "$cache/duckdb-probe" scripts/duckdb-probe.c -ldl
  local report
  if report=$("$cache/duckdb-probe" "$1/$library" "v$version" 2>&1); then return 0; fi
  say "not using $1/$library: $report"
  return 1
}

use() {
  say "using libduckdb $version in $1 ($2)"
  cat <<END
export DUCKDB_LIB_DIR='$1'
export $loader='$1'"\${$loader:+:\$$loader}"
export TRIMARAN_CARGO_FLAGS='--no-default-features --features postgres,sqlite,duckdb,parquet,s3,redis'
export TRIMARAN_MIGRATOR_FLAGS='--no-default-features --features postgres,sqlite,duckdb'
END
  exit 0
}

# The directories in which this system keeps libraries.
system_directories() {
  if have pkg-config; then pkg-config --variable=libdir duckdb 2>/dev/null || true; fi
  if have ldconfig; then ldconfig -p 2>/dev/null | sed -n "s|.*=> \(.*\)/$library\$|\1|p"; fi
  printf '%s\n' /usr/local/lib /usr/lib /opt/homebrew/lib
}

# The folder of the libduckdb-sys crate, which names the release that it was made for.
crate() {
  cargo metadata --format-version 1 --locked 2>/dev/null |
    grep -o '"manifest_path":"[^"]*/libduckdb-sys-[^"]*"' | head -n 1 | sed 's/.*:"//; s|/Cargo.toml"$||'
}

# download DIRECTORY: the official library into it.
download() {
  local pin base parts
  pin="$(crate)/.duckdb-release"
  [ -n "$archive" ] && [ -r "$pin" ] && have curl || return 1
  base=$(sed -n 's/^DUCKDB_RELEASE_URL=//p' "$pin")
  say "looking for the official libduckdb $version"
  parts=$(mktemp -d)
  if curl -fsSL --connect-timeout 5 --max-time 600 -o "$parts/$archive" "$base/$archive" 2>/dev/null &&
    tar -xzf "$parts/$archive" -C "$parts" && [ -e "$parts/$library" ]; then
    mkdir -p "$1"
    mv "$parts"/* "$1/" && rm -rf "$parts"
  else
    rm -rf "$parts"
    say "it can't be downloaded from here"
    return 1
  fi
}

# 1.MAJOR_MINOR_PATCH.x, two digits each after the first.
version=$(sed -n '/^name = "libduckdb-sys"$/{n;s/^version = "1\.\([0-9]*\)\..*/\1/p;}' Cargo.lock |
  awk '{ printf "%d.%d.%d", $1 / 10000, $1 / 100 % 100, $1 % 100 }')
[ -n "$version" ] || fail "Cargo.lock names no libduckdb-sys"

if [ "${TRIMARAN_DUCKDB:-}" != source ]; then
  if [ -n "${DUCKDB_LIB_DIR:-}" ]; then
    usable "$DUCKDB_LIB_DIR" || fail "DUCKDB_LIB_DIR=$DUCKDB_LIB_DIR has no usable $library $version"
    use "$DUCKDB_LIB_DIR" "given as DUCKDB_LIB_DIR"
  fi
  while read -r directory; do
    if [ -n "$directory" ] && usable "$directory"; then use "$directory" "this system's"; fi
  done < <(system_directories)
  downloaded="$cache/libduckdb-$version"
  if usable "$downloaded"; then use "$downloaded" "the official release"; fi
  if download "$downloaded" && usable "$downloaded"; then use "$downloaded" "the official release, just downloaded"; fi
fi

say "compiling DuckDB $version from source: half an hour on two cores the first time"
echo "unset DUCKDB_LIB_DIR"
echo "export TRIMARAN_CARGO_FLAGS= TRIMARAN_MIGRATOR_FLAGS="
if [ -z "${CXX:-}" ] && have ccache; then echo "export CXX='ccache g++' CCACHE_MAXSIZE='${CCACHE_MAXSIZE:-5G}'"; fi
