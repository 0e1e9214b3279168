#!/usr/bin/env python3
"""Makes the pictures in README.md from what ait prints: shell/terminal.svg, shell/report.svg, shell/timeline.svg
and docs/looks/looks.svg.

    cargo build --release && python3 shell/picture.py            make them
    cargo build --release && python3 shell/picture.py --check    exit with 1 if one would look different

Live sessions are registered by ait's own hook, for processes that run, in repositories that git made; their times are
then moved into the past, so that there is something to see. The sessions of the report and the timeline are those of
HISTORY, on a day that is over. AIT names another binary than target/release/ait.
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
COLUMNS = 74
# What each code ends.
ENDS = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",), 39: ("color",), 49: ("ground",)}

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

DAY = "2025-11-20"
HISTORY = [
    # id, project, branch, task, start, end, spans of working (w) and being blocked (b), files written
    (
        "3f9c1e07-64d2-4b8a-9a15-70c2de81b64f",
        "shop",
        "main",
        "Round prices to the cent",
        "08:50",
        "12:40",
        "w 08:55 09:40, b 09:40 10:05, w 10:05 10:50, w 11:30 12:20",
        ["src/prices.rs"],
    ),
    (
        "8a52d7b3-1c0e-4f96-b7d4-25e9f0a3c618",
        "shop",
        "login",
        "Adding the login page",
        "09:30",
        "17:10",
        "w 09:35 10:15, w 10:40 11:20, b 11:20 13:05, w 13:05 14:30, w 15:30 16:50",
        ["src/login.rs"],
    ),
    (
        "c16e40f8-97ab-4d53-8e22-b3f70d159ac4",
        "shop",
        "main",
        "Write tests for the cart",
        "13:15",
        "15:20",
        "w 13:20 13:50, b 13:50 14:10, w 14:10 15:05",
        [],
    ),
    (
        "e92d83f4-0b6c-47a1-8e5f-6c3b17d4a028",
        "atlas",
        "oauth",
        "Refresh tokens before they expire",
        "10:05",
        "18:20",
        "w 10:10 12:00, b 12:00 12:15, w 12:15 12:50, w 16:00 18:05",
        [],
    ),
]


class Machine:
    """A home with a repository, a linked worktree, three live sessions and those of HISTORY."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="ait-picture-")).resolve()
        self.processes = []
        self.environment = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "AIT_WIDTH": str(COLUMNS),
            "TZ": "UTC",
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
        self.put_history()

    def put_history(self):
        folder = self.home / ".claude/sessions/history" / DAY
        folder.mkdir(parents=True)
        time = lambda clock: f"{DAY}T{clock}:00Z"
        minutes = lambda clock: int(clock[:2]) * 60 + int(clock[3:])
        for session_id, project, branch, task, start, end, spans, files in HISTORY:
            activity = []
            for kind, begin, stop in (span.split() for span in spans.split(", ")):
                name = {"w": "working", "b": "blocked"}[kind]
                activity.append([name, time(begin), time(stop), 60 * (minutes(stop) - minutes(begin))])
            manifest = {
                "session_id": session_id,
                "project": project,
                "path": f"/home/you/{project}",
                "git_branch": branch,
                "git_dirty": False,
                "started": time(start),
                "pid": 1,
                "task": task,
                "state": "idle",
                "worked_seconds": sum(span[3] for span in activity if span[0] == "working"),
                "ended": time(end),
                "status": "completed",
                "touched": [{"tree": f"/home/you/{project}", "path": path, "at": time(end)} for path in files],
                "activity": activity,
            }
            (folder / f"{session_id}.json").write_text(json.dumps(manifest))

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


def live(machine):
    """A terminal with the list of live sessions, and the segment in the prompt."""

    def prompt(folder, typed):
        segment = machine.run(folder, AIT, "prompt", "--for", "ansi").strip("\n")
        left = f"\x1b[1m~/{folder}\x1b[0m % {typed}"
        gap = COLUMNS - cells(left) - cells(segment)
        return left + " " * gap + segment if gap > 1 else left

    lines = [prompt("shop", "ait sessions live"), *machine.run("shop", AIT, "sessions", "live").splitlines()]
    lines += [prompt("shop", "cd ../shop-login"), prompt("shop-login", "")]
    return draw(lines, "A terminal: ait sessions live, and the segment in the prompt")


def report(machine):
    """A terminal with a report."""
    typed = ["report", "--from", DAY, "--to", DAY]
    lines = [f"\x1b[1m~\x1b[0m % ait {' '.join(typed)}", *machine.run("", AIT, *typed).splitlines()]
    return draw(lines, "A terminal: ait report")


def timeline(machine):
    """The image that ait itself draws."""
    return machine.run("", AIT, "timeline", "--date", DAY, "--svg", "-")


