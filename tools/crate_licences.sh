#!/usr/bin/env bash
# Prints the licences of all crates in the program: whoever distributes the program has to distribute them as well.
# First every crate with its licence, then every text once, with the crates it came with.
#
#   tools/crate_licences.sh
set -euo pipefail
cd "$(dirname "$0")/.."
crates=${CARGO_HOME:-$HOME/.cargo}/registry/src
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Without the crates of this repository, which are named with their folder.
cargo tree --locked --package artificio --edges normal --prefix none --format '{p}|{l}' |
    sed 's/ (\*)$//; s/ (proc-macro)//' | sort -u | grep -v '^artificio[^ ]* v[^ ]* (/' >"$work/crates"
[ -s "$work/crates" ] || { echo "cargo tree names no crates" >&2; exit 1; }

echo "The crates that artificio is made of, and their licences. Below, every text once, with the crates that bring it; a crate that"
echo "brings none has its terms from the texts of the same licence."
echo
while IFS='|' read -r crate licence; do
    crate=${crate/ v/ }
    printf '%s: %s\n' "$crate" "$licence"
    folder=$(find "$crates" -maxdepth 2 -type d -name "${crate/ /-}" | head -1)
    [ -n "$folder" ] || { echo "$crate: its source is not below $crates" >&2; exit 1; }
    find "$folder" -maxdepth 1 -type f \( -iname 'licen[sc]e*' -o -iname 'copying*' -o -iname 'copyright*' -o -iname 'notice*' \
        -o -iname 'unlicense*' \) | sort | while read -r text; do
        sum=$(sha256sum <"$text")
        sum=${sum%% *}
        cp "$text" "$work/$sum.text"
        echo "$crate" >>"$work/$sum.of"
    done
done <"$work/crates"

for text in "$work"/*.text; do
    printf '\n%s\n%s\n\n' "$(printf '=%.0s' {1..120})" "$(sort -u "${text%.text}.of" | paste -sd ';' | sed 's/;/; /g')"
    cat "$text"
done
