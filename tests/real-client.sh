#!/bin/sh
# The real Claude Code client, on a machine of its own with nothing but a loopback network, against a stand-in of the
# Messages API: a scripted hour in half a minute, and after every step a look at what `ait` says of it.
#
#   sh tests/real-client.sh install     the client, from npm, into a cache folder of its own
#   sh tests/real-client.sh ready       whether the story can be run here; says why where it cannot
#   sh tests/real-client.sh run AIT     the story, with this ait (build it for musl: it is run on the system's bare folders)
#   sh tests/real-client.sh cost AIT    what the hooks cost a turn of twenty tool calls
#   sh tests/real-client.sh plugin AIT  the Claude Code plugin of this repository, alone and beside installed hooks
#   sh tests/real-client.sh shell AIT   the same machine with a shell instead of the story, to look around
#
# AIT_CLIENT: another client binary. AIT_KEEP=1: keep the folder with the home of the run, and say where it is.
set -u
here=$(cd "$(dirname "$0")" && pwd -P)
version=2.1.332
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ait-tests/claude-$version

case $(uname -m) in
aarch64 | arm64) arch=arm64 ;;
*) arch=x64 ;;
esac
client=${AIT_CLIENT:-$cache/node_modules/@anthropic-ai/claude-code-linux-$arch/claude}

fail() {
    printf 'real client: %s\n' "$*" >&2
    exit 1
}

not_run() {
    steps=$(cat "$here/real-client/story.py" "$here/real-client/states.py" | grep -cE '^    (story\.)?step\(')
    printf 'real client: %s; %s steps of its story not run\n' "$1" "$steps"
    [ -z "${2:-}" ] || printf 'real client: to run them: %s\n' "$2"
    exit 1
}

# As root a plain set of namespaces; as anybody else the same inside a user namespace, where the system permits one.
own_namespaces() {
    if [ "$(id -u)" -eq 0 ]; then
        unshare --net --mount --pid --uts --fork --kill-child --mount-proc "$@"
    else
        unshare --user --map-root-user --net --mount --pid --uts --fork --kill-child --mount-proc "$@"
    fi
}

ready() {
    [ "$(uname -s)" = Linux ] || not_run "needs Linux's namespaces"
    [ -x "$client" ] || not_run "not installed" "sh tests/real-client.sh install"
    for tool in unshare setpriv ip tmux git python3; do
        command -v $tool >/dev/null 2>&1 || not_run "$tool is missing" "sh tests/run.sh install"
    done
    own_namespaces mount -t tmpfs tmpfs /mnt 2>/dev/null ||
        not_run "this system permits no namespaces of our own to $(id -un)" "try as root, outside of a container"
}

install() {
    command -v npm >/dev/null 2>&1 || fail "npm is missing; install node and npm by your package manager"
    if [ -x "$client" ]; then
        echo "real client: already there: $client"
        return
    fi
    mkdir -p "$cache" || exit 1
    # The version is named: on node older than 22 npm would choose an older client without a word. The client brings its
    # own runtime, so npm's warning about node does not matter.
    (cd "$cache" && { [ -f package.json ] || echo '{"private":true}' >package.json; } &&
        npm install --no-audit --no-fund --ignore-scripts "@anthropic-ai/claude-code@$version") || fail "npm could not install it"
    [ -x "$client" ] || fail "npm installed no client for this system: $client"
    echo "real client: installed: $client"
}

# run story|cost|plugin|shell AIT
run() {
    ready
    ait=${2:?which ait? type: sh tests/real-client.sh run PATH}
    [ -x "$ait" ] || fail "$ait: no such program; type: cargo build --release --target $(uname -m)-unknown-linux-musl"
    work=$(mktemp -d) || exit 1
    if [ -n "${AIT_KEEP:-}" ]; then
        echo "real client: its home stays in $work/home"
    else
        trap 'rm -rf "$work"' EXIT
    fi
    trap 'exit 1' HUP INT TERM
    mkdir -p "$work/home/.local/bin" && cp "$ait" "$work/home/.local/bin/ait" || exit 1
    if [ "$1" = plugin ]; then
        mkdir "$work/home/marketplace" && cp -R "$here/../.claude-plugin" "$here/../plugin" "$work/home/marketplace" || exit 1
    fi
    own_namespaces bash "$here/real-client/machine.sh" "$work" "$here/real-client" "$client" "$1"
}

case ${1:-} in
install) install ;;
ready) ready ;;
run) run story "${2:-}" ;;
cost | plugin) run "$1" "${2:-}" ;;
shell) run shell "${2:-}" ;;
*)
    sed -n '2,12s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
