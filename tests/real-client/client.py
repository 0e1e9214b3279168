"""Drives the client in a tmux server of its own, reads what the recorder wrote down and what the client keeps itself."""
import glob
import json
import os
import re
import subprocess
import time

HOME = os.path.expanduser("~")
# Every event that client 2.1.332 knows and that does not replace what it does.
EVENTS = """PreToolUse PostToolUse PostToolUseFailure PostToolBatch Notification UserPromptSubmit UserPromptExpansion SessionStart
SessionEnd Stop StopFailure SubagentStart SubagentStop PreCompact PostCompact PermissionRequest CwdChanged""".split()


def seed(folders, record=True, config=None):
    """Settles what the client asks at its first start, and registers the recorder beside the hooks that are there. `config`:
    the CLAUDE_CONFIG_DIR of another profile."""
    key = os.environ["ANTHROPIC_API_KEY"]
    trusted = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True, "projectOnboardingSeenCount": 4}
    settled = {
        "hasCompletedOnboarding": True, "lastOnboardingVersion": "2.1.332", "lastReleaseNotesSeen": "2.1.332",
        "theme": "dark", "numStartups": 5, "autoUpdates": False,
        "customApiKeyResponses": {"approved": [key[-20:]], "rejected": []},
        "projects": {folder: trusted for folder in folders},
    }
    with open((config or HOME) + "/.claude.json", "w") as file:
        json.dump(settled, file)
    if not record:
        return
    path = (config or HOME + "/.claude") + "/settings.json"
    with open(path) as file:
        settings = json.load(file)
    for event in EVENTS:
        recorder = {"type": "command", "command": "python3 /scripts/recorder.py " + event}
        settings.setdefault("hooks", {}).setdefault(event, []).append({"hooks": [recorder]})
    with open(path, "w") as file:
        json.dump(settings, file, indent=2)


def poll(what, wanted, seconds=15):
    """The first true answer of `wanted`; TimeoutError(what()) where there is none in time."""
    end = time.monotonic() + seconds
    while True:
        found = wanted()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(what())
        time.sleep(0.03)


def recorded(since=0):
    """What the recorder wrote down, from a line number on. A line that is being written is left for the next time."""
    try:
        with open(HOME + "/recorded.jsonl") as file:
            lines = file.read().split("\n")[:-1]
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines[since:]]


def registry():
    """The client's own records by pid. One that is being rewritten is read again by the next poll."""
    records = {}
    for path in glob.glob(HOME + "/.claude/sessions/*.json"):
        try:
            with open(path) as file:
                records[int(os.path.basename(path)[:-5])] = json.load(file)
        except (ValueError, FileNotFoundError):
            pass
    return records


def agents():
    """What the client lists as running: {(session id, pid)}."""
    output = subprocess.run(["claude", "agents", "--json"], capture_output=True, text=True, check=True).stdout
    return {(session["sessionId"], session["pid"]) for session in json.loads(output)}


def is_running(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def parent(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except FileNotFoundError:
        return None


def tmux(*arguments, check=True):
    command = ["tmux", "-L", "story", "-f", "/dev/null", *arguments]
    return subprocess.run(command, check=check, capture_output=True, text=True).stdout


class Terminal:
    """A client in a terminal. `config`: the CLAUDE_CONFIG_DIR of another profile. `teams`: it may have teammates."""

    def __init__(self, name, arguments="", folder=HOME + "/project", config=None, teams=False):
        self.name = name
        self.mark = len(recorded())
        command = "claude --permission-mode default " + arguments
        if config:
            command = "CLAUDE_CONFIG_DIR=%s %s" % (config, command)
        if teams:
            command = "CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS=1 " + command
        # The shell stays, so that the last screen can be read after the client has ended.
        tmux("new-session", "-d", "-s", name, "-x", "110", "-y", "34", "-c", folder, command + "; exec sleep 100000")

    def started(self, source):
        """Waits until the client takes input; its session id and pid."""
        start = self.wait_event("SessionStart", source=source)
        self.wait_screen("❯")
        # The prompt is drawn before keys are read.
        time.sleep(0.6)
        return start["payload"]["session_id"], start["pid"]

    def started_without_hooks(self):
        """The same for a client that runs no hooks: its own record tells."""
        self.wait_screen("❯")
        time.sleep(0.6)
        pane = int(tmux("display-message", "-p", "-t", self.name, "#{pane_pid}"))
        pid, record = poll(lambda: "no record: %s" % registry(), lambda: next(
            ((pid, record) for pid, record in registry().items() if pane in (pid, parent(pid))), None))
        return record["sessionId"], pid

    def screen(self):
        return tmux("capture-pane", "-p", "-t", self.name)

    def wait_screen(self, pattern):
        return poll(lambda: "no %r on the screen:\n%s" % (pattern, self.screen()), lambda: re.search(pattern, self.screen()))

    def keys(self, *names):
        tmux("send-keys", "-t", self.name, *names)

    def type(self, text):
        tmux("send-keys", "-t", self.name, "-l", text)
        # An Enter that follows at once is taken as part of a paste, and the list of slash commands takes longer to open.
        time.sleep(0.5 if text.startswith("/") else 0.25)
        self.keys("Enter")

    def answer(self, question, key="Enter"):
        """Answers a dialog. It ignores keys in its first moments, so this presses until it is gone, and no more:
        a second Esc would open another dialog."""
        self.wait_screen(question)

        def is_gone():
            if not re.search(question, self.screen()):
                return True
            self.keys(key)
            time.sleep(0.3)
            return False

        poll(lambda: "the dialog stays:\n" + self.screen(), is_gone)

    def new(self):
        """What was recorded since the last call."""
        records = recorded(self.mark)
        self.mark += len(records)
        return records

    def wait_event(self, event, **fields):
        def found():
            for record in recorded(self.mark):
                if record["event"] == event and all(record["payload"].get(name) == value for name, value in fields.items()):
                    return record
            return None

        def what():
            seen = [record["event"] for record in recorded(self.mark)]
            return "no %s %s among %s:\n%s" % (event, fields, seen, self.screen())

        return poll(what, found)

    def wait_status(self, pid, status):
        """Waits until the client's own record says so."""
        poll(lambda: "never %s: %s" % (status, registry().get(pid)), lambda: registry().get(pid, {}).get("status") == status)

    def close(self):
        tmux("kill-session", "-t", self.name, check=False)
