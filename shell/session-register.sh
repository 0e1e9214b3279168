#!/bin/sh
# Tells ait that a Claude Code session began. Written by `ait hooks install`; `ait hooks uninstall` removes it.
# Silent and successful where ait is gone.
ait=@AIT@
[ -f "$ait" ] && [ -x "$ait" ] || exit 0
exec "$ait" hook session-register
