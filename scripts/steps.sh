# shellcheck shell=bash
# Sourced by the scripts beside it: how a step is announced, and how root's rights are had where a step needs them.
# What people read goes to stderr; stdout is for what a script hands to its caller.

PATH="$HOME/.cargo/bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin"
# shellcheck disable=SC2034 # the sourcing scripts use it
cache="${XDG_CACHE_HOME:-$HOME/.cache}/trimaran"

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }
fail() {
  say "$*"
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Whether as_root can work: without a terminal sudo must not ask for a password.
can_be_root() {
  [ "$(id -u)" = 0 ] || { have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# install_packages PACKAGE…: from the distribution, without what is only recommended.
install_packages() {
  [ $# -gt 0 ] || return 0
  have apt-get || fail "this machine has no apt-get: install these by its own means: $*"
  can_be_root || fail "not root and no sudo: ask an administrator to run: apt-get install $*"
  say "installing $*"
  as_root apt-get update -qq >&2 </dev/null || say "some package lists could not be refreshed; trying with the rest"
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@" >&2 </dev/null || fail "apt-get could not install: $*"
}
