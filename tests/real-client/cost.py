#!/usr/bin/env python3
"""What the hooks cost the real client: a turn of twenty tool calls, once without ait and once with it.

For Read, from which ait learns nothing, no process may start; for Bash two a call do. Prints the median time of a run and
how many `ait` processes it started.
"""
import os
import statistics
import subprocess
import sys
import time

import client
from client import HOME
from story import PROJECT, prepare_project, run

CALLS = 20
ROUNDS = 7
SETTINGS = HOME + "/.claude/settings.json"
AIT = HOME + "/.local/bin/ait"
CALLED = HOME + "/called"


def turn(prompt):
    """Seconds of a headless run with this prompt."""
    began = time.monotonic()
    run("claude", "-p", prompt, "--allowedTools", "Bash", "Read", folder=PROJECT)
    return time.monotonic() - began


def count_calls():
    """Puts a script in the place of ait that writes down that it was called."""
    os.rename(AIT, AIT + ".real")
    with open(AIT, "w") as file:
        file.write("#!/bin/sh\necho \"$@\" >>%s\nexec %s.real \"$@\"\n" % (CALLED, AIT))
    os.chmod(AIT, 0o755)


def calls(prompt):
    """How many ait processes a run with this prompt starts."""
    open(CALLED, "w").close()
    turn(prompt)
    with open(CALLED) as file:
        return len(file.readlines())


def main():
    prepare_project()
    print(run("ait", "hooks", "install"))
    client.seed([PROJECT], record=False)
    with open(SETTINGS) as file:
        with_ait = file.read()
    prompts = {
        "Read": " ".join(["READ[%s/kept.txt]" % PROJECT] * CALLS) + " SAY[ok]",
        "Bash": " ".join(["BASH[true]"] * CALLS) + " SAY[ok]",
        "none": "SAY[ok]",
    }
    times = {}
    for _ in range(ROUNDS):
        for settings in ("{}", with_ait):
            with open(SETTINGS, "w") as file:
                file.write(settings)
            for name, prompt in prompts.items():
                times.setdefault((name, settings != "{}"), []).append(turn(prompt))
    count_calls()
    idle = calls(prompts["none"])
    started = {name: calls(prompt) - idle for name, prompt in prompts.items()}
    median = lambda key: 1000 * statistics.median(times[key])
    print("%d calls of   without ait   with ait   ait processes for the calls" % CALLS)
    for name in ("Read", "Bash"):
        print("%-12s %8.0f ms %8.0f ms   %d" % (name, median((name, False)), median((name, True)), started[name]))
    return 0 if started["Read"] == 0 and started["Bash"] == 2 * CALLS else 1


if __name__ == "__main__":
    sys.exit(main())
