#!/bin/sh
# Passes every test of this repository, on a fresh machine too: what is missing is installed first.
#
#   sh tests/run.sh           everything
#   sh tests/run.sh quick     formatting, lints and tests; no release build, no other platforms, no real client
#   sh tests/run.sh install   only install what is missing
#   sh tests/run.sh long      only the long runs: a million events, ten thousand kills, ten million inputs for each fuzz
#                             target. Hours.
#
# A step that fails does not stop the others. The last line is the sum: `N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 1

mode=${1:-all}
case $mode in
all | quick | install | long) ;;
*)
    echo "tests/run.sh: $mode: no such mode; type: sh tests/run.sh [quick|install|long]" >&2
    exit 2
    ;;
esac

say() { printf '%s\n' "$*"; }

fail() {
    printf 'tests/run.sh: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# ---- what is needed --------------------------------------------------------------------------------------------------

system=$(uname -s)
case $(uname -m) in
arm64 | aarch64) arch=aarch64 ;;
*) arch=x86_64 ;;
esac
if [ "$system" = Linux ]; then
    release_target=$arch-unknown-linux-musl
else
    release_target=$arch-apple-darwin
fi
# All of them in pure Rust, so `cargo check` needs no C compiler for the other platform.
check_targets="aarch64-apple-darwin aarch64-unknown-linux-musl"

# The tests use real shells, terminals and repositories. Without one of these tools the tests that need it are skipped.
tools="zsh fish elvish tmux fzf git shellcheck python3 npm cc c++"
[ "$system" = Linux ] && tools="$tools valgrind strace script ip unshare setpriv"

missing_tools() {
    for tool in $tools; do
        have "$tool" || printf '%s ' "$tool"
    done
}

# The package that brings a tool: package MANAGER TOOL
package() {
    case $1:$2 in
    apt-get:cc) echo gcc libc6-dev ;;
    apk:cc) echo gcc musl-dev ;;
    dnf:c++) echo gcc-c++ ;;
    pacman:c++) echo gcc ;;
    *:c++) echo g++ ;;
    *:cc) echo gcc ;;
    apt-get:python3) echo python3 python3-venv ;;
    dnf:shellcheck) echo ShellCheck ;;
    pacman:python3) echo python ;;
    brew:python3) echo python ;;
    apk:setpriv) echo setpriv util-linux-misc ;;
    apt-get:script) echo bsdutils ;;
    dnf:script) echo util-linux-script ;;
    dnf:ip) echo iproute ;;
    *:ip) echo iproute2 ;;
    *:script | *:unshare | *:setpriv) echo util-linux ;;
    *) echo "$2" ;;
    esac
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif ! have sudo; then
        fail "needs root to install, and there is no sudo; type as root: $*"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n true 2>/dev/null || fail "needs a password to install, and there is no terminal to ask on; type: sudo $*"
        sudo -n "$@"
    fi
}

install_tools() {
    missing=$(missing_tools)
    [ -n "$missing" ] || return 0
    manager=
    for candidate in apt-get dnf pacman apk brew; do
        have "$candidate" && manager=$candidate && break
    done
    packages=
    for tool in $missing; do
        packages="$packages $(package "${manager:-none}" "$tool")"
    done
    say "missing: $missing; installing with ${manager:-no package manager}:$packages"
    # The names are words to be split.
    # shellcheck disable=SC2086
    case $manager in
    apt-get)
        as_root apt-get update -qq &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
        ;;
    dnf) as_root dnf install -y -q $packages ;;
    pacman) as_root pacman -Sy --needed --noconfirm $packages ;;
    apk) as_root apk add $packages ;;
    brew) brew install $packages ;;
    *) fail "no package manager known here (apt-get, dnf, pacman, apk, brew); install by hand: $missing" ;;
    esac || fail "could not install:$packages"
    missing=$(missing_tools)
    [ -z "$missing" ] || fail "still missing after the installation: $missing"
}

install_rust() {
    have cargo || fail "cargo is missing; install Rust 1.95 or newer from https://rustup.rs"
    components=
    cargo fmt --version >/dev/null 2>&1 || components="rustfmt"
    cargo clippy --version >/dev/null 2>&1 || components="$components clippy"
    if [ -n "$components" ]; then
        have rustup || fail "cargo has no $components and rustup is missing; install them by your package manager"
        say "missing: $components; installing with rustup"
        # shellcheck disable=SC2086
        rustup component add $components || fail "could not add: $components"
    fi
    for target in "$release_target" $check_targets; do
        folder=$(rustc --print target-libdir --target "$target" 2>/dev/null)
        [ -n "$folder" ] && [ -d "$folder" ] && continue
        have rustup || fail "the target $target is missing, and so is rustup to add it; see https://rustup.rs"
        say "missing: $target; installing with rustup"
        rustup target add "$target" || fail "could not add the target $target"
    done
}

