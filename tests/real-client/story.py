#!/usr/bin/env python3
"""The story: what a day with several sessions brings, played by the real client. After every step all checks must hold.

story.py           the story
story.py prepare   only what comes before it: repositories, `ait hooks install`, the client's first questions

A step is a function below `play` with the work and then `step(NAME)`; what is expected from there on is set in
`story.sessions` between the two.
"""
import os
import signal
import subprocess
import sys
import time

import client
import states
from checks import CHECKS, Session, ait
from client import HOME, Terminal, poll

PROJECT = HOME + "/project"
WORKTREE = PROJECT + "/.claude/worktrees/wt1"
WORK = HOME + "/.claude-work"


def run(*command, folder=HOME):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError("%s: %s%s" % (" ".join(command), done.stdout, done.stderr))
    return done.stdout.strip()


def git(*arguments):
    return run("git", "-c", "user.name=dev", "-c", "user.email=dev@localhost", *arguments, folder=PROJECT)


def prepare_project():
    os.makedirs(PROJECT)
    git("init", "--quiet", "--initial-branch=story/one")
    with open(PROJECT + "/kept.txt", "w") as file:
        file.write("alpha\n")
    git("add", "kept.txt")
    git("commit", "--quiet", "--message=start")
    os.makedirs(HOME + "/.claude", mode=0o700)


def prepare():
    prepare_project()
    print(run("ait", "hooks", "install"))
    client.seed([PROJECT, WORKTREE])


class Story:
    """What is expected, and what went wrong so far."""

    def __init__(self):
        self.sessions = {}
        self.began = time.time()
        self.passed = 0
        self.failed = 0

    def head(self, folder):
        return run("git", "rev-parse", "HEAD", folder=folder)

    def problems(self):
        return [problem for check in CHECKS for problem in check(self)]

    def step(self, name):
        """All checks, until they hold: a hook may still be at work when the client goes on."""
        found = []

        def hold():
            found[:] = self.problems()
            return not found

        try:
            poll(lambda: "", hold, seconds=3)
            self.passed += 1
            print("%5.1f s  ok      %s" % (time.time() - self.began, name), flush=True)
        except TimeoutError:
            self.failed += 1
            print("%5.1f s  FAILED  %s" % (time.time() - self.began, name), flush=True)
            for problem in found:
                print("                 " + problem, flush=True)


