# The segment of ait in xonsh. At the end of ~/.xonshrc:
#
#     if !(which -s ait): execx($(ait init xonsh))
#
# The segment is then at the left of your right prompt. With --manual there is only the field {ait}, for you to place:
# $PROMPT = '{ait:{} }' + $PROMPT. The field is empty (None) if no session runs here.
#
# A process is started only if the segment may have changed. Without prompt_toolkit xonsh has no right prompt: there the
# segment is at the left of the prompt.


def __ait_load(ait, manual):
    import os
    import stat
    import subprocess
    import time

    from xonsh.built_ins import XSH

    names = (
        "PWD HOME AIT_SESSIONS_DIR CLAUDE_CONFIG_DIR XDG_RUNTIME_DIR XDG_CACHE_HOME AIT_FORMAT AIT_ICONS AIT_PALETTE NO_COLOR"
        " CLICOLOR_FORCE TERM LC_ALL LC_CTYPE LANG TMUX_PANE AIT_CONFIG"
        " XDG_CONFIG_HOME"
    ).split()
    # The segment, and the conditions under which it stays valid, as `ait prompt` gave them (docs/prompt-protocol.md): what
    # was passed to it (None: nothing may be reused), when it was asked, until when, which processes, files with their first
    # lines, and files that must not be newer than another one.
    kept = {"segment": "", "inputs": None, "quiet_until": 0}

    def value(name):
        found = XSH.env.get(name)
        return "" if found is None else str(found)

    def width():
        try:
            return os.get_terminal_size().columns
        except OSError:
            return 80

    def exists(pid):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True

    def first_line(path):
        # A file of any size and kind may be there by now.
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return os.read(file, 256).split(b"\n")[0] if stat.S_ISREG(os.fstat(file).st_mode) else None
        finally:
            os.close(file)

    def is_valid(inputs, now):
        try:
            return (
                kept["inputs"] == inputs
                and kept["asked"] <= now < kept["until"]
                and all(map(exists, kept["processes"]))
                and all(first_line(path) == text for path, text in kept["files"])
                and all(os.stat(path).st_mtime_ns <= os.stat(other).st_mtime_ns for path, other in kept["stamps"])
            )
        except (OSError, OverflowError):
            return False

    def is_live():
        # A manifest in the folders of live sessions: that of this profile, the default one, and those of other profiles that
        # hooks have remembered, a line each. Who has one profile has no such file. AIT_SESSIONS_DIR stands alone.
        roots = [value("AIT_SESSIONS_DIR")]
        if not roots[0]:
            config, home, cache = value("CLAUDE_CONFIG_DIR"), value("HOME"), value("XDG_CACHE_HOME")
            roots = [config and config + "/sessions", home and home + "/.claude/sessions"]
            cache = cache if cache.startswith("/") else home + "/.cache"
            try:
                with open(cache + "/ait/roots", "rb") as file:
                    roots += (os.fsdecode(root) for root in file.read(65536).split(b"\n") if root.startswith(b"/"))
            except OSError:
                pass
        for root in filter(None, roots):
            try:
                with os.scandir(root + "/active") as entries:
                    if any(entry.name.endswith(".json") for entry in entries):
                        return True
            except OSError:
                pass
        return False

    def ask(columns):
        # For at most half a second. After a timeout ait is not asked again for half a minute.
        command = [ait, "prompt", "--for", "xonsh", "--max-width", str(columns // 2)]
        if not has_right_prompt():
            # Colours would be counted as text.
            command += ["--color", "never"]
        environment = dict(XSH.env.detype(), AIT_PROMPT_REUSE="1")
        try:
            said = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=0.5,
            )
            return said.stdout
        except subprocess.TimeoutExpired:
            kept["quiet_until"] = time.time() + 30
        except OSError:
            pass
        return b""

    def number(text, digits):
        return int(text) if text.isdigit() and len(text) <= digits and not text.startswith(b"0") else None

    def keep(lines, inputs, now):
        # If all conditions are known.
        until, processes, files, stamps = None, [], [], []
        for line in lines:
            fields = line.split(b"\t")
            kind = fields[0], len(fields)
            if kind == (b"until", 2) and number(fields[1], 12):
                until = number(fields[1], 12)
            elif kind == (b"process", 2) and number(fields[1], 10):
                processes.append(number(fields[1], 10))
            elif kind == (b"file", 3) and fields[1].startswith(b"/") and fields[2]:
                files.append((fields[1], fields[2]))
            elif kind == (b"unchanged", 3) and fields[1].startswith(b"/") and fields[2].startswith(b"/"):
                stamps.append((fields[1], fields[2]))
            else:
                return
        if until:
            kept.update(inputs=inputs, asked=now, until=until, processes=processes, files=files, stamps=stamps)

    def segment():
        columns, now = width(), int(time.time())
        inputs = [columns, has_right_prompt(), *map(value, names)]
        if not is_valid(inputs, now):
            kept.update(segment="", inputs=None)
            if now >= kept["quiet_until"] and is_live():
                lines = ask(columns).split(b"\n")
                kept["segment"] = lines[0].decode("utf-8", "replace")
                if lines[1:2] == [b"reuse\t1"] and lines[-2:] == [b"end", b""]:
                    keep(lines[2:-2], inputs, now)
        return kept["segment"] or None

    def has_right_prompt():
        return getattr(XSH.shell, "shell_type", "") == "prompt_toolkit"

    def place(**_):
        # At each prompt: other startup files may set it later.
        name = "RIGHT_PROMPT" if has_right_prompt() else "PROMPT"
        theirs = XSH.env.get(name)
        if callable(theirs) and not hasattr(theirs, "ait"):
            both = lambda: "{ait:{} }" + theirs()
            both.ait = True
            XSH.env[name] = both
        elif isinstance(theirs, str) and "{ait" not in theirs:
            XSH.env[name] = "{ait:{} }" + theirs

    XSH.env["PROMPT_FIELDS"]["ait"] = segment
    before_prompt = XSH.builtins.events.on_pre_prompt_format
    place.__name__ = "__ait_place"
    for known in [known for known in before_prompt if getattr(known, "__name__", "") == "__ait_place"]:
        before_prompt.discard(known)
    if not manual:
        before_prompt(place)


# Filled in by `ait init`.
__ait_load('::AIT::', '::MANUAL::')
del __ait_load
