#!/usr/bin/env python3
"""Draws shell/terminal.svg, the picture in README.md, from what ait prints.

    cargo build --release && python3 shell/picture.py            draw it
    cargo build --release && python3 shell/picture.py --check    exit with 1 where it would look different

Sessions are registered by ait's own hook, for processes that run, in repositories that git made; their times are then
moved into the past, so that there is something to see. AIT names another binary than target/release/ait.
"""

import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from xml.sax.saxutils import escape

ROOT = pathlib.Path(__file__).resolve().parent.parent
AIT = pathlib.Path(os.environ.get("AIT", ROOT / "target/release/ait")).resolve()
PICTURE = ROOT / "shell/terminal.svg"
COLUMNS = 74
# What each code ends.
ENDS = {22: ("bold", "dim"), 27: ("reverse",), 39: ("color",)}

# ---- what is shown ---------------------------------------------------------------------------------------------------

SESSIONS = [
    # id, folder, minutes, first prompt, events after it
    ("3f9c1e07-64d2-4b8a-9a15-70c2de81b64f", "shop", 45, "Round prices to the cent", []),
    (
        "8a52d7b3-1c0e-4f96-b7d4-25e9f0a3c618",
        "shop-login",
        123,
        "Adding the login page",
        [{"hook_event_name": "Stop"}],
    ),
    (
        "c16e40f8-97ab-4d53-8e22-b3f70d159ac4",
        "shop",
        12,
        "Write tests for the cart",
        [{"hook_event_name": "PermissionRequest", "tool_name": "Bash"}],
    ),
]


