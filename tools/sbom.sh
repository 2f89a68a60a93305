#!/usr/bin/env bash
# Prints the bill of materials of the program, as CycloneDX 1.5: every crate it is built from, with version, licence and
# checksum.   tools/sbom.sh [TARGET]   (x86_64-unknown-linux-gnu unless said otherwise). Needs cargo-cyclonedx and jq.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:-x86_64-unknown-linux-gnu}
name=sbom-of-this-run
trap 'rm -f $name.json crates/*/$name.json' EXIT
# One file beside each Cargo.toml; that of the program also lists what other features and tests would bring.
cargo cyclonedx --quiet --format json --spec-version 1.5 --target "$target" --override-filename $name
jq --rawfile built <(cargo tree --locked --package artificio --target "$target" --edges normal,build --prefix none --format '{p}') '
    ($built | split("\n") | map(capture("^(?<name>\\S+) v(?<version>\\S+)") | "\(.name)@\(.version)") | INDEX(.)) as $names |
    def is_built: "\(.name)@\(.version)" | in($names);
    .components |= map(select(is_built)) |
    ([.components[]["bom-ref"], .metadata.component["bom-ref"]] | INDEX(.)) as $kept |
    .dependencies |= map(select(.ref | in($kept)) | if .dependsOn then .dependsOn |= map(select(in($kept))) else . end)
' $name.json
