#!/bin/sh
# Builds ait as it is released, and prints where the program is.
#
#     sh shell/build.sh
#
# On Linux a static binary (musl), which starts several times faster than one that loads a C library; rustup adds the
# target where it is missing. The same as `cargo build --release --target ARCH-unknown-linux-musl`.

set -eu

fail() {
    printf 'build.sh: %s\n' "$1" >&2
    exit 1
}

remark() { printf '%s\n' "$1" >&2; }

cd "$(dirname "$0")/.." || fail 'cannot enter the source tree'
[ -f Cargo.toml ] || fail "no Cargo.toml in $(pwd): run it from the source tree of ait"
command -v cargo >/dev/null 2>&1 || fail 'cargo is not in PATH: install Rust from https://rustup.rs, open a new shell, run this again'

target=
case $(uname -s) in
Linux)
    case $(uname -m) in
    x86_64 | amd64) target=x86_64-unknown-linux-musl ;;
    aarch64 | arm64) target=aarch64-unknown-linux-musl ;;
    *) remark "No static build for $(uname -m): building for this system as it is, which starts slower." ;;
    esac
    ;;
Darwin) ;;
*) remark "Not tried on $(uname -s): building for this system as it is." ;;
esac

if [ -n "$target" ]; then
    # Without rustup (a distribution's Rust) the compiler itself says where its libraries for a target would be.
    libraries=$(rustc --print target-libdir --target "$target" 2>/dev/null) || libraries=
    if [ -z "$libraries" ] || [ ! -d "$libraries" ]; then
        if command -v rustup >/dev/null 2>&1; then
            remark "Adding the target $target ..."
            rustup target add "$target" >&2 || fail "rustup could not add the target $target"
        else
            fail "Rust has no target $target and there is no rustup to add it: install the package that holds it (rust-std-static-$target, rust-musl), or use 'cargo install --path .' for a slower binary"
        fi
    fi
fi

cargo build --release --locked --bin ait ${target:+--target "$target"} >&2 || fail 'the build failed; the lines above say why'

# Where cargo put it: CARGO_TARGET_DIR or a cargo configuration may have moved it.
targets=$(cargo metadata --format-version 1 --no-deps --offline 2>/dev/null |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
program=${targets:-$PWD/target}/${target:+$target/}release/ait
[ -x "$program" ] || fail "cargo built nothing at $program"
printf '%s\n' "$program"
