#!/usr/bin/env bash
# links.sh: every relative link of the documentation leads to a file that is there, and every page of docs/ is in the book's
# summary. Needs no mdbook.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

wrong=0
complain() {
  say "$*"
  wrong=1
}

# shellcheck disable=SC2016 # the backquotes are Markdown's
while IFS= read -r page; do
  while IFS= read -r link; do
    case $link in
    *://* | mailto:* | '#'*) continue ;;
    esac
    target=$(dirname "$page")/${link%%#*}
    [ -e "$target" ] || complain "$page: $link leads nowhere"
  done < <(sed -e '/^```/,/^```/d' -e 's/`[^`]*`//g' "$page" | { grep -oE '\]\([^) ]+\)' || true; } | sed 's/^](//; s/)$//')
done < <(find docs README.md CONTRIBUTING.md CHANGELOG.md -name '*.md')

while IFS= read -r page; do
  case $page in
  docs/SUMMARY.md) continue ;;
  esac
  grep -qF "](${page#docs/})" docs/SUMMARY.md || complain "$page is not in docs/SUMMARY.md"
done < <(find docs -name '*.md')

exit "$wrong"
