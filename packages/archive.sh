#!/bin/sh
# Packs a built ait for a release: program, manual page, completions, licences.
#
#     sh packages/archive.sh PROGRAM TARGET FOLDER    FOLDER/ait-VERSION-TARGET.tar.gz; prints its path
#
# TARGET is the name of the platform, such as x86_64-unknown-linux-musl. The program need not run here if AIT names one that
# does, for the manual page.
set -eu

fail() {
    printf 'archive.sh: %s\n' "$1" >&2
    exit 1
}

[ $# -eq 3 ] || fail 'usage: sh packages/archive.sh PROGRAM TARGET FOLDER'
root=$(cd "$(dirname "$0")/.." && pwd)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
name=ait-$version-$2
[ -x "$1" ] || fail "$1: no such program"
mkdir -p "$3"
folder=$(cd "$3" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

mkdir -p "$work/$name/completions"
cp "$1" "$work/$name/ait"
chmod 755 "$work/$name/ait"
"${AIT:-$1}" man >"$work/$name/ait.1"
cp "$root/completions/"* "$work/$name/completions/"
cp "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$root/README.md" "$root/CHANGELOG.md" "$work/$name/"
tar -C "$work" -czf "$folder/$name.tar.gz" "$name"
printf '%s\n' "$folder/$name.tar.gz"
