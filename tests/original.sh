#!/bin/sh
# The Python original (aiterm-dev on PyPI, whose program is `ait` too) reads and changes what this one writes, and the
# other way round: `sessions live`, `current`, `task`, `prune`, `history`. Not among the tests that always run, for it
# takes a package from the net.
#
#   sh tests/original.sh [AIT]      AIT: the program to test, target/debug/ait where it is not given
#
# AIT_ORIGINAL: an original that is installed already. The last line is the sum.
set -u
cd "$(dirname "$0")/.." || exit 1
new=${1:-target/debug/ait}
version=0.7.2

fail() {
    printf 'original: %s\n' "$*" >&2
    exit 1
}

[ -x "$new" ] || fail "$new: no such program; type: cargo build"
new=$(cd "$(dirname "$new")" && pwd -P)/$(basename "$new")
lab=$(mktemp -d) || exit 1
lab=$(cd "$lab" && pwd -P)
client=
trap '[ -z "$client" ] || kill $client; rm -rf "$lab"' EXIT
trap 'exit 1' HUP INT TERM

old=${AIT_ORIGINAL:-}
if [ -z "$old" ]; then
    python3 -m venv "$lab/venv" || fail "python3 has no venv"
    "$lab/venv/bin/pip" install --quiet --disable-pip-version-check "aiterm-dev==$version" || fail "pip could not install it"
    old=$lab/venv/bin/ait
fi

home=$lab/home
mkdir -p "$home/project"
sleep 1000 &
client=$!

# Both with the same environment: this home, and lines wide enough for a table.
ours() { (cd "$home/project" && env -i HOME="$home" PATH="$PATH" TZ=UTC CLAUDE_PID="${pid:-$client}" "$new" "$@"); }
theirs() { (cd "$home/project" && env -i HOME="$home" PATH="$PATH" TZ=UTC COLUMNS=200 "$old" "$@" 2>&1); }
event() {
    ours hook session-register <<JSON
{"session_id": "$2", "hook_event_name": "$1", "cwd": "$home/project", "source": "startup", "reason": "other"}
JSON
}

passed=0 failed=0
# says WHAT TEXT: what was printed last, in $out, holds it.
says() {
    case $out in
    *"$2"*) passed=$((passed + 1)) ;;
    *)
        failed=$((failed + 1))
        printf 'FAILED: %s: no "%s" in:\n%s\n' "$1" "$2" "$out"
        ;;
    esac
}

event SessionStart first-session
out=$(theirs sessions live)
says "the original lists a session that was registered here" first-session
says "the original lists a session that was registered here" "1 active session"
out=$(theirs sessions current)
says "the original knows the session of the folder" first-session
out=$(theirs sessions task "set by the original")
says "the original sets a task" "Task set: set by the original"
out=$(ours sessions task)
says "a task that the original set is shown here" "set by the original"
event Stop first-session
out=$(ours sessions task)
says "it stands after the next event" "set by the original"
out=$(ours sessions live --json)
says "what the original rewrote has lost nothing" '"pid_start"'
out=$(ours sessions task "set here")
out=$(theirs sessions live)
says "a task that was set here is shown by the original" "set here"

event SessionEnd first-session
day=$(ls "$home/.claude/sessions/history")
out=$(theirs sessions history)
says "the original counts what was archived here" "$day  (1 sessions)"
out=$(theirs sessions history --date "$day")
says "the original shows what was archived here" first-session
says "the original shows what was archived here" completed

event SessionStart second-session
out=$(theirs sessions prune)
says "the original takes a live session for live" "All 1 session(s) are active"
kill $client
wait $client 2>/dev/null
client=
out=$(theirs sessions prune)
says "the original prunes a session of ours" "Archived 1 stale session(s)"
out=$(ours sessions history)
says "what the original pruned is shown here" "pruned"
out=$(ours sessions live)
says "and is live no more" "No live sessions."

sleep 1000 &
client=$!
printf '{\n  "session_id": "third",\n  "project": "p",\n  "path": "%s",\n  "git_branch": "main",\n  "git_dirty": true,\n  "started": "2025-12-26T14:30:00Z",\n  "pid": %s,\n  "task": null\n}\n' \
    "$home/project" "$client" > "$home/.claude/sessions/active/third.json"
out=$(ours sessions task "set here") && out=$(theirs sessions live)
says "a manifest with the documented fields only, rewritten here, is read by the original" third
says "a manifest with the documented fields only, rewritten here, is read by the original" "set here"

printf 'original: %s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
