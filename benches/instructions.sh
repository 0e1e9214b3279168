#!/bin/sh
# Counts the instructions of the fast three and compares them with the committed budget, benches/instructions.txt.
#
#   sh benches/instructions.sh            fails where a case takes 3 % more than its budget
#   sh benches/instructions.sh --bless    writes what is counted now as the new budget
#   sh benches/instructions.sh --order    writes which functions are run into .cargo/order.ld: they are laid side by side
#                                         in the binary, where a page that is not touched is not loaded
#
# Times depend on the machine and on what else it does; a count of instructions hardly does. What is counted is the
# release build, or the program named by AIT_BENCH_BINARY, by valgrind's cachegrind. System calls count as nothing.
set -u
cd "$(dirname "$0")/.." || exit 1
budget=$PWD/benches/instructions.txt
tolerance=3

fail() {
    printf 'instructions: %s\n' "$*" >&2
    exit 1
}

mode=${1:-check}
case $mode in
check | --bless | --order) ;;
*) fail "$mode: no such option; there are --bless and --order" ;;
esac

machine=$(uname -m)
[ "$(uname -s)" = Linux ] || fail "the budget is for Linux; valgrind knows no other system well"
command -v valgrind >/dev/null || fail "valgrind is not installed"
ait=${AIT_BENCH_BINARY:-}
if [ -z "$ait" ]; then
    if [ "$mode" = --order ]; then
        # Its functions have to have names.
        export CARGO_PROFILE_RELEASE_STRIP=none CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/named"
    fi
    ait=$(sh shell/build.sh) || exit 1
fi
[ -x "$ait" ] || fail "$ait: no such program"

# ---- a home that is the same each time: its path has always the same length ------------------------------------------

lab=$(mktemp -d /tmp/ait-instructions.XXXXXXXX) || exit 1
clients=
tidy() {
    # shellcheck disable=SC2086 # several of them
    [ -z "$clients" ] || kill $clients 2>/dev/null
    rm -rf "$lab"
}
trap tidy EXIT
trap 'exit 1' HUP INT TERM

# One program by one path, and nothing of the caller's environment.
cp "$ait" "$lab/ait" || exit 1
run() { env -i HOME="$home" PATH=/usr/bin:/bin USER=dev LANG=C.UTF-8 TZ=UTC CLAUDE_PID="$client" "$@"; }

# Twenty processes that stand for clients.
count=0
while [ "$count" -lt 20 ]; do
    sleep 3600 &
    clients="$clients $!"
    count=$((count + 1))
done

id() { printf '%08d-5f0c-4a1e-9d2b-000000000000' "$1"; }

folder() { printf '%s/work/project%04d' "$home" "$1"; }

# payload EVENT SESSION FOLDER MORE
payload() {
    printf '{"session_id":"%s","transcript_path":"/t.jsonl","cwd":"%s","permission_mode":"default",' "$(id "$2")" "$3"
    printf '"hook_event_name":"%s"%s}\n' "$1" "$4"
}

prompt_event() { payload UserPromptSubmit "$1" "$(folder "$1")" ',"prompt":"Refactor the index"'; }

tool_event() {
    payload PostToolUse "$1" "$(folder "$1")" ',"tool_name":"Edit","tool_use_id":"toolu_6b5f52ec11ad4b7fb027b7cb",
        "tool_input":{"file_path":"/a.txt","old_string":"alpha","new_string":"beta","replace_all":false},
        "tool_response":{"filePath":"/a.txt","oldString":"alpha","newString":"beta","originalFile":"alpha\n",
        "structuredPatch":[],"userModified":false,"replaceAll":false},"duration_ms":48'
}

status_event() {
    printf '{"session_id":"%s","transcript_path":"/t.jsonl","cwd":"%s",' "$(id 1)" "$(folder 1)"
    cat <<'END'
"model":{"id":"claude-opus-5-5","display_name":"Opus 5.5"},
"workspace":{"current_dir":"/","project_dir":"/","added_dirs":[]},"version":"2.1.330","output_style":{"name":"default"},
"cost":{"total_cost_usd":1.2345,"total_duration_ms":163000,"total_api_duration_ms":61000,"total_lines_added":120,
"total_lines_removed":31},"context_window":{"total_input_tokens":41000,"total_output_tokens":5200,
"context_window_size":200000,"current_usage":{"input_tokens":8,"output_tokens":402,"cache_creation_input_tokens":312,
"cache_read_input_tokens":61000},"used_percentage":31,"remaining_percentage":69},"exceeds_200k_tokens":false}
END
}

