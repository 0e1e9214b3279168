#!/bin/sh
# Counts the instructions of the commands that run often and compares them with the budget in benches/instructions.txt.
#
#   sh benches/instructions.sh            fails if a case takes 3 % more than its budget
#   sh benches/instructions.sh --bless    writes the counts as the new budget
#
# Times depend on the machine and on what else it does; instruction counts hardly do. Valgrind's cachegrind counts those of
# the release build, or of the program that AIT_BENCH_BINARY names. It does not count what the kernel does.
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
check | --bless) ;;
*) fail "$mode: unknown option; there is --bless" ;;
esac

machine=$(uname -m)
[ "$(uname -s)" = Linux ] || fail "the budget is for Linux"
command -v valgrind >/dev/null || fail "valgrind is not installed"
ait=${AIT_BENCH_BINARY:-}
if [ -z "$ait" ]; then
    ait=$(sh shell/build.sh) || exit 1
fi
[ -x "$ait" ] || fail "$ait: no such program"

# ---- homes with live sessions ----------------------------------------------------------------------------------------

# Its path is of the same length in every run and differs only in digits, because ait compares paths and searches for them:
# the count depends on both.
lab=$(printf '/tmp/ait-instructions-%08d' "$$")
mkdir -m 700 "$lab" || exit 1
clients=
clean_up() {
    # shellcheck disable=SC2086 # a list
    [ -z "$clients" ] || kill $clients 2>/dev/null
    rm -rf "$lab"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
cp "$ait" "$lab/ait" || exit 1

# run COMMAND...: with the environment of a client, and nothing of the caller's.
run() {
    env -i HOME="$home" XDG_RUNTIME_DIR="$home/runtime" PATH=/usr/bin:/bin USER=dev LANG=C.UTF-8 TZ=UTC \
        CLAUDE_PID="$client" "$@"
}

# Twenty processes that stand for clients. Sessions share them where there are more.
count=0
while [ "$count" -lt 20 ]; do
    sleep 3600 &
    clients="$clients $!"
    count=$((count + 1))
done

# client_of SESSION
client_of() {
    # shellcheck disable=SC2086 # a list
    set -- "$(($1 % 20 + 1))" $clients
    shift "$1"
    printf '%s' "$1"
}

id() { printf '%08d-5f0c-4a1e-9d2b-000000000000' "$1"; }

# folder SESSION: a tree of its own for each session, or one for all.
folder() {
    if [ "$spread" = tree ]; then set -- 1; fi
    printf '%s/work/project%04d' "$home" "$1"
}

# payload EVENT SESSION FOLDER MORE: the standard input of a hook
payload() {
    printf '{"session_id":"%s","transcript_path":"/t.jsonl","cwd":"%s","permission_mode":"default",' "$(id "$2")" "$3"
    printf '"hook_event_name":"%s"%s}\n' "$1" "$4"
}

prompt_event() { payload UserPromptSubmit "$1" "$(folder "$1")" ',"prompt":"Refactor the parser"'; }

# edit_event EVENT SESSION
edit_event() {
    file=$(folder "$2")/a.txt
    payload "$1" "$2" "$(folder "$2")" ',"tool_name":"Edit","tool_use_id":"toolu_6b5f52ec11ad4b7fb027b7cb",
        "tool_input":{"file_path":"'"$file"'","old_string":"alpha","new_string":"beta","replace_all":false},
        "tool_response":{"filePath":"'"$file"'","oldString":"alpha","newString":"beta","originalFile":"alpha\n",
        "structuredPatch":[],"userModified":false,"replaceAll":false},"duration_ms":48'
}

# The standard input of a status line.
status_event() {
    printf '{"session_id":"%s","transcript_path":"/t.jsonl","cwd":"%s",' "$(id 1)" "$(folder 1)"
    printf '"workspace":{"current_dir":"%s","project_dir":"%s","added_dirs":[]},' "$(folder 1)" "$(folder 1)"
    cat <<'END'
"model":{"id":"claude-opus-5-5","display_name":"Opus 5.5"},
"version":"2.1.330","output_style":{"name":"default"},
"cost":{"total_cost_usd":1.2345,"total_duration_ms":163000,"total_api_duration_ms":61000,"total_lines_added":120,
"total_lines_removed":31},"context_window":{"total_input_tokens":41000,"total_output_tokens":5200,
"context_window_size":200000,"current_usage":{"input_tokens":8,"output_tokens":402,"cache_creation_input_tokens":312,
"cache_read_input_tokens":61000},"used_percentage":31,"remaining_percentage":69},"exceeds_200k_tokens":false}
END
}

# registry_record SESSION: what the client itself writes about a session
registry_record() {
    printf '{"pid":%s,"sessionId":"%s","cwd":"%s","startedAt":1795366646696,' "$client" "$(id "$1")" "$(folder "$1")"
    printf '"version":"2.1.330","peerProtocol":1,"kind":"interactive","entrypoint":"cli","name":"project-d1",'
    printf '"nameSource":"derived","status":"busy","updatedAt":1795366648255,"statusUpdatedAt":1795366648255}'
}

