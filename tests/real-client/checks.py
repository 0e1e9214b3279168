"""What must hold after every step. A check takes the story and returns what is wrong, as lines of text.

A new check is a function in CHECKS; a new expectation is a field of `Session` that a check looks at.
"""
import datetime
import json
import os
import subprocess

import client

SESSIONS = client.HOME + "/.claude/sessions"


class Session:
    """What is expected of one session. `pids`: the processes that run it; none once it has ended."""

    def __init__(self, pid, path, branch, project="project", dirty=None):
        self.pids = [pid]
        self.path = path
        self.branch = branch
        self.project = project
        self.dirty = dirty
        self.task = None
        self.state = "idle"
        self.waiting_for = None
        self.status = None
        self.reason = None
        self.perhaps_pruned = False
        # It runs under another CLAUDE_CONFIG_DIR; in another pid namespace; without hooks, for this reason; without a terminal.
        self.other_profile = False
        self.elsewhere = False
        self.hookless = None
        self.headless = False


def ait(*arguments):
    """The output of `ait ... --json`."""
    done = subprocess.run(["ait", *arguments, "--json"], capture_output=True, text=True, cwd=client.HOME + "/project")
    if done.returncode != 0:
        return {"failed": "ait %s: exit code %d: %s" % (" ".join(arguments), done.returncode, done.stderr.strip())}
    answer = json.loads(done.stdout)
    if answer.get("schema_version") != 1:
        return {"failed": "ait %s: no schema_version 1: %s" % (" ".join(arguments), done.stdout)}
    return answer


def differences(who, found, expected):
    return ["%s: %s is %r, not %r" % (who, name, found.get(name), value) for name, value in expected.items() if found.get(name) != value]


def process_start(pid):
    with open("/proc/%d/stat" % pid) as file:
        return int(file.read().rpartition(")")[2].split()[19])


def live_is_what_runs(story):
    """`ait sessions live` lists the sessions that run, no other, each with what is true of it."""
    answer = ait("sessions", "live")
    if "failed" in answer:
        return [answer["failed"]]
    found = {session["session_id"]: session for session in answer["sessions"]}
    expected = {id: session for id, session in story.sessions.items() if session.pids}
    wrong = ["live misses " + id for id in expected.keys() - found.keys()]
    wrong += ["live lists %s, which does not run" % id for id in found.keys() - expected.keys()]
    for id in expected.keys() & found.keys():
        session, shown = expected[id], found[id]
        who = "live %s" % id[:8]
        fields = {"path": session.path, "git_branch": session.branch, "project": session.project, "live": True,
                  "state": session.state() if callable(session.state) else session.state, "head": story.head(session.path),
                  "liveness": "elsewhere" if session.elsewhere else "live",
                  "hookless": bool(session.hookless), "hookless_reason": session.hookless}
        if not session.elsewhere:
            # Of a process in another pid namespace the client's record is not read.
            fields["headless"] = session.headless
        if session.dirty is not None:
            fields["git_dirty"] = session.dirty
        if session.task is not None:
            fields["task"] = session.task
        wrong += differences(who, shown, fields)
        if session.waiting_for and not (shown.get("waiting_for") or "").startswith(session.waiting_for):
            wrong.append("%s: it waits for %r, not for %r" % (who, shown.get("waiting_for"), session.waiting_for))
        if shown.get("pid") not in session.pids:
            wrong.append("%s: pid is %r, not of %r" % (who, shown.get("pid"), session.pids))
        elif not session.elsewhere and shown.get("pid_start") != process_start(shown["pid"]):
            wrong.append("%s: pid_start is %r" % (who, shown.get("pid_start")))
        if not 0 <= shown.get("elapsed_seconds", -1) < 300:
            wrong.append("%s: elapsed_seconds is %r" % (who, shown.get("elapsed_seconds")))
        started = datetime.datetime.fromisoformat(shown["started"].replace("Z", "+00:00"))
        if not shown["started"].endswith("Z") or abs(story.began - started.timestamp()) > 300:
            wrong.append("%s: started is %r" % (who, shown["started"]))
    return wrong


