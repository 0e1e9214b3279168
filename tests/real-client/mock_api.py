#!/usr/bin/env python3
"""A stand-in of the Messages API on the loopback interface, enough to drive Claude Code: mock_api.py PORT

The last prompt that was typed says what the model does: tools in their order, one a request, then a text.

  BASH[command]  WRITE[path|text]  READ[path]  EDIT[path|old|new]  ASK[question]  PLAN[plan]
  AGENT[prompt]  a sub-agent; its own prompt writes {{ }} for [ ]
  ISOLATED[prompt]  a sub-agent in a worktree of its own
  MATE[prompt]   a teammate (CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS=1)
  SLOW[seconds]  wait before the text
  FAIL[status]   answer every request with this HTTP error
  SAY[text]      the text; "done" without it
"""
import json
import re
import sys
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOOL = re.compile(r"\b(BASH|WRITE|READ|EDIT|ASK|PLAN|AGENT|ISOLATED|MATE)\[([^\[\]]*)\]")
SLOW = re.compile(r"\bSLOW\[([0-9.]+)\]")
FAIL = re.compile(r"\bFAIL\[(\d+)\]")
SAY = re.compile(r"\bSAY\[([^\]]*)\]")
OPTIONS = [{"label": "Yes", "description": "go on"}, {"label": "No", "description": "stop"}]


def tool_use(kind, argument):
    """The name and the input of a tool."""
    part = argument.split("|")
    if kind == "BASH":
        return "Bash", {"command": argument, "description": "Run a command"}
    if kind == "WRITE":
        return "Write", {"file_path": part[0], "content": part[1] + "\n"}
    if kind == "READ":
        return "Read", {"file_path": part[0]}
    if kind == "EDIT":
        return "Edit", {"file_path": part[0], "old_string": part[1], "new_string": part[2]}
    if kind == "ASK":
        question = {"question": argument, "header": "Question", "multiSelect": False, "options": OPTIONS}
        return "AskUserQuestion", {"questions": [question]}
    if kind == "PLAN":
        return "ExitPlanMode", {"plan": argument}
    prompt = argument.replace("{{", "[").replace("}}", "]")
    more = {"ISOLATED": {"isolation": "worktree"}, "MATE": {"name": "mate"}}.get(kind, {})
    return "Agent", {"description": "A sub-agent", "prompt": prompt, "subagent_type": "general-purpose", **more}


def typed(content):
    """The texts of a message that a person typed: not the client's own reminders and notes."""
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    texts = [block["text"] for block in blocks if block["type"] == "text"]
    notes = ("<system-reminder>", "<local-command", "[Request interrupted")
    return [text for text in texts if text.strip() and not text.lstrip().startswith(notes)]


def where_we_are(messages):
    """The last prompt that was typed, and how many tools were used since."""
    prompt, used = "", 0
    for message in messages:
        content = message["content"]
        if message["role"] == "system":
            continue  # since 2.1.332 the environment is described in a message of its own
        if message["role"] == "assistant":
            if not isinstance(content, str):
                used += sum(block["type"] == "tool_use" for block in content)
            continue
        texts = typed(content)
        # After an interruption one message holds the results of tools and the next prompt.
        results = not isinstance(content, str) and any(block["type"] == "tool_result" for block in content)
        if texts and (not results or TOOL.search(texts[-1]) or SAY.search(texts[-1])):
            # The client may add texts of its own behind a sub-agent's prompt.
            marked = [text for text in texts if any(mark.search(text) for mark in (TOOL, SLOW, SAY))]
            prompt, used = (marked or texts)[-1], 0
    return prompt, used


def answer(body):
    """The content blocks and the stop reason that the model answers with."""
    messages = body.get("messages") or []
    prompt, used = where_we_are(messages)
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    last = " ".join(typed(messages[-1]["content"])) if messages else ""
    tools = TOOL.findall(prompt)
    if wanted.get("type") == "json_schema":
        names = (wanted.get("schema") or {}).get("properties") or {}
        return [{"type": "text", "text": json.dumps({name: "A title" for name in names})}], "end_turn"
    if "<summary>" in last and "detailed summary" in last:
        return [{"type": "text", "text": "<summary>\nWhat was said.\n</summary>"}], "end_turn"
    if body.get("tools") and used < len(tools):
        name, arguments = tool_use(*tools[used])
        return [{"type": "tool_use", "id": "toolu_" + uuid.uuid4().hex[:24], "name": name, "input": arguments}], "tool_use"
    slow, say = SLOW.search(prompt), SAY.search(prompt)
    if slow:
        time.sleep(float(slow[1]))
    return [{"type": "text", "text": say[1] if say else "done"}], "end_turn"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, value, kind="application/json"):
        sent = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("request-id", "req_" + uuid.uuid4().hex[:20])
        self.send_header("x-should-retry", "false")
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(sent)

    def error(self, status):
        self.send(status, {"type": "error", "error": {"type": "api_error", "message": "stand-in failure %d" % status}})

    def do_HEAD(self):
        self.send(200, {})

    def do_GET(self):
        self.error(404)

    def do_POST(self):
        size = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(size) or b"{}")
        path = self.path.split("?")[0]
        if path == "/v1/messages/count_tokens":
            return self.send(200, {"input_tokens": max(1, size // 4)})
        if path != "/v1/messages":
            return self.error(404)
        failure = FAIL.search(where_we_are(body.get("messages") or [])[0])
        if failure:
            return self.error(int(failure[1]))
        blocks, stop = answer(body)
        usage = {"input_tokens": 10, "cache_creation_input_tokens": 200, "cache_read_input_tokens": max(1, size // 4), "output_tokens": 1}
        message = {"id": "msg_" + uuid.uuid4().hex[:24], "type": "message", "role": "assistant", "model": body.get("model"),
                   "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
        try:
            if body.get("stream"):
                self.send(200, b"".join(stream(message, blocks, stop)), "text/event-stream")
            else:
                self.send(200, {**message, "content": blocks, "stop_reason": stop})
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # Esc in the middle of an answer


def stream(message, blocks, stop):
    """An answer as server-sent events."""

    def event(kind, **fields):
        return ("event: %s\ndata: %s\n\n" % (kind, json.dumps({"type": kind, **fields}))).encode()

    yield event("message_start", message=message)
    for index, block in enumerate(blocks):
        if block["type"] == "text":
            empty, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            empty, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield event("content_block_start", index=index, content_block=empty)
        yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    yield event("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage={"output_tokens": 25})
    yield event("message_stop")


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.daemon_threads = True
server.serve_forever()
