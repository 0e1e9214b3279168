#!/bin/sh
# Makes the npm packages from the archives of a release: one for each platform, and `ait-sessions`, which depends on them.
#
#     sh packages/npm/pack.sh ARCHIVES FOLDER    the packages, as .tgz files, in FOLDER
#
# Only platforms with an archive get a package; the wrapper names them all.
set -eu
archives=$(cd "${1:?the folder with the archives}" && pwd)
mkdir -p "${2:?where to put the packages}"
folder=$(cd "$2" && pwd)
cd "$(dirname "$0")"
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' ../../Cargo.toml | head -n 1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

description='Tracks and coordinates parallel Claude Code sessions'
common="\"version\": \"$version\",
  \"license\": \"MIT OR Apache-2.0\",
  \"repository\": { \"type\": \"git\", \"url\": \"git+https://github.com/ait-sessions/ait.git\" }"

# platform OS CPU TARGET
platform() {
    archive=$archives/ait-$version-$3.tar.gz
    [ -f "$archive" ] || return 0
    mkdir -p "$work/$1-$2/bin"
    tar -C "$work" -xzf "$archive"
    cp "$work/ait-$version-$3/ait" "$work/$1-$2/bin/ait"
    cat >"$work/$1-$2/package.json" <<END
{
  "name": "@ait-sessions/$1-$2",
  $common,
  "description": "$description: the program for $1 $2",
  "os": ["$1"],
  "cpu": ["$2"],
  "files": ["bin/ait"],
  "preferUnplugged": true
}
END
    (cd "$folder" && npm pack --silent "$work/$1-$2")
}
platform linux x64 x86_64-unknown-linux-musl
platform linux arm64 aarch64-unknown-linux-musl
platform darwin x64 universal-apple-darwin
platform darwin arm64 universal-apple-darwin

cp -R ait-sessions "$work/wrapper"
cp ../../README.md ../../LICENSE-MIT ../../LICENSE-APACHE "$work/wrapper/"
cp -R ../../completions "$work/wrapper/completions"
# The manual page is the same in all archives.
for archive in "$archives/ait-$version-"*.tar.gz; do
    name=$(basename "$archive" .tar.gz)
    tar -C "$work" -xzf "$archive" "$name/ait.1"
    cp "$work/$name/ait.1" "$work/wrapper/ait.1"
done
cat >"$work/wrapper/package.json" <<END
{
  "name": "ait-sessions",
  $common,
  "description": "$description",
  "keywords": ["claude", "claude-code", "sessions", "prompt", "tmux"],
  "bin": { "ait": "bin/ait.js" },
  "man": ["./ait.1"],
  "files": ["bin/ait.js", "ait.1", "completions", "LICENSE-MIT", "LICENSE-APACHE"],
  "engines": { "node": ">=18" },
  "optionalDependencies": {
    "@ait-sessions/linux-x64": "$version",
    "@ait-sessions/linux-arm64": "$version",
    "@ait-sessions/darwin-x64": "$version",
    "@ait-sessions/darwin-arm64": "$version"
  }
}
END
(cd "$folder" && npm pack --silent "$work/wrapper")