def play(story):
    step = story.step

    first = Terminal("first")
    id, pid = first.started("startup")
    one = story.sessions[id] = Session(pid, PROJECT, "story/one", dirty=False)
    step("start")

    first.type("hello SAY[first reply]")
    first.wait_event("Stop")
    one.task = "hello SAY[first reply]"
    step("prompt")

    first.new()
    first.type("work SLOW[4]")
    first.wait_event("UserPromptSubmit")
    first.wait_status(pid, "busy")
    one.state = "working"
    step("in the middle of a turn")
    first.wait_event("Stop")
    one.state = "idle"
    step("the turn ended")

    first.new()
    first.type("please BASH[git checkout -q -b story/two && ait sessions task 'set from inside'] SAY[ok]")
    first.wait_event("PermissionRequest")
    first.wait_status(pid, "waiting")
    one.state, one.waiting_for = "waiting", "permission"
    step("a permission dialog is open")
    first.wait_event("Notification", notification_type="permission_prompt")
    step("it has been open for six seconds")
    first.answer("Do you want to proceed")
    first.wait_event("Stop")
    one.state, one.waiting_for = "idle", None
    one.branch, one.task = "story/two", "set from inside"
    step("a command that changes the branch and sets the task")

    first.new()
    first.type("now READ[%s/kept.txt] EDIT[%s/kept.txt|alpha|beta] SAY[ok]" % (PROJECT, PROJECT))
    first.wait_event("PermissionRequest", tool_name="Edit")
    first.answer("Do you want to make this edit")
    first.wait_event("Stop")
    one.dirty = True
    step("a file is edited")

    # No hook runs for Read: what it waits for, and until when, is known from the client's own record.
    first.new()
    first.type("now READ[/etc/hostname] SLOW[3] SAY[ok]")
    first.wait_event("PermissionRequest", tool_name="Read")
    first.wait_status(pid, "waiting")
    one.state, one.waiting_for = "waiting", "permission"
    step("a dialog of a tool without hooks is open")
    first.answer("Do you want to proceed")
    first.wait_status(pid, "busy")
    one.state, one.waiting_for = "working", None
    step("it is approved, and the turn goes on")
    first.wait_event("Stop")
    one.state = "idle"
    step("the turn with a tool without hooks ended")

    first.new()
    first.type("now AGENT[look SLOW{{6}} SAY{{seen}}] SAY[ok]")
    first.wait_event("Stop")
    # The client says itself that the sub-agent ended; the turn that follows is the last one. It may end at any time.
    ended = lambda: sum(record["event"] == "Stop" for record in client.recorded(first.mark)) > 1
    one.state = lambda: "idle" if ended() else "working"
    step("a sub-agent works on in the background")
    first.wait_event("SubagentStop")
    poll(lambda: "no second Stop", ended)
    one.state = "idle"
    step("the sub-agent ended")

    first.new()
    first.type("ask ASK[Which way?] SAY[ok]")
    first.wait_event("PermissionRequest")
    first.wait_status(pid, "waiting")
    one.state, one.waiting_for = "waiting", "question"
    step("a question is open")
    first.answer("Enter to select")
    first.wait_event("Stop")
    one.state, one.waiting_for = "idle", None
    step("the question is answered")

    first.new()
    first.type("go SLOW[20]")
    first.wait_event("UserPromptSubmit")
    first.wait_status(pid, "busy")
    first.keys("Escape")
    first.wait_status(pid, "idle")
    step("Esc in a turn")
    # Esc puts the prompt back into the input box.
    first.keys("C-u")

    first.new()
    first.type("go BASH[sleep 20] SAY[ok]")
    first.wait_event("PreToolUse")
    first.wait_status(pid, "busy")
    one.state = "working"
    step("a tool runs")
    first.keys("Escape")
    first.wait_status(pid, "idle")
    one.state = "idle"
    step("Esc while a tool runs")

    first.new()
    first.type("go BASH[touch never] SAY[ok]")
    first.wait_event("PermissionRequest")
    first.wait_status(pid, "waiting")
    first.answer("Do you want to proceed", "Escape")
    first.wait_status(pid, "idle")
    step("a permission is refused with Esc")
    first.keys("C-u")

    first.new()
    first.type("/rename my-name")
    poll(lambda: "not renamed:\n" + first.screen(), lambda: client.registry()[pid]["name"] == "my-name")
    step("/rename")
    first.type("/compact")
    first.wait_event("PostCompact")
    step("/compact")

    first.new()
    first.type("/clear")
    cleared = first.wait_event("SessionStart", source="clear")["payload"]["session_id"]
    one.pids, one.status, one.reason = [], "completed", "clear"
    two = story.sessions[cleared] = Session(pid, PROJECT, "story/two", dirty=True)
    two.task = "my-name"
    step("/clear")

    second = Terminal("second", "--worktree wt1")
    id, pid2 = second.started("startup")
    other_tree = story.sessions[id] = Session(pid2, WORKTREE, "worktree-wt1", dirty=False)
    step("a second session, in a worktree")

    third = Terminal("third")
    id, pid3 = third.started("startup")
    killed = story.sessions[id] = Session(pid3, PROJECT, "story/two", dirty=True)
    step("a third session, in the same tree")
    os.kill(pid3, signal.SIGKILL)
    poll(lambda: "still there", lambda: not client.is_running(pid3))
    # Whether it lies in history already is up to who passes by.
    killed.pids, killed.perhaps_pruned = [], True
    step("kill -9")
    ait("sessions", "prune")
    killed.status, killed.perhaps_pruned = "pruned", False
    step("prune")

    # The first prompt of the new session; without one there would be nothing to resume.
    first.new()
    first.type("bye SAY[bye]")
    first.wait_event("Stop")
    step("a prompt after /clear")

    fourth = Terminal("fourth", "--resume " + cleared)
    id, pid4 = fourth.started("resume")
    two.pids.append(pid4)
    step("the same session in two terminals")
    os.kill(pid4, signal.SIGTERM)
    poll(lambda: "still there", lambda: not client.is_running(pid4))
    two.pids.remove(pid4)
    step("one of the two ends")

    first.new()
    first.type("/exit")
    poll(lambda: "still there", lambda: not client.is_running(pid))
    two.pids, two.status, two.reason = [], "completed", "prompt_input_exit"
    step("/exit")

    fifth = Terminal("fifth", "--continue")
    id, pid5 = fifth.started("resume")
    if id != cleared:
        raise RuntimeError("--continue took %s, not %s" % (id, cleared))
    two.pids, two.status, two.reason = [pid5], None, None
    step("--continue")
    os.kill(pid5, signal.SIGTERM)
    poll(lambda: "still there", lambda: not client.is_running(pid5))
    two.pids, two.status, two.reason = [], "interrupted", "other"
    step("SIGTERM")

    os.kill(pid2, signal.SIGHUP)
    poll(lambda: "still there", lambda: not client.is_running(pid2))
    other_tree.pids, other_tree.status, other_tree.reason = [], "interrupted", "other"
    step("SIGHUP")

    sixth = Terminal("sixth")
    id, pid6 = sixth.started("startup")
    closed = story.sessions[id] = Session(pid6, PROJECT, "story/two", dirty=True)
    sixth.close()
    poll(lambda: "still there", lambda: not client.is_running(pid6))
    closed.pids, closed.status, closed.reason = [], "interrupted", "other"
    step("the terminal is closed")

    mark = len(client.recorded())
    run("claude", "-p", "hi SAY[ok]", folder=PROJECT)
    headless = next(record for record in client.recorded(mark) if record["event"] == "SessionStart")
    ended = story.sessions[headless["payload"]["session_id"]] = Session(headless["pid"], PROJECT, "story/two")
    ended.pids, ended.status, ended.reason, ended.task = [], "completed", "other", "hi SAY[ok]"
    step("without a terminal: claude -p")

    with_other_profiles(story)
    with_a_container(story)
    without_hooks(story)
    states.play(story)


