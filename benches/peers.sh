#!/bin/sh
# Installs the programs that `cargo bench` measures beside ait, into target/peers. This takes some minutes.
#
#     sh benches/peers.sh
#
# A peer that cannot be installed is left out, and `cargo bench` says so.
set -u
cd "$(dirname "$0")/.." || exit 1

folder=${CARGO_TARGET_DIR:-target}/peers
code=0
for peer in agent-status@2.1.0 cship@1.8.3 starship@1.27.0; do
    cargo install --locked --quiet --target-dir "$folder/build" --root "$folder" "$peer" || {
        printf 'peers.sh: %s: not installed\n' "$peer" >&2
        code=1
    }
done
rm -rf "$folder/build"
exit "$code"