def history_holds_the_ended(story):
    """`ait sessions history` lists the sessions that ended, with status and reason, and no other."""
    answer = ait("sessions", "history", "--days", "2", "--headless")
    if "failed" in answer:
        return [answer["failed"]]
    # Those without an end still run.
    ended = [session for session in answer["sessions"] if session.get("ended")]
    found = {session["session_id"]: session for session in ended}
    expected = {id: session for id, session in story.sessions.items() if session.status}
    wrong = ["history misses " + id for id in expected.keys() - found.keys()]
    perhaps = {id for id, session in story.sessions.items() if session.perhaps_pruned}
    wrong += ["history lists %s, which it should not" % id for id in found.keys() - expected.keys() - perhaps]
    if len(ended) != len(found):
        wrong.append("history lists a session twice")
    for id in expected.keys() & found.keys():
        session = expected[id]
        fields = {"status": session.status, "end_reason": session.reason, "path": session.path, "git_branch": session.branch}
        if session.task is not None:
            fields["task"] = session.task
        wrong += differences("history %s" % id[:8], found[id], fields)
    return wrong


def conflicts_are_told(story):
    """`ait sessions conflicts` names the trees in which two sessions work, and those sessions."""
    answer = ait("sessions", "conflicts")
    if "failed" in answer:
        return [answer["failed"]]
    found = {conflict["path"]: sorted(session["session_id"] for session in conflict["sessions"]) for conflict in answer["conflicts"]}
    trees = {session.path: [] for session in story.sessions.values()}
    for id, session in story.sessions.items():
        if session.pids:
            trees[session.path].append(id)
    expected = {path: sorted(ids) for path, ids in trees.items() if len(ids) > 1}
    return [] if found == expected else ["conflicts are %s, not %s" % (found, expected)]


def the_prompt_says_it(story):
    """`ait prompt` in a tree: project and branch where a session runs in it; else the session elsewhere that waits, if any."""
    wrong = []
    waiting = ["\u25f7%s " % session.project for session in story.sessions.values() if session.pids and session.waiting_for]
    for path in {session.path for session in story.sessions.values()}:
        command = ["ait", "prompt", "--for", "plain", "--dir", path]
        done = subprocess.run(command, capture_output=True, text=True)
        sessions = [session for session in story.sessions.values() if session.pids and session.path == path and not session.hookless]
        expected = "%s %s " % (sessions[0].project, sessions[0].branch) if sessions else ""
        if not sessions and done.stdout.startswith(tuple(waiting)):
            expected = done.stdout
        if done.returncode != 0 or done.stderr or not done.stdout.startswith(expected) or bool(done.stdout) != bool(expected):
            wrong.append("the prompt in %s is %r%s, not %r..." % (path, done.stdout, done.stderr, expected))
    return wrong


def active_holds_nothing_else(story):
    """In active/ lie the manifests of what runs or was killed and not yet noticed: no torn file, nothing left over."""
    wrong = []
    running = [id for id, session in story.sessions.items() if not session.status]
    # Beside the manifest lies what the session wrote, once it wrote something.
    known = {id + ending for id in running for ending in (".json", ".touched", ".activity")}
    for name in os.listdir(SESSIONS + "/active"):
        if name not in known:
            wrong.append("active/%s should not be there" % name)
        elif os.stat(SESSIONS + "/active/" + name).st_mode & 0o777 != 0o600:
            wrong.append("active/%s can be read by others" % name)
    return wrong


def the_client_agrees(story):
    """The client's own list and records, so that the story itself is known to be right."""
    # The client does not look into other profiles and namespaces either.
    unseen = {id for id, session in story.sessions.items() if session.other_profile or session.elsewhere}
    expected = {(id, pid) for id, session in story.sessions.items() if id not in unseen for pid in session.pids}
    wrong = []
    # The client lists a session that runs in two terminals once.
    listed = client.agents()
    if {id for id, _ in listed} != {id for id, _ in expected} or not listed <= expected:
        wrong.append("claude agents lists %s, not %s" % (sorted(listed), sorted(expected)))
    kept = {(record["sessionId"], pid) for pid, record in client.registry().items()
            if client.is_running(pid) and record["sessionId"] not in unseen}
    if kept != expected:
        wrong.append("the client's records are of %s, not of %s" % (sorted(kept), sorted(expected)))
    return wrong


def the_clients_files_are_untouched(_story):
    """Beside active/ and history/ everything under sessions/ is the client's."""
    ours = ("active", "history")
    return ["sessions/%s is not the client's" % name for name in os.listdir(SESSIONS)
            if name not in ours and not name.split(".")[0].isdigit()]


CHECKS = [
    live_is_what_runs,
    history_holds_the_ended,
    conflicts_are_told,
    the_prompt_says_it,
    active_holds_nothing_else,
    the_client_agrees,
    the_clients_files_are_untouched,
]