def exit_client(terminal, pid):
    terminal.type("/exit")
    poll(lambda: "still there", lambda: not client.is_running(pid))


def with_other_profiles(story):
    """Two profiles in one tree."""
    os.makedirs(WORK, mode=0o700)
    run("env", "CLAUDE_CONFIG_DIR=" + WORK, "ait", "hooks", "install")
    client.seed([PROJECT], config=WORK)
    seventh = Terminal("seventh")
    id, pid = seventh.started("startup")
    own = story.sessions[id] = Session(pid, PROJECT, "story/two", dirty=True)
    eighth = Terminal("eighth", config=WORK)
    eighth.wait_screen("1 other live session in this working tree")
    id, other_pid = eighth.started("startup")
    other = story.sessions[id] = Session(other_pid, PROJECT, "story/two", dirty=True)
    other.other_profile = True
    story.step("a second profile in the same tree, which is told")
    ait("sessions", "prune")
    story.step("prune in the first profile leaves it alone")
    exit_client(eighth, other_pid)
    # It is in the history of its own profile.
    other.pids = []
    story.step("the session of the second profile ended")
    exit_client(seventh, pid)
    own.pids, own.status, own.reason = [], "completed", "prompt_input_exit"


CONTAINER = ["unshare", "--user", "--map-current-user", "--pid", "--fork", "--kill-child", "--mount-proc"]


def with_a_container(story):
    """A client in a container that shares the home folder."""
    if subprocess.run([*CONTAINER, "true"], capture_output=True).returncode != 0:
        print("        skipped a container: no user namespaces here", flush=True)
        return
    ninth = Terminal("ninth")
    id, pid = ninth.started("startup")
    host = story.sessions[id] = Session(pid, PROJECT, "story/two", dirty=True)
    mark = len(client.recorded())
    inside = subprocess.Popen([*CONTAINER, "sh", "-c", "claude -p 'go SLOW[8] SAY[ok]'; ait sessions prune; true"],
                              cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    start = poll(lambda: "no SessionStart", lambda: next(
        (record for record in client.recorded(mark) if record["event"] == "UserPromptSubmit"), None))
    id = start["payload"]["session_id"]
    there = story.sessions[id] = Session(start["pid"], PROJECT, "story/two", dirty=True)
    there.elsewhere, there.state, there.task = True, "working", "go SLOW[8] SAY[ok]"
    story.step("a client in a container: elsewhere, and a conflict")
    output = inside.communicate()[0]
    there.pids, there.status, there.reason = [], "completed", "other"
    if "1 session of another container or machine cannot be seen from here" not in output:
        raise RuntimeError("prune in the container: " + output)
    story.step("the container ended and archived nothing of the host")
    exit_client(ninth, pid)
    host.pids, host.status, host.reason = [], "completed", "prompt_input_exit"


def without_hooks(story):
    """Clients that run no hooks are known from their records."""
    tenth = Terminal("tenth", "--bare")
    id, pid = tenth.started_without_hooks()
    bare = story.sessions[id] = Session(pid, PROJECT, "story/two", dirty=True)
    bare.hookless = "bare"
    story.step("a session without hooks")
    inside = subprocess.Popen(["claude", "--bare", "-p", "go SLOW[4] SAY[ok]"], cwd=PROJECT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    record = poll(lambda: "no record: %s" % client.registry(), lambda: client.registry().get(inside.pid))
    headless = story.sessions[record["sessionId"]] = Session(inside.pid, PROJECT, "story/two", dirty=True)
    headless.hookless, headless.headless, headless.state = "bare", True, "working"
    story.step("a headless run without hooks beside it: a conflict")
    inside.wait()
    headless.pids = []
    exit_client(tenth, pid)
    bare.pids = []
    story.step("both ended, and nothing is left of them")


def main():
    if sys.argv[1:] == ["prepare"]:
        prepare()
        return 0
    story = Story()
    try:
        prepare()
        play(story)
    except Exception as error:  # the screen of the client is in its message
        story.failed += 1
        print("%5.1f s  FAILED  the story stopped: %s: %s" % (time.time() - story.began, type(error).__name__, error))
    finally:
        client.tmux("kill-server", check=False)
    print("real client: %d steps passed, %d failed" % (story.passed, story.failed))
    return 1 if story.failed else 0


if __name__ == "__main__":
    sys.exit(main())
