#!/bin/sh
# Tells ait that a Claude Code session began. Written by `ait hooks install` with the full path of ait, or copied by hand:
# then it calls the ait in PATH. `ait hooks uninstall` removes it. Silent and successful if ait is missing.
ait=ait
case $ait in
*/*) [ -f "$ait" ] && [ -x "$ait" ] || exit 0 ;;
*) command -v "$ait" >/dev/null 2>&1 || exit 0 ;;
esac
exec "$ait" hook session-register