# record SESSION: what the client itself keeps of a session
record() {
    printf '{"pid":%s,"sessionId":"%s","cwd":"%s","startedAt":1795366646696,' "$client" "$(id "$1")" "$(folder "$1")"
    printf '"version":"2.1.330","peerProtocol":1,"kind":"interactive","entrypoint":"cli","name":"project-d1",'
    printf '"nameSource":"derived","status":"busy","updatedAt":1795366648255,"statusUpdatedAt":1795366648255}'
}

# home NAME SESSIONS: the sessions are registered by ait itself.
home() {
    home=$lab/$1
    mkdir -p "$home/.claude/sessions/active" "$home/plain" || exit 1
    session=1
    while [ "$session" -le "$2" ] || [ "$session" -eq 1 ]; do
        here=$(folder "$session")
        mkdir -p "$here/.git" && echo 'ref: refs/heads/main' >"$here/.git/HEAD"
        if [ "$session" -le "$2" ]; then
            # shellcheck disable=SC2086 # a list of them
            client=$(nth $((session % 20 + 1)) $clients)
            prompt_event "$session" | run "$lab/ait" hook session-register || fail "a session is not registered"
            record "$session" >"$home/.claude/sessions/$client.json"
        fi
        session=$((session + 1))
    done
    # shellcheck disable=SC2086 # a list of them
    client=$(nth 2 $clients)
    found=$(find "$home/.claude/sessions/active" -name '*.json' | wc -l)
    [ "$found" -eq "$2" ] || fail "$found sessions are registered, not $2"
}

nth() {
    shift "$1"
    printf '%s' "$1"
}

# ---- counting --------------------------------------------------------------------------------------------------------

# instructions FOLDER ARGUMENT...: what cachegrind counts; standard input and output are the program's.
instructions() {
    cd "$1" || exit 1
    shift
    if [ "$mode" = --order ]; then
        run valgrind --tool=callgrind --demangle=no --callgrind-out-file="$lab/calls.%p" \
            --log-file="$lab/log" "$lab/ait" "$@" >"$lab/stdout" || fail "ait $*: $(cat "$lab/log")"
        echo 0
        return
    fi
    run valgrind --tool=cachegrind --cache-sim=no --branch-sim=no --cachegrind-out-file=/dev/null \
        --log-file="$lab/log" "$lab/ait" "$@" >"$lab/stdout" || fail "ait $*: $(cat "$lab/log")"
    sed -n 's/.*I *refs: *//p' "$lab/log" | tr -d ,
}

: >"$lab/counts"
worst=0
# count NAME COUNT
count() {
    [ -n "$2" ] || fail "$1: cachegrind counted nothing: $(cat "$lab/log")"
    printf '%s %s %s\n' "$machine" "$1" "$2" >>"$lab/counts"
    allowed=$(sed -n "s/^$machine $1 //p" "$budget" 2>/dev/null)
    if [ "$mode" = --order ]; then
        return
    elif [ "$mode" = --bless ]; then
        printf '%-28s %9d\n' "$1" "$2"
    elif [ -z "$allowed" ]; then
        printf '%-28s %9d  no budget\n' "$1" "$2"
        worst=1
    else
        change=$(awk "BEGIN { printf \"%+.2f\", ($2 / $allowed - 1) * 100 }")
        over=$(awk "BEGIN { print ($2 > $allowed * (1 + $tolerance / 100)) }")
        verdict=ok
        [ "$over" -eq 0 ] || verdict=OVER worst=1
        printf '%-28s %9d  budget %9d  %7s %%  %s\n' "$1" "$2" "$allowed" "$change" "$verdict"
    fi
}

says() {
    grep -q "$1" "$lab/stdout" || fail "ait says: $(cat "$lab/stdout")"
}

