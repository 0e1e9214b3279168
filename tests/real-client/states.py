"""Part of the story: what only the client's own record tells, and what must not change the state of a session."""
import json
import os
import signal

import client
from checks import Session
from client import HOME, Terminal, poll

PROJECT = HOME + "/project"


def play(story):
    """What only the client's own record tells, and what must not change the state of a session."""
    step = story.step

    def stops(terminal):
        return sum(record["event"] == "Stop" for record in client.recorded(terminal.mark))

    term = Terminal("states")
    id, pid = term.started("startup")
    one = story.sessions[id] = Session(pid, PROJECT, "story/two", dirty=True)

    term.type("now AGENT[look BASH{{touch /tmp/never}} SAY{{seen}}] SAY[ok]")
    term.wait_status(pid, "waiting")
    one.state, one.waiting_for = "waiting", "permission"
    step("a sub-agent's dialog is open")
    term.wait_event("Notification", notification_type="permission_prompt")
    step("the sub-agent's dialog has been open for six seconds")
    term.answer("Do you want to proceed")
    term.wait_event("SubagentStop")
    poll(lambda: "no second Stop", lambda: stops(term) > 1)
    one.state, one.waiting_for = "idle", None
    step("the sub-agent with a dialog ended")

    term.new()
    term.type("now ISOLATED[look BASH{{pwd}} SLOW{{6}} SAY{{seen}}] SAY[ok]")
    started = term.wait_event("SubagentStart")
    if started["payload"]["cwd"] == PROJECT:
        raise RuntimeError("the sub-agent has no worktree of its own: %s" % started)
    one.state = lambda: "idle" if stops(term) > 1 else "working"
    step("a sub-agent works in a worktree of its own")
    term.wait_event("SubagentStop")
    poll(lambda: "no second Stop", lambda: stops(term) > 1)
    one.state = "idle"
    step("the sub-agent in a worktree ended")

    term.new()
    term.type("go FAIL[429]")
    term.wait_event("StopFailure")
    one.state = "error"
    step("a turn ended with an API error")
    term.new()
    term.type("again SAY[ok]")
    term.wait_event("Stop")
    one.state = "idle"
    step("the prompt after an API error")

    os.kill(pid, signal.SIGSTOP)
    one.state = "stopped"
    step("the client is stopped")
    os.kill(pid, signal.SIGCONT)
    one.state = "idle"
    step("the client goes on")
    os.kill(pid, signal.SIGTERM)
    poll(lambda: "still there", lambda: not client.is_running(pid))
    one.pids, one.status, one.reason = [], "interrupted", "other"
    step("SIGTERM after all that")

    with open(HOME + "/block.json", "w") as file:
        hook = {"type": "command", "command": "python3 /scripts/block_stop.py"}
        json.dump({"hooks": {"Stop": [{"hooks": [hook]}]}}, file)
    term = Terminal("blocked", "--settings %s/block.json" % HOME)
    id, pid = term.started("startup")
    one = story.sessions[id] = Session(pid, PROJECT, "story/two", dirty=True)
    term.type("hello SLOW[3] SAY[ok]")
    term.wait_event("Stop", stop_hook_active=False)
    one.state = "working"
    step("a Stop hook makes the turn go on")
    term.wait_event("Stop", stop_hook_active=True)
    one.state = "idle"
    step("the turn after a blocked Stop ended")
    os.kill(pid, signal.SIGTERM)
    poll(lambda: "still there", lambda: not client.is_running(pid))
    one.pids, one.status, one.reason = [], "interrupted", "other"

    term = Terminal("team", teams=True)
    id, pid = term.started("startup")
    one = story.sessions[id] = Session(pid, PROJECT, "story/two", dirty=True)
    term.type("now MATE[look SLOW{{6}} SAY{{seen}}] SAY[ok]")
    term.wait_event("Stop")
    one.state = "working"
    step("a teammate works, the lead's turn ended")
    term.wait_event("SubagentStop")
    term.wait_status(pid, "idle")
    one.state = "idle"
    step("the teammate is idle")
    os.kill(pid, signal.SIGTERM)
    poll(lambda: "still there", lambda: not client.is_running(pid))
    one.pids, one.status, one.reason = [], "interrupted", "other"
    step("SIGTERM with a teammate")
