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
