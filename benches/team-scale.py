#!/usr/bin/env python3
"""Measures `ait team` with generated teams: python3 benches/team-scale.py AIT [MEMBERS,... [YEARS,...]]

For each team a bare remote is filled with git fast-import, in the real format: on each working day 5 sessions in 2 to 5
batches, as the interval between syncs allows; sessions older than 180 to 210 days as daily totals, as ait itself rewrites
them. git daemon serves it on loopback, so that only the member's own processes are measured; then a new member joins and
fetches. Prints a Markdown table of times, with the processor time of ait and git in brackets.
"""

import datetime
import json
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DAY = 86400
BRANCHES = ["main", "feature/checkout", "fix/rounding", "feature/search", "release/2.4", "docs/api", "fix/login"]
NAMES = ["Ada", "Björn", "Chidi", "Dolores", "Emeka", "Fatima", "Goran", "Hana", "Iris", "Jun"]


def line(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Importer:
    """git fast-import into one repository."""

    def __init__(self, remote):
        command = ["git", "-C", str(remote), "fast-import", "--quiet", "--done"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE)
        self.write = self.process.stdin.write

    def commit(self, ref, batch, seconds, is_first):
        # Each tree contains only its batch.
        data = batch.encode()
        lines = ["reset %s\n" % ref if is_first else "", "commit %s\n" % ref, "committer ait <> %d +0000\n" % seconds]
        lines += ["data 7\nrecords\n", "deleteall\nM 100644 inline records\ndata %d\n" % len(data)]
        self.write("".join(lines).encode() + data + b"\n")

    def finish(self):
        self.write(b"done\n")
        self.process.stdin.close()
        assert self.process.wait() == 0


def member(importer, number, years, batches, now, rng):
    identity = "%016x" % rng.getrandbits(64)
    ref = "refs/ait/v1/" + identity
    header = {"ait": 1, "member": identity, "name": "%s %d" % (NAMES[number % len(NAMES)], number)}
    today = now // DAY
    kept = today - min(180 + rng.randrange(30), years * 365)
    is_workday = lambda day: (day + 3) % 7 < 5
    date = lambda day: datetime.date.fromordinal(719163 + day).isoformat()
    totals = []
    for day in range(today - years * 365, kept):
        if is_workday(day):
            total = {"project": "shop", "days": [[date(day), rng.randrange(9000, 25000), rng.randrange(3000)]]}
            totals.append(line({**total, "sessions": 5}))
    if totals:
        importer.commit(ref, line({**header, "replaced": True}), (kept - 1) * DAY, True)
        importer.commit(ref, line(header) + "".join(totals), (kept - 1) * DAY, False)
    is_first = not totals
    for day in range(kept, today + 1):
        if not is_workday(day) and day != today:
            continue
        records = []
        for session in range(5):
            begin = day * DAY + 7 * 3600 + session * 6000 + rng.randrange(1800)
            record = {"session": "%016x" % rng.getrandbits(64), "project": "shop", "branch": rng.choice(BRANCHES)}
            record.update({"from": stamp(begin), "to": stamp(begin + rng.randrange(600, 5000)), "end": "completed"})
            record["days"] = [[date(day), rng.randrange(300, 4000), rng.randrange(600)]]
            record["commits"] = ["%040x" % rng.getrandbits(160) for _ in range(rng.randrange(3))]
            records.append((begin, line(record)))
        for part in range(batches):
            chosen = records[part * 5 // batches : (part + 1) * 5 // batches]
            at = min(chosen[-1][0] + 5000, now - 60)
            importer.commit(ref, line(header) + "".join(text for _, text in chosen), at, is_first)
            is_first = False


def size(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def measure(ait, words, home, clone, runs=1):
    """The fastest of some runs: its time, the processor time of all its processes, the largest process in KiB."""
    best = None
    for _ in range(runs):
        read, write = os.pipe()
        start = time.monotonic()
        child = os.fork()
        if child == 0:
            run = subprocess.run([ait, *words], cwd=clone, env={**os.environ, "HOME": str(home)}, capture_output=True)
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            text = json.dumps([usage.ru_utime + usage.ru_stime, usage.ru_maxrss, run.returncode, run.stderr.decode()])
            os.write(write, text.encode()[:60000])
            os._exit(0)
        os.close(write)
        answer = json.loads(b"".join(iter(lambda: os.read(read, 1 << 16), b"")))
        os.waitpid(child, 0)
        os.close(read)
        elapsed = time.monotonic() - start
        assert answer[2] == 0, answer
        if best is None or elapsed < best[0]:
            best = (elapsed, answer[0], answer[1])
    return best


def team(ait, members, years, folder):
    git = lambda *words: subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout
    remote, home = folder / "remote.git", folder / "home"
    home.mkdir()
    git("init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    now = int(time.time())
    interval = max(1800, members * 15)
    batches = max(2, min(5, 8 * 3600 // interval))
    rng = random.Random(members * 100 + years)
    importer = Importer(remote)
    importer.write(b"commit refs/heads/main\ncommitter x <> 1600000000 +0000\ndata 2\nx\n")
    for number in range(members):
        member(importer, number, years, batches, now, rng)
    importer.finish()
    git("-C", str(remote), "pack-refs", "--all")
    git("-C", str(remote), "commit-graph", "write", "--reachable")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--listen=127.0.0.1", "--port=%d" % port, "--export-all", "--enable=receive-pack", "--reuseaddr"]
    daemon = [Path(git("--exec-path").strip()) / "git-daemon", *options, "--base-path=%s" % folder, str(folder)]
    server = subprocess.Popen(daemon, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            time.sleep(0.1)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        read(ait, members, years, batches, folder, "git://127.0.0.1:%d/remote.git" % port)
    finally:
        server.terminate()
        server.wait()


def read(ait, members, years, batches, folder, url):
    git = lambda *words: subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout
    remote, home = folder / "remote.git", folder / "home"
    clone = home / "shop"
    git("clone", "--quiet", url, str(clone))
    git("-C", str(clone), "config", "user.name", "Reader")
    measure(ait, ["team", "join", "--yes"], home, clone)
    (store,) = (home / ".local/share/ait/team").iterdir()
    before = size(store / "git/objects")
    fetch = measure(ait, ["team", "sync"], home, clone)
    transferred = size(store / "git/objects") - before
    nothing = measure(ait, ["team", "sync"], home, clone, 5)
    show = measure(ait, ["team", "--offline"], home, clone, 5)
    memory = max(run[2] for run in (fetch, nothing, show))
    refs = len(git("-C", str(remote), "for-each-ref", "--format=x", "refs/ait").split()) - 1
    assert refs == members, refs
    cells = [members, years, batches, "%.0f MB" % (size(remote / "objects") / 1e6)]
    cells += ["%.2f MB" % (transferred / 1e6)]
    cells += ["%.2f s (%.2f s)" % fetch[:2], "%.2f s (%.2f s)" % nothing[:2]]
    cells += ["%.0f ms (%.0f ms)" % (show[0] * 1000, show[1] * 1000), "%.0f MiB" % (memory / 1024)]
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def main():
    ait = os.path.abspath(sys.argv[1])
    numbers = lambda at, default: [int(word) for word in (sys.argv[at] if len(sys.argv) > at else default).split(",")]
    for name in [name for name in os.environ if name.startswith(("GIT_", "AIT_", "CLAUDE", "XDG_"))]:
        del os.environ[name]
    print("| members | years | batches a day | remote | last week | first sync | nothing new | `ait team` | memory |")
    print("|---|---|---|---|---|---|---|---|---|")
    # Removed at the end: on ext4 a new file takes longer for some minutes after many were deleted.
    folders = []
    try:
        for members in numbers(2, "10,100,1000"):
            for years in numbers(3, "1,5,10"):
                folders.append(Path(tempfile.mkdtemp(prefix="ait-team-scale.")))
                team(ait, members, years, folders[-1])
    finally:
        for folder in folders:
            if "KEEP" in os.environ:
                print(folder, file=sys.stderr)
            else:
                shutil.rmtree(folder)


if __name__ == "__main__":
    main()
