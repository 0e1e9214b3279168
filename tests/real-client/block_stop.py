#!/usr/bin/env python3
"""A Stop hook that makes Claude Code go on once."""
import json
import sys

if not json.load(sys.stdin).get("stop_hook_active"):
    print(json.dumps({"decision": "block", "reason": "Go on."}))
