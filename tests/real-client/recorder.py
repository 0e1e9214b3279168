#!/usr/bin/env python3
"""A hook that writes down that it was called: recorder.py EVENT, one line of JSON a call in ~/recorded.jsonl.

The story waits for these lines, so that it goes on as soon as the client has done something.
"""
import json
import os
import sys
import time

record = {
    "at": time.time(),
    "event": sys.argv[1],
    "payload": json.load(sys.stdin),
    "pid": int(os.environ.get("CLAUDE_PID", 0)),
}
with open(os.path.expanduser("~/recorded.jsonl"), "a") as file:
    file.write(json.dumps(record) + "\n")
