#!/bin/sh
# Builds ait from this source tree and installs it. Run again, it updates.
#
#     sh shell/install.sh
#
# On Linux it builds a static binary (musl), which starts several times faster than one that loads a C library; the target
# is added by rustup where it is missing. AIT_INSTALL_DIR is where it goes, ~/.local/bin by default.

set -eu

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    exit 1
}

cd "$(dirname "$0")/.." || fail 'cannot enter the source tree'
[ -f Cargo.toml ] || fail "no Cargo.toml in $(pwd): run it from the source tree of ait"
command -v cargo >/dev/null 2>&1 || fail 'cargo is not in PATH: install Rust from https://rustup.rs, open a new shell, run this again'

folder=${AIT_INSTALL_DIR:-${HOME:+$HOME/.local/bin}}
[ -n "$folder" ] || fail 'HOME is not set: say where to install with AIT_INSTALL_DIR=/some/folder'

target=
case $(uname -s) in
Linux)
    case $(uname -m) in
    x86_64 | amd64) target=x86_64-unknown-linux-musl ;;
    aarch64 | arm64) target=aarch64-unknown-linux-musl ;;
    *) printf 'No static build for %s: building for this system as it is, which starts slower.\n' "$(uname -m)" ;;
    esac
    ;;
Darwin) ;;
*) printf 'Not tried on %s: building for this system as it is.\n' "$(uname -s)" ;;
esac

if [ -n "$target" ]; then
    # Without rustup (a distribution's Rust) the compiler itself says where its libraries for a target would be.
    libraries=$(rustc --print target-libdir --target "$target" 2>/dev/null) || libraries=
    if [ -z "$libraries" ] || [ ! -d "$libraries" ]; then
        if command -v rustup >/dev/null 2>&1; then
            printf 'Adding the target %s ...\n' "$target"
            rustup target add "$target" || fail "rustup could not add the target $target"
        else
            fail "Rust has no target $target and there is no rustup to add it: install the package that holds it (rust-std-static-$target, rust-musl), or use 'cargo install --path .' for a slower binary"
        fi
    fi
    cargo build --release --locked --bin ait --target "$target" || fail 'the build failed; the lines above say why'
else
    cargo build --release --locked --bin ait || fail 'the build failed; the lines above say why'
fi

# Where cargo put it: CARGO_TARGET_DIR or a cargo configuration may have moved it.
targets=$(cargo metadata --format-version 1 --no-deps --offline 2>/dev/null |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
built=${targets:-target}/${target:+$target/}release/ait
[ -x "$built" ] || fail "cargo built nothing at $built"

# Copied beside, then renamed: a running prompt sees the old program or the new one.
mkdir -p "$folder" || fail "cannot make $folder"
new=$folder/.ait.$$
trap 'rm -f "$new"' EXIT
trap 'exit 1' HUP INT TERM
before=
if [ -x "$folder/ait" ]; then before=$("$folder/ait" --version 2>/dev/null) || before='an older one'; fi
if ! { cp "$built" "$new" && chmod 755 "$new" && mv -f "$new" "$folder/ait"; }; then fail "cannot write $folder/ait"; fi
after=$("$folder/ait" --version) || fail "$folder/ait does not run"

if [ -n "$before" ]; then
    printf 'Updated %s: %s (was %s)\n' "$folder/ait" "$after" "$before"
else
    printf 'Installed %s: %s\n' "$folder/ait" "$after"
fi

printf '\nNext:\n'
# shellcheck disable=SC2016 # to be typed, not expanded here
case :${PATH-}: in
*:"$folder":*) ;;
*) printf '  %s is not in PATH; in your shell'\''s start file:\n      export PATH="%s:$PATH"\n' "$folder" "$folder" ;;
esac
printf '  ait hooks install          sessions are tracked from now on\n'
# shellcheck disable=SC2016
case ${SHELL-} in
*/zsh) printf '  eval "$(ait init zsh)"     at the end of ~/.zshrc: the segment in your prompt\n' ;;
*/bash) printf '  eval "$(ait init bash)"    at the end of ~/.bashrc: the segment in your prompt\n' ;;
*/fish) printf '  ait init fish | source     at the end of ~/.config/fish/config.fish: the segment in your prompt\n' ;;
*) printf '  ait init --help            the segment in zsh, bash, fish, tmux or starship\n' ;;
esac
printf '  ait init tmux              two lines for tmux.conf\n'
