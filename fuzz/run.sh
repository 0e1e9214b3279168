#!/bin/sh
# Fuzzes what reads foreign formats, with the toolchain that builds the program: libFuzzer comes with its crate, and the
# compiler's own pass counts what an input reaches. Two targets at a time.
#
#   sh fuzz/run.sh                         20 seconds each
#   sh fuzz/run.sh SECONDS                 so long each; 0: without end
#   sh fuzz/run.sh SECONDS RUNS            at most so many inputs each; 10000000 with SECONDS 0 is the long run
#   sh fuzz/run.sh SECONDS RUNS TARGET...  only these; RUNS -1: no bound
#   sh fuzz/run.sh build                   only build
#
# What is found stays in fuzz/artifacts, what led to new code in fuzz/corpus. An input may cost 50 ms and 64 MiB
# (src/lib.rs). JOBS says how many targets run at a time.
set -u
cd "$(dirname "$0")" || exit 1

host=$(rustc -vV | sed -n 's/^host: //p')
# Where cargo builds: CARGO_TARGET_DIR or a cargo configuration may have moved it.
target=$(cargo metadata --format-version 1 --no-deps --offline 2>/dev/null |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
bin=${target:-target}/$host/release

# Where each target's first inputs come from.
seeds() {
    case $1 in
    hook_payload | status_payload | registry | fields) echo ../tests/payloads ;;
    settings) echo ../tests/settings/foreign ../tests/settings/ours ../tests/settings/refused ;;
    esac
    [ ! -d "seeds/$1" ] || echo "seeds/$1"
}

words() {
    case $1 in
    hook_payload | status_payload | manifest | settings | registry | touched | fields) echo -dict=words/json.dict ;;
    git | format) echo "-dict=words/$1.dict" ;;
    esac
}

# one TARGET SECONDS RUNS
one() {
    mkdir -p "corpus/$1" "artifacts/$1"
    log=artifacts/$1.log
    # In memory where the system has such a place.
    if [ -d /dev/shm ]; then shared=/dev/shm; else shared=${TMPDIR:-/tmp}; fi
    AIT_FUZZ_FOLDER=$(mktemp -d "$shared/ait-fuzz-XXXXXX") || return 1
    export AIT_FUZZ_FOLDER
    # The limit is libFuzzer's, for the process with all the inputs that it keeps; what one input may take is less.
    # Lists are words to be split.
    # shellcheck disable=SC2046
    "$bin/$1" -max_total_time="$2" -runs="$3" -max_len=16384 -len_control=20 -timeout=5 -rss_limit_mb=512 -seed=1 \
        -print_final_stats=1 -artifact_prefix="artifacts/$1/" $(words "$1") "corpus/$1" $(seeds "$1") >"$log" 2>&1
    code=$?
    rm -rf "$AIT_FUZZ_FOLDER"
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
    reached=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    if [ "$code" -eq 0 ]; then
        echo "$1: ok, ${runs:-0} inputs, ${reached:-0} places reached, ${peak:-0} MiB"
    else
        echo "$1: FAILED (exit code $code); the input is in fuzz/artifacts/$1"
        grep -aE "panicked at|ERROR: libFuzzer" -A 3 "$log" | head -n 12
        return 1
    fi
}

if [ "${1:-}" = one ]; then
    shift
    one "$1" "$2" "$3"
    exit
fi

all=$(sed -n 's/^path = "fuzz_targets\/\(.*\)\.rs"/\1/p' Cargo.toml)
seconds=${1:-20}
runs=${2:--1}
if [ $# -gt 2 ]; then
    shift 2
    all="$*"
fi

RUSTFLAGS="-C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4 \
-C llvm-args=-sanitizer-coverage-inline-8bit-counters -C llvm-args=-sanitizer-coverage-pc-table \
-C llvm-args=-sanitizer-coverage-trace-compares -C llvm-args=-simplifycfg-branch-fold-threshold=0 --cfg fuzzing"
export RUSTFLAGS
# With a target named, the flags are for what is fuzzed and not for what builds it.
cargo build --locked --quiet --release --target "$host" || exit 1
[ "$seconds" = build ] && exit 0

# shellcheck disable=SC2086
printf '%s\n' $all | xargs -P "${JOBS:-2}" -I TARGET sh run.sh one TARGET "$seconds" "$runs"