# Debian and others have no package of it; half a minute of a compiler where nothing is optimized.
install_starship() {
    starship=${XDG_CACHE_HOME:-$HOME/.cache}/ait-tests/starship-1.27.0
    [ -x "$starship/bin/starship" ] && return
    say "missing: starship 1.27.0; building it with cargo"
    built=$(mktemp -d) || exit 1
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$built cargo install --quiet --locked --debug --no-default-features \
        --root "$starship" --version 1.27.0 starship || fail "could not build starship"
    rm -rf "$built"
}

# Few systems have a package of nushell. The one of npm is the official build.
install_nushell() {
    nushell=${XDG_CACHE_HOME:-$HOME/.cache}/ait-tests/nushell-0.115.1
    [ -x "$nushell/bin/nu" ] && return
    say "missing: nushell 0.115.1; installing it with npm"
    npm install --silent --no-audit --no-fund --prefix "$nushell" nushell@0.115.1 || fail "could not install nushell"
    mkdir -p "$nushell/bin"
    for file in "$nushell"/node_modules/@nushell/*/bin/nu; do
        ln -sf "$file" "$nushell/bin/nu"
    done
}

# Debian's is years older.
install_xonsh() {
    xonsh=${XDG_CACHE_HOME:-$HOME/.cache}/ait-tests/xonsh-0.25.0
    [ -x "$xonsh/bin/xonsh" ] && return
    say "missing: xonsh 0.25.0; installing it with pip"
    python3 -m venv "$xonsh" || fail "could not make a virtual environment of Python; Debian has it in python3-venv"
    "$xonsh/bin/pip" install --quiet --disable-pip-version-check 'xonsh[full]==0.25.0' || fail "could not install xonsh"
}

install_tools
install_rust
install_starship
install_nushell
install_xonsh
say "all there: $tools, cargo with clippy and rustfmt, $release_target $check_targets, starship, nushell, xonsh"
# Chromium is not installed here: it is larger than all other tools together, and some distributions have no package of it.
if have chromium || have chromium-browser || have google-chrome; then
    say 'browser: the page of ait timeline is opened in Chromium'
else
    say 'browser: no Chromium, so the test that opens the page of ait timeline is skipped; install it to run that test'
fi
[ "$mode" = install ] && exit 0

# ---- the steps -------------------------------------------------------------------------------------------------------

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

passed=0
failed=0
failures=

# step NAME COMMAND...: runs it, tells how long it took, counts a failure
step() {
    name=$1
    shift
    say "== $name"
    began=$(date +%s)
    if "$@"; then
        say "== $name: ok, $(($(date +%s) - began)) s"
    else
        say "== $name: FAILED, $(($(date +%s) - began)) s"
        failed=$((failed + 1))
        failures="$failures
  $name"
    fi
}

skip() { say "== $1: not run: $2"; }

# Runs `cargo test` and adds up its result lines. A failed test counts once, not a second time as a step. CI=true: all tools
# are installed, so a skipped test is a failure.
tests() {
    { CI=true cargo test --locked --no-fail-fast 2>&1; echo $? >"$work/code"; } | tee "$work/tests"
    counts=$(awk '/^test result:/ {
        for (i = 2; i <= NF; i++) {
            if ($i ~ /^passed;?$/) passed += $(i - 1)
            if ($i ~ /^failed;?$/) failed += $(i - 1)
        }
    } END { print passed + 0, failed + 0 }' "$work/tests")
    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
    [ "$(cat "$work/code")" -eq 0 ] && return 0
    # While other tests load the machine, real shells and terminals can miss their time limits: what failed is run once
    # more, alone.
    again=$(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$work/tests")
    count=$(printf '%s\n' "$again" | grep -c .)
    # The names are words to be split.
    # shellcheck disable=SC2086
    if [ "$count" -gt 0 ] && [ "$count" -le 5 ] && [ "$count" -eq "${counts#* }" ] &&
        CI=true cargo test --locked --test it -- --test-threads=1 --exact $again 2>&1 | tee "$work/again" &&
        grep -q "^test result: ok\. $count passed" "$work/again"; then
        say "passed when run alone: $again"
        passed=$((passed + count))
        failed=$((failed - count))
        return 0
    fi
    if [ "${counts#* }" -gt 0 ]; then
        failed=$((failed - 1))
    fi
    return 1
}

posix_and_bash_files() {
    for file in .ci/run *.tmux completions/* packages/* packages/*/* shell/* shell/*/* tests/* tests/*/* benches/* fuzz/*.sh; do
        [ -f "$file" ] || continue
        case $file in
        *.sh | *.bash) echo "$file" ;;
        *.zsh | *.fish | *.rs | *.py | *.json | *.md) ;;
        *)
            if head -n 1 "$file" | grep -Eq '^#!.*[ /](sh|dash|bash)$'; then
                echo "$file"
            fi
            ;;
        esac
    done
}

# File names of this repository hold no spaces, so lists of them may be split into words.
# shellcheck disable=SC2044,SC2046
shells() {
    code=0
    shellcheck $(posix_and_bash_files) || code=1
    for file in $(find . \( -path ./target -o -path ./fuzz/target \) -prune -o -name '*.zsh' -print); do
        zsh -n "$file" || code=1
    done
    for file in $(find . \( -path ./target -o -path ./fuzz/target \) -prune -o -name '*.fish' -print); do
        fish --no-execute "$file" || code=1
    done
    for file in $(find . \( -path ./target -o -path ./fuzz/target \) -prune -o -name '*.py' -print); do
        python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" || code=1
    done
    return $code
}

# Twenty sessions, tasks, prune and readers at once: as many events as are too many for every `cargo test`.
load() { AIT_EVENTS=${1:-10000} cargo test --locked --quiet --test it robustness::many_at_once; }

long() { AIT_LONG=1 cargo test --locked --test it robustness -- --test-threads=1 --nocapture; }

fuzzing() { sh fuzz/run.sh "$@"; }

# The size of the released program on Linux: at most 2 MiB.
release() {
    program=$(sh shell/build.sh) || return 1
    printf '%s\n' "$program" >"$work/program"
    size=$(wc -c <"$program")
    say "$program: $size bytes"
    [ "$system" != Linux ] || [ "$size" -le 2097152 ] || {
        say 'more than 2 MiB'
        return 1
    }
}

# Licences and sources of the dependencies, without the network; CI also checks the advisories. Building cargo-deny takes
# minutes, so a machine without it gets a check of the two main rules of deny.toml.
dependencies() {
    if have cargo-deny; then
        cargo deny --offline check licenses bans sources
        return
    fi
    say 'cargo-deny is not installed; checking only licences and sources'
    if grep '^source = ' Cargo.lock | grep -Fv '"registry+https://github.com/rust-lang/crates.io-index"'; then
        say 'Cargo.lock: not from crates.io'
        return 1
    fi
    allowed=$(sed -n 's/^allow = \[\(.*\)\]$/\1/p' deny.toml | tr -d '",')
    # `MIT OR Apache-2.0` needs one of the two, `(MIT OR Apache-2.0) AND Unicode-3.0` one of each part.
    cargo tree --locked --no-dedupe --prefix none --format '{p}|{l}' --target all >"$work/tree" || return 1
    sort -u "$work/tree" | awk -F '|' -v allowed="$allowed" '
        BEGIN { count = split(allowed, names, " "); for (i = 1; i <= count; i++) ok[names[i]] = 1 }
        {
            gsub(/[()]/, "", $2); gsub(/\//, " OR ", $2); bad = ($2 == "")
            parts = split($2, part, " AND ")
            for (i = 1; i <= parts; i++) {
                any = 0
                choices = split(part[i], choice, " OR ")
                for (j = 1; j <= choices; j++) any = any || (choice[j] in ok)
                bad = bad || !any
            }
            if (bad) { print $1 ": licence " ($2 == "" ? "unknown" : $2); failed = 1 }
        }
        END { if (NR < 5) { print "only " NR " packages found"; failed = 1 } exit failed }'
}

documentation() { RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --quiet; }

if [ "$mode" = long ]; then
    step 'faults and load' long
    step 'fuzzing' fuzzing 0 10000000
    say "$passed passed, $failed failed$failures"
    exit "$failed"
fi

step 'formatting' cargo fmt --check
step 'shell files' shells
step 'clippy' cargo clippy --locked --quiet --all-targets -- -D warnings
step 'dependencies' dependencies
step 'tests' tests
if [ "$mode" = all ]; then
    step 'documentation' documentation
    if [ "$system" = Linux ]; then
        step 'load' load
        step 'fuzzing' fuzzing 12
    else
        skip 'load and fuzzing' 'faults are made by what Linux has'
    fi
    for target in $check_targets; do
        step "check for $target" cargo check --locked --quiet --target "$target"
    done
    step "release build for $release_target" release
    if [ "$system" != Linux ]; then
        skip 'instruction counts' "valgrind's cachegrind and the budget are for Linux"
    elif [ -f benches/instructions.sh ]; then
        step 'instruction counts' sh benches/instructions.sh
    else
        skip 'instruction counts' 'there is no benches/instructions.sh'
    fi
    if sh tests/real-client.sh ready; then
        # Where the release step built it: CARGO_TARGET_DIR may have moved it.
        step 'real client' sh tests/real-client.sh run "$(cat "$work/program" 2>/dev/null || echo 'the release build')"
    fi
fi

[ -z "$failures" ] || say "failed steps:$failures"
say "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
