#!/usr/bin/env bash
# postgres-image.sh: makes sure that a Postgres image is there, and prints its name. A Docker engine must answer.
#
# In this order: the image that TRIMARAN_TEST_POSTGRES_IMAGE names; the official image; where no registry can be
# reached, one built here from the distribution's packages (debootstrap; two minutes, once).
# The built image takes the same variables and arguments as the official one.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

official=postgres:17-alpine
built=trimaran/postgres:local

present() { docker image inspect "$1" >/dev/null 2>&1; }
pull() {
  say "pulling $1"
  timeout 300 docker pull --quiet "$1" >/dev/null 2>&1
}

# The archive that this machine's own packages come from, its release, and the proxy that apt goes through.
archive() {
  # shellcheck disable=SC2016 # apt's variables
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v release="$1" '$2 == release && $3 == "main" { print $1; exit }'
}

build() {
  local release mirror root started=$SECONDS
  have debootstrap || install_packages debootstrap
  # shellcheck disable=SC1091
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mirror=$(archive "$release")
  [ -n "$mirror" ] || fail "apt knows no archive of $release: can't build a Postgres image"
  eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
  root=$(as_root mktemp -d /var/tmp/trimaran-image.XXXXXX)
  # shellcheck disable=SC2064 # the folder of now
  trap "as_root rm -rf '$root'" EXIT
  say "no registry in reach: building $built from $release packages"
  as_root env ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    debootstrap --variant=minbase --include=postgresql "$release" "$root" "$mirror" >"$root.log" 2>&1 ||
    fail "debootstrap failed: $(tail -n 1 "$root.log")"
  rm -f "$root.log"
  as_root install -m 755 scripts/postgres-image-entrypoint.sh "$root/usr/local/bin/entrypoint.sh"
  # A test server needs no manuals, no package lists, no cluster of Debian's own, and no just-in-time compiler.
  as_root sh -c "cd '$root' && rm -rf usr/share/doc usr/share/man usr/share/locale usr/share/info var/cache/apt \
    var/lib/apt/lists var/lib/postgresql/*/main etc/postgresql/*/main \
    usr/lib/postgresql/*/lib/bitcode usr/lib/postgresql/*/lib/llvmjit* usr/lib/*/libLLVM* usr/lib/llvm*"
  as_root tar -C "$root" --one-file-system -c . |
    docker import --change 'ENTRYPOINT ["/usr/local/bin/entrypoint.sh"]' --change 'CMD ["postgres"]' \
      --change 'ENV PGDATA=/var/lib/postgresql/data LANG=C.UTF-8' --change 'EXPOSE 5432' - "$built" >/dev/null
  say "built $built in $((SECONDS - started)) s"
}

if [ -n "${TRIMARAN_TEST_POSTGRES_IMAGE:-}" ]; then
  image=$TRIMARAN_TEST_POSTGRES_IMAGE
  present "$image" || pull "$image" || fail "the image $image is not here and can't be pulled"
elif present "$official"; then
  image=$official
elif present "$built"; then
  image=$built
elif pull "$official"; then
  image=$official
else
  if ! have apt-get || ! can_be_root; then fail "$official can't be pulled, and building an image needs apt and root"; fi
  build
  image=$built
fi
say "using $image"
echo "$image"
