#!/bin/sh
# Writes the version of Cargo.toml and the checksums of a release into the Homebrew formula and the PKGBUILD.
#
#     sh packages/update.sh FOLDER    the folder with the archives that archive.sh made
set -eu
cd "$(dirname "$0")"
folder=${1:?the folder with the archives}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' ../Cargo.toml | head -n 1)

# The checksum of the archive for a platform; nothing if there is none.
sum_of() {
    archive=$folder/ait-$version-$1.tar.gz
    if [ -f "$archive" ]; then
        { sha256sum "$archive" 2>/dev/null || shasum -a 256 "$archive"; } | cut -d ' ' -f 1
    fi
}

# The line after the one with the name of a platform has its checksum.
replace_sums() {
    for target in x86_64-unknown-linux-musl aarch64-unknown-linux-musl universal-apple-darwin; do
        sum=$(sum_of "$target")
        [ -n "$sum" ] || continue
        sed "/-$target\\.tar\\.gz/{n;s/[0-9a-f]\\{64\\}/$sum/;}" "$1" >"$1.new"
        mv "$1.new" "$1"
    done
}

sed "s/^  version \".*\"/  version \"$version\"/" homebrew/ait-sessions.rb >homebrew/new
mv homebrew/new homebrew/ait-sessions.rb
replace_sums homebrew/ait-sessions.rb
sed "s/^pkgver=.*/pkgver=$version/" aur/PKGBUILD >aur/new
mv aur/new aur/PKGBUILD
replace_sums aur/PKGBUILD