class Machine:
    """A home with a repository, a linked worktree and three live sessions."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="ait-picture-")).resolve()
        self.processes = []
        self.environment = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "AIT_WIDTH": str(COLUMNS),
            "CLICOLOR_FORCE": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "ait@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }

    def run(self, folder, *words, stdin="", **more):
        environment = {**self.environment, **more}
        done = subprocess.run(words, cwd=self.home / folder, env=environment, input=stdin, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"picture.py: {' '.join(map(str, words))}: {done.stderr or done.stdout}")
        return done.stdout

    def set_up(self):
        (self.home / "shop").mkdir()
        self.run("shop", "git", "init", "--quiet")
        self.run("shop", "git", "symbolic-ref", "HEAD", "refs/heads/main")
        self.run("shop", "git", "commit", "--quiet", "--allow-empty", "--message", "Prices")
        self.run("shop", "git", "worktree", "add", "--quiet", "-b", "login", "../shop-login")
        for session_id, folder, minutes, prompt, events in SESSIONS:
            process = subprocess.Popen(["sleep", "600"])
            self.processes.append(process)
            start = {"hook_event_name": "SessionStart", "source": "startup"}
            asked = {"hook_event_name": "UserPromptSubmit", "prompt": prompt}
            for event in [start, asked, *events]:
                payload = {"session_id": session_id, "cwd": str(self.home / folder), **event}
                self.run(folder, AIT, "hook", "session-register", stdin=json.dumps(payload), CLAUDE_PID=str(process.pid))
            self.age(session_id, minutes)

    def age(self, session_id, minutes):
        path = self.home / ".claude/sessions/active" / f"{session_id}.json"
        manifest = json.loads(path.read_text())
        now = datetime.datetime.now(datetime.timezone.utc)
        ago = lambda minutes: (now - datetime.timedelta(minutes=minutes, seconds=5)).isoformat().replace("+00:00", "Z")
        manifest["started"], manifest["state_since"], manifest["updated"] = ago(minutes), ago(3), ago(1)
        path.write_text(json.dumps(manifest))

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
        shutil.rmtree(self.home)


def screen(machine):
    """The lines of the terminal."""
    machine.set_up()

    def prompt(folder, typed):
        segment = machine.run(folder, AIT, "prompt", "--for", "ansi").strip("\n")
        left = f"\x1b[1m~/{folder}\x1b[0m % {typed}"
        gap = COLUMNS - cells(left) - cells(segment)
        return left + " " * gap + segment if gap > 1 else left

    lines = [prompt("shop", "ait sessions live"), *machine.run("shop", AIT, "sessions", "live").splitlines()]
    lines += [prompt("shop", "cd ../shop-login"), prompt("shop-login", "")]
    return lines


# ---- how it is drawn -------------------------------------------------------------------------------------------------

WIDTH, HEIGHT, FONT, MARGIN, BAR = 8.4, 20, 14, 18, 34
PAPER, FRAME, INK = "#16181d", "#3a3f4b", "#d7dae0"
COLORS = {31: "#f07178", 32: "#a5d6a7", 33: "#f2c55c", 34: "#7aa2f7", 35: "#d58bf0", 36: "#5fd7d7"}
STYLE = re.compile(r"\x1b\[([0-9;]*)m")
# Straight strokes from the middle of a cell: left, right, up, down.
BOXES = {"─": "lr", "│": "ud", "├": "udr", "┤": "udl"}
ROUND = {"╭": ("down", "right"), "╮": ("down", "left"), "╰": ("up", "right"), "╯": ("up", "left")}


def cells(text):
    plain = STYLE.sub("", text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in plain)


def runs(line):
    """(text, style) for each stretch of a line."""
    style, at = {}, 0
    for match in [*STYLE.finditer(line), None]:
        text = line[at : match.start() if match else None]
        if text:
            yield text, dict(style)
        if match:
            at = match.end()
            for code in (int(code or 0) for code in match[1].split(";")):
                if code in ENDS:
                    for name in ENDS[code]:
                        style.pop(name, None)
                elif code == 0:
                    style.clear()
                else:
                    style[{1: "bold", 2: "dim", 7: "reverse"}.get(code, "color")] = code


def strokes(character, x, y):
    left, right, middle = x, x + WIDTH, x + WIDTH / 2
    top, bottom, half = y, y + HEIGHT, y + HEIGHT / 2
    if character in ROUND:
        vertical, horizontal = ROUND[character]
        end_y, end_x = (bottom if vertical == "down" else top), (right if horizontal == "right" else left)
        return f"M{middle:g} {end_y:g}Q{middle:g} {half:g} {end_x:g} {half:g}"
    ends = {"l": (left, half), "r": (right, half), "u": (middle, top), "d": (middle, bottom)}
    return "".join(f"M{middle:g} {half:g}L{ends[end][0]:g} {ends[end][1]:g}" for end in BOXES[character])


def draw(lines):
    width, height = COLUMNS * WIDTH + 2 * MARGIN, len(lines) * HEIGHT + MARGIN + BAR
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'role="img" aria-label="A terminal: ait sessions live, and the segment in the prompt">',
        f'<rect width="{width:g}" height="{height:g}" rx="10" fill="{PAPER}"/>',
        *(f'<circle cx="{20 + 18 * n}" cy="17" r="5.5" fill="{FRAME}"/>' for n in range(3)),
        f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="{FONT}" '
        f'fill="{INK}" xml:space="preserve">',
    ]
    paths = []
    for row, line in enumerate(lines):
        x, y = MARGIN, BAR + row * HEIGHT
        for text, style in runs(line):
            for piece in re.findall(r"[─│├┤╭╮╰╯]+| +|[^─│├┤╭╮╰╯ ]+(?: [^─│├┤╭╮╰╯ ]+)*", text):
                taken = cells(piece) * WIDTH
                if piece[0] in BOXES or piece[0] in ROUND:
                    paths += [strokes(c, x + n * WIDTH, y) for n, c in enumerate(piece)]
                elif not piece.isspace():
                    look = f' fill="{COLORS[style["color"]]}"' if style.get("color") in COLORS else ""
                    look += ' font-weight="700"' if "bold" in style else ""
                    look += ' opacity="0.62"' if "dim" in style else ""
                    out.append(
                        f'<text x="{x:g}" y="{y + 14.5:g}" textLength="{taken:g}"{look}>{escape(piece)}</text>'
                    )
                x += taken
    out += ["</g>", f'<path d="{"".join(paths)}" fill="none" stroke="{INK}" stroke-opacity="0.55"/>', "</svg>", ""]
    return "\n".join(out)


def main():
    machine = Machine()
    try:
        picture = draw(screen(machine))
    finally:
        machine.close()
    if "--check" not in sys.argv[1:]:
        PICTURE.write_text(picture)
    elif PICTURE.read_text() != picture:
        sys.exit("picture.py: shell/terminal.svg is out of date; type: python3 shell/picture.py")


if __name__ == "__main__":
    main()
