#!/bin/sh
# Builds the .deb and the .rpm package of ait, around the static program. Needs cargo-deb and cargo-generate-rpm:
# cargo install cargo-deb cargo-generate-rpm
#
#     sh packages/linux.sh FOLDER    puts both into FOLDER
set -eu
mkdir -p "${1:?where to put the packages}"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
program=$(sh shell/build.sh)
target=$(basename "$(dirname "$(dirname "$program")")")
case $target in
*-musl) ;;
*)
    printf 'linux.sh: %s: not the static build for Linux\n' "$program" >&2
    exit 1
    ;;
esac
mkdir -p target
"$program" man >target/ait.1
cargo deb --no-build --no-strip --target "$target" --output "$folder"
cargo generate-rpm --target "$target" --output "$folder"