# make_home NAME SESSIONS SPREAD: a home with live sessions, registered by ait itself
make_home() {
    home=$lab/$1 spread=$3
    mkdir -p "$home/.claude/sessions/active" "$home/plain" || exit 1
    mkdir -m 700 "$home/runtime" || exit 1
    session=1
    while [ "$session" -le "$2" ] || [ "$session" -eq 1 ]; do
        here=$(folder "$session")
        mkdir -p "$here/.git" && echo 'ref: refs/heads/main' >"$here/.git/HEAD"
        if [ "$session" -le "$2" ]; then
            client=$(client_of "$session")
            prompt_event "$session" | run "$lab/ait" hook session-register >/dev/null || fail "registering a session failed"
            registry_record "$session" >"$home/.claude/sessions/$client.json"
        fi
        session=$((session + 1))
    done
    client=$(client_of 1)
    found=$(find "$home/.claude/sessions/active" -name '*.json' | wc -l)
    [ "$found" -eq "$2" ] || fail "$found sessions are registered, not $2"
}

# ---- counting --------------------------------------------------------------------------------------------------------

: >"$lab/counts"
over=0

# count CASE FOLDER ARGUMENT...: counts the instructions of ait with these arguments; standard input is the program's.
count() {
    name=$1 here=$2
    shift 2
    (cd "$here" && run valgrind --tool=cachegrind --cache-sim=no --branch-sim=no --cachegrind-out-file=/dev/null \
        --log-file="$lab/log" "$lab/ait" "$@" >"$lab/stdout") || fail "ait $*: $(cat "$lab/log")"
    counted=$(sed -n 's/.*I *refs: *//p' "$lab/log" | tr -d ,)
    [ -n "$counted" ] || fail "$name: cachegrind counted nothing: $(cat "$lab/log")"
    printf '%s %s %s\n' "$machine" "$name" "$counted" >>"$lab/counts"
    compare
}

# Prints the last count beside its budget.
compare() {
    allowed=$(sed -n "s/^$machine $name //p" "$budget" 2>/dev/null)
    if [ "$mode" = --bless ]; then
        printf '%-28s %9d\n' "$name" "$counted"
    elif [ -z "$allowed" ]; then
        printf '%-28s %9d  no budget\n' "$name" "$counted"
        over=1
    elif awk "BEGIN { exit !($counted > $allowed * (1 + $tolerance / 100)) }"; then
        printf '%-28s %9d  budget %9d  OVER\n' "$name" "$counted" "$allowed"
        over=1
    else
        printf '%-28s %9d  budget %9d  ok\n' "$name" "$counted" "$allowed"
    fi
}

# expect TEXT: fails unless the last counted command printed it
expect() {
    grep -q "$1" "$lab/stdout" || fail "$name printed: $(cat "$lab/stdout")"
}

make_home none 0 trees
count prompt-0 "$(folder 1)" prompt --for zsh </dev/null
[ ! -s "$lab/stdout" ] || fail "a prompt with nothing live printed: $(cat "$lab/stdout")"
for live in 1 20 1000; do
    make_home "trees$live" "$live" trees
    count "prompt-$live" "$(folder 1)" prompt --for zsh </dev/null
    expect project0001
done
# One session, with a configuration file of 23 lines: the difference to prompt-1 is what reading it costs.
make_home configured 1 trees
mkdir -p "$home/.config/ait"
cat >"$home/.config/ait/config.toml" <<'END'
# Settings of ait.
icons = "nerd"
palette = "deutan"
guard = "ask"
notify = true

[prompt]
format = '[{project} ][{branch}[|{operation}] ][{elapsed}][ {waiting}][ {task}][ {conflict}][ {moved}][{elsewhere}]'
max_width = 60

[tmux]
format = '[{count} live][ {waiting}][ {conflict}]'

[statusline]
format = '[{project} ][{branch} ][{task}][ | {context}][ | {cost}]'

[thresholds]
context = [60, 85]
limits = [70, 90]

[style]
project = "bold cyan"
branch = "#88c0d0 on 236"
END
count prompt-configured "$(folder 1)" prompt --for zsh </dev/null
expect project0001
make_home tree20 20 tree
count prompt-20-one-tree "$(folder 1)" prompt --for zsh </dev/null
expect project0001

make_home events 20 trees
status_event >"$lab/status"
count statusline "$(folder 1)" statusline <"$lab/status"
expect Opus
for event in PreToolUse PostToolUse; do
    edit_event "$event" 1 >"$lab/event"
    count "hook-$event" "$(folder 1)" hook session-register <"$lab/event"
done
payload Stop 1 "$(folder 1)" '' >"$lab/event"
count hook-Stop "$(folder 1)" hook session-register <"$lab/event"
prompt_event 1 >"$lab/event"
count hook-UserPromptSubmit "$(folder 1)" hook session-register <"$lab/event"
# A process runs one session at a time.
sleep 3600 &
clients="$clients $!"
client=$!
payload SessionStart 77 "$home/plain" ',"source":"startup","model":"claude-opus-5-5"' >"$lab/event"
count hook-SessionStart "$home/plain" hook session-register <"$lab/event"
[ -f "$home/.claude/sessions/active/$(id 77).json" ] || fail "SessionStart registered nothing"

if [ "$mode" = --bless ]; then
    {
        echo "# Instructions of the release build: machine, case, count. Written by: sh benches/instructions.sh --bless"
        grep -v -e '^#' -e "^$machine " "$budget" 2>/dev/null
        cat "$lab/counts"
    } >"$lab/budget"
    cp "$lab/budget" "$budget"
elif [ "$over" -ne 0 ]; then
    fail "more than $tolerance % over the budget, or none; if that is worth it: sh benches/instructions.sh --bless"
fi