# The first prompt writes the index, the second finds it too young; only one that is older than a tick is believed.
settle() {
    sleep 0.2
    (cd "$(folder 1)" && run "$lab/ait" prompt >/dev/null)
}

for live in 0 1 20 1000; do
    home "home$live" "$live"
    settle
    counted=$(instructions "$(folder 1)" prompt --for zsh </dev/null) || exit 1
    if [ "$live" -eq 0 ]; then
        [ ! -s "$lab/stdout" ] || fail "ait says something where nothing is live"
    else
        says project0001
    fi
    count "prompt-$live" "$counted"
done
# A list is none of the fast three, but is laid beside them. The first one leaves what the second knows of the records.
[ "$mode" != --order ] || (cd "$(folder 1)" && run "$lab/ait" sessions live >/dev/null) || exit 1
[ "$mode" != --order ] || (instructions "$(folder 1)" sessions live) </dev/null >/dev/null || exit 1

home events 20
prompt_event 1 >"$lab/prompt"
tool_event 1 >"$lab/tool"
payload SessionStart 77 "$home/plain" ',"source":"startup","model":"claude-opus-5-5"' >"$lab/start"
status_event >"$lab/status"
run "$lab/ait" hook session-register <"$lab/tool"
counted=$(instructions "$(folder 1)" hook session-register <"$lab/prompt") || exit 1
count hook-UserPromptSubmit "$counted"
counted=$(instructions "$(folder 1)" hook session-register <"$lab/tool") || exit 1
count hook-PostToolUse "$counted"
# A client of its own: a process runs one session at a time.
sleep 3600 &
clients="$clients $!"
client=$!
counted=$(instructions "$home/plain" hook session-register <"$lab/start") || exit 1
[ -f "$home/.claude/sessions/active/$(id 77).json" ] || fail "SessionStart registers nothing"
count hook-SessionStart "$counted"
settle
counted=$(instructions "$(folder 1)" statusline <"$lab/status") || exit 1
says Opus
count statusline "$counted"

# The functions in the form of a linker script, those that most cases run first. What names the version of a crate in a
# Rust symbol is left open, what counts its letters, and the number at the end of a name that is there twice; C functions
# have an object each. What is rarely run, as its authors believe, has a section of that name.
order() {
    cat "$lab"/calls.* | sed -n 's/^c*fn=([0-9]*) //p' | sort | uniq -c | sort -k 1,1nr -k 2,2 |
        awk '{ renamed = sub(/[.][0-9]+$/, "", $2) }
            $2 ~ /^_R[A-Za-z0-9_]+$/ { gsub(/Cs[0-9A-Za-z]+_/, "Cs*_", $2); gsub(/B[0-9A-Za-z]*_/, "B*_", $2)
                if (renamed) $2 = $2 ".*"
                print "*(.text." $2 " .text.unlikely." $2 ")" }
            $2 ~ /^[a-z_][a-z_0-9]+$/ { print "*(.text." $2 ")"; print "*" $2 ".lo(.text .text.*)" }' | awk '!known[$0]++'
}

if [ "$mode" = --order ]; then
    {
        echo '/* Written by: sh benches/instructions.sh --order */'
        # What valgrind has no names for: start-up code, and what is written in assembler.
        for object in crt1.o 'crtbegin*.o' __libc_start_main.lo __set_thread_area.lo memcpy.lo memset.lo memmove.lo memcmp.lo; do
            echo "*$object(.text .text.*)"
        done
        order
    } >"$lab/order"
    cp "$lab/order" .cargo/order.ld
    printf '%d functions are laid side by side; count anew: sh benches/instructions.sh --bless\n' "$(grep -c '^[*]' .cargo/order.ld)"
elif [ "$mode" = --bless ]; then
    {
        echo "# Instructions of the release build: machine, case, count. Written by: sh benches/instructions.sh --bless"
        grep -v -e '^#' -e "^$machine " "$budget" 2>/dev/null
        cat "$lab/counts"
    } >"$lab/budget"
    cp "$lab/budget" "$budget"
elif [ "$worst" -ne 0 ]; then
    fail "more than $tolerance % over the budget, or none; if that is worth it: sh benches/instructions.sh --bless"
fi