def looks(machine):
    """The status line of a session in each of the looks."""
    session_id, folder, *_ = SESSIONS[2]
    at = int(datetime.datetime.now(datetime.timezone.utc).timestamp())
    payload = {
        "session_id": session_id,
        "cwd": str(machine.home / folder),
        "model": {"display_name": "Opus 5.5"},
        "effort": {"level": "high"},
        "cost": {"total_cost_usd": 1.5, "total_duration_ms": 720_000, "total_lines_added": 120, "total_lines_removed": 31},
        "context_window": {"used_percentage": 58},
        "rate_limits": {"five_hour": {"used_percentage": 42}, "seven_day": {"used_percentage": 73}},
        "prompt_cache": {"expires_at": at + 250},
    }
    lines = []
    for name in ("separators", "powerline", "bars"):
        look = {"AIT_CONFIG": str(ROOT / f"docs/looks/{name}.toml"), "COLUMNS": str(COLUMNS + 4), "LC_ALL": "C.UTF-8"}
        lines += [f"\x1b[2m{name}\x1b[22m", *machine.run(folder, AIT, "statusline", stdin=json.dumps(payload), **look).splitlines(), ""]
    # Few fonts have the sign of Nerd Fonts.
    lines = [line.replace("\uf071", "⚠") for line in lines]
    return draw(lines[:-1], "Status lines: parts with bars between, powerline, and two lines with a bar")


PICTURES = {"docs/looks/looks.svg": looks, "shell/terminal.svg": live, "shell/report.svg": report, "shell/timeline.svg": timeline}


# ---- how a terminal is drawn -----------------------------------------------------------------------------------------

WIDTH, HEIGHT, FONT, MARGIN, BAR = 8.4, 20, 14, 18, 34
PAPER, FRAME, INK = "#16181d", "#3a3f4b", "#d7dae0"
# The sixteen colours, the bright ones after the usual.
COLORS = {30: "#16181d", 37: "#d7dae0", 90: "#7d8494", 91: "#ff8b92", 92: "#ddffa7", 93: "#ffe585", 94: "#9cc4ff", 95: "#e1acff", 96: "#a3f7ff", 97: "#ffffff", 31: "#f07178", 32: "#a5d6a7", 33: "#f2c55c", 34: "#7aa2f7", 35: "#d58bf0", 36: "#5fd7d7"}
STYLE = re.compile(r"\x1b\[([0-9;]*)m")
# The separator of powerline, which few fonts have.
ARROW = "\ue0b0"
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
            codes = iter([int(code or 0) for code in match[1].split(";")])
            for code in codes:
                if code in (38, 48):
                    style["color" if code == 38 else "ground"] = rich_color(codes)
                elif code in ENDS:
                    for name in ENDS[code]:
                        style.pop(name, None)
                elif code == 0:
                    style.clear()
                else:
                    style[{1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse"}.get(code, "color")] = COLORS.get(code)


def rich_color(codes):
    """One of 256 colours or of all, from the codes after 38 or 48."""
    if next(codes) == 2:
        return "#" + "".join(f"{next(codes):02x}" for _ in range(3))
    number = next(codes)
    if number < 16:
        return COLORS[number + 30 if number < 8 else number + 82]
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    return "#" + "".join(f"{(0, 95, 135, 175, 215, 255)[(number - 16) // step % 6]:02x}" for step in (36, 6, 1))


def strokes(character, x, y):
    left, right, middle = x, x + WIDTH, x + WIDTH / 2
    top, bottom, half = y, y + HEIGHT, y + HEIGHT / 2
    if character in ROUND:
        vertical, horizontal = ROUND[character]
        end_y, end_x = (bottom if vertical == "down" else top), (right if horizontal == "right" else left)
        return f"M{middle:g} {end_y:g}Q{middle:g} {half:g} {end_x:g} {half:g}"
    ends = {"l": (left, half), "r": (right, half), "u": (middle, top), "d": (middle, bottom)}
    return "".join(f"M{middle:g} {half:g}L{ends[end][0]:g} {ends[end][1]:g}" for end in BOXES[character])


def draw(lines, label):
    width, height = COLUMNS * WIDTH + 2 * MARGIN, len(lines) * HEIGHT + MARGIN + BAR
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'role="img" aria-label="{label}">',
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
                if style.get("ground"):
                    out.append(f'<rect x="{x:g}" y="{y:g}" width="{taken:g}" height="{HEIGHT}" fill="{style["ground"]}"/>')
                if piece == ARROW:
                    points = f"{x:g},{y:g} {x + WIDTH:g},{y + HEIGHT / 2:g} {x:g},{y + HEIGHT:g}"
                    out.append(f'<polygon points="{points}" fill="{style.get("color") or INK}"/>')
                elif piece[0] in BOXES or piece[0] in ROUND:
                    paths += [strokes(c, x + n * WIDTH, y) for n, c in enumerate(piece)]
                elif not piece.isspace():
                    look = f' fill="{style["color"]}"' if style.get("color") else ""
                    look += ' font-weight="700"' if "bold" in style else ""
                    look += ' font-style="italic"' if "italic" in style else ""
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
        machine.set_up()
        pictures = {name: make(machine) for name, make in PICTURES.items()}
    finally:
        machine.close()
    for name, picture in pictures.items():
        if "--check" not in sys.argv[1:]:
            (ROOT / name).write_text(picture)
        elif (ROOT / name).read_text() != picture:
            sys.exit(f"picture.py: {name} is out of date; type: python3 shell/picture.py")


if __name__ == "__main__":
    main()
