#!/usr/bin/env python3
"""The Claude Code plugin of ait in the real client: validated, installed, run alone, beside `ait hooks install`, and without
the program."""
import glob
import json
import os
import sys

import client
from client import HOME
from story import PROJECT, prepare_project, run

AIT = HOME + "/.local/bin/ait"
REAL = HOME + "/real/ait"
CALLED = HOME + "/called"
failed = 0


def step(name, holds, shown=""):
    global failed
    failed += not holds
    print("%s  %s%s" % ("ok    " if holds else "FAILED", name, "" if holds else ": %s" % (shown,)))


def turn(prompt):
    """The answer of a headless run, and the hook calls that it made."""
    open(CALLED, "w").close()
    answer = run("claude", "-p", prompt, "--allowedTools", "Bash", folder=PROJECT)
    with open(CALLED) as file:
        return answer, [line for line in file.read().splitlines() if line.startswith("hook ")]


def ait(*arguments):
    return json.loads(run(REAL, *arguments, "--json", folder=PROJECT))


def states():
    return {(row["event"], row["state"]) for row in ait("hooks", "list")["hooks"] if row["event"]}


def sessions():
    return ait("sessions", "history", "--headless")["sessions"]


def transcripts():
    texts = []
    for path in glob.glob(HOME + "/.claude/projects/*/*.jsonl"):
        with open(path) as file:
            texts.append(file.read())
    return "".join(texts)


def main():
    os.mkdir(os.path.dirname(REAL))
    os.rename(AIT, REAL)
    with open(AIT, "w") as file:
        file.write("#!/bin/sh\necho \"$@\" >>%s\nexec %s \"$@\"\n" % (CALLED, REAL))
    os.chmod(AIT, 0o755)
    prepare_project()
    client.seed([PROJECT], record=False)
    for folder in ("", "/plugin"):
        said = run("claude", "plugin", "validate", HOME + "/marketplace" + folder)
        step("the client finds no error in %s" % (folder or "/"), "Validation passed" in said, said)
    run("claude", "plugin", "marketplace", "add", HOME + "/marketplace")
    run("claude", "plugin", "install", "ait@ait")
    step("hooks list knows it", {state for _, state in states()} == {"plugin"}, states())

    answer, calls = turn("BASH[true] SAY[ok]")
    expected = ["hook session-register --plugin"] * (len(calls) - 1) + ["hook session-cleanup --plugin"]
    step("its hooks are called", answer == "ok" and len(calls) >= 5 and calls == expected, (answer, calls))
    step("the session is in the history", len(sessions()) == 1, sessions())
    for command, text in (("sessions", "project (story/one)"), ("conflicts", "conflict"), ("task", "ait sessions task")):
        turn("/ait:%s" % command)
        step("/ait:%s runs ait" % command, text.lower() in transcripts().lower(), text)

    before = len(sessions())
    os.rename(AIT, AIT + ".gone")
    answer, calls = turn("BASH[true] SAY[ok]")
    os.rename(AIT + ".gone", AIT)
    step("it is silent without the program", (answer, calls) == ("ok", []), (answer, calls))
    step("and then nothing is recorded", len(sessions()) == before)

    run(REAL, "hooks", "install")
    step("hooks list shows those of the settings", {state for _, state in states()} == {"yes"}, states())
    answer, calls = turn("BASH[true] SAY[ok]")
    step("with both, the session is recorded once, by those of the settings", len(sessions()) == before + 1, sessions())
    step("the plugin is still called, and leaves the events to them", len(calls) >= 5, calls)
    run("claude", "plugin", "uninstall", "ait@ait")
    _, calls = turn("SAY[ok]")
    step("uninstalled, it is not called", not [call for call in calls if call.endswith("--plugin")], calls)
    print("plugin: %d failed" % failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
