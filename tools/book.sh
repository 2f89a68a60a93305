#!/usr/bin/env bash
# Makes one site of README.md, docs/ and what developers read, in the order that README.md gives:   tools/book.sh [FOLDER]
# (target/book unless said otherwise). Needs mdbook.
set -euo pipefail
cd "$(dirname "$0")/.."
book=${1:-target/book}
pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT

cp -r docs/. config/artificio.toml "$pages/"
# These lie above docs/; what they link to inside it lies beside them here.
for page in README ARCHITECTURE CONTRIBUTING CHANGELOG; do
    sed 's#](docs/#](#g' "$page.md" >"$pages/$page.md"
done
cp LICENSE-MIT LICENSE-APACHE NOTICE "$pages/"
mv "$pages/decisions/README.md" "$pages/decisions/index.md"
sed -i 's#](\.\./config/artificio\.toml)#](artificio.toml)#; s#](decisions/README\.md)#](decisions/index.md)#' "$pages"/*.md

{
    echo "[What it is](README.md)"
    echo
    # "Read on" names every page once, links and nothing else of interest.
    sed -n '/^## Read on/,/^## Licence/p' "$pages/README.md" | grep -o '\[[^]]*\]([^)]*\.md)' | while read -r link; do
        name=${link#[}
        echo "- [${name^}"
        case $link in *decisions/index.md*)
            sed -n 's#^- \(\[[^]]*\]\)(\([^)]*\)).*#  - \1(decisions/\2)#p' "$pages/decisions/index.md" ;;
        esac
    done
} >"$pages/SUMMARY.md"
# A page that README.md does not name would be missing without a word.
for page in "$pages"/*.md "$pages"/decisions/*.md; do
    page=${page#"$pages/"}
    [ "$page" = SUMMARY.md ] || grep -qF "($page)" "$pages/SUMMARY.md" || { echo "$page: README.md does not name this page" >&2; exit 1; }
done

printf '[book]\ntitle = "artificio"\nsrc = "."\n[output.html]\nno-section-label = true\n' >"$pages/book.toml"
mkdir -p "$book"
mdbook build --dest-dir "$(realpath "$book")" "$pages"
