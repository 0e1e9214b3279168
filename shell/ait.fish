# The segment of ait in fish. At the end of ~/.config/fish/config.fish, after a prompt framework:
#
#     ait init fish | source             the segment at the left of your right prompt
#     ait init fish --manual | source    only $AIT_SEGMENT and ait_segment, for you to place
#
# Before each prompt AIT_SEGMENT holds the segment. With no session anywhere it is empty, and no process was started to
# find that out. What starts with __ait_ is not for use. Needs fish 3.1.

# Filled in by `ait init`: the program, the second in which it was last changed, and whether the prompt is yours.
set -g __ait_bin '::AIT::'
set -g __ait_changed '::CHANGED::'
set -g __ait_manual '::MANUAL::'

set -g AIT_SEGMENT ''
set -g __ait_quiet 0
# Which function draws the right prompt: theirs alone while there is nothing to add.
set -g __ait_right __ait_theirs

function __ait_update --on-event fish_prompt
    set -l root
    if test -n "$AIT_SESSIONS_DIR"
        set root $AIT_SESSIONS_DIR
    else if test -n "$CLAUDE_CONFIG_DIR"
        set root $CLAUDE_CONFIG_DIR/sessions
    else if test -n "$HOME"
        set root $HOME/.claude/sessions
    end
    set -g AIT_SEGMENT ''
    set -g __ait_right __ait_theirs
    set -l live
    if test -n "$root"
        set live "$root"/active/*.json
    end
    if set -q live[1]; and test -x "$__ait_bin"
        __ait_ask
        set -g __ait_right __ait_both
    end
end

# Asks ait. fish cannot stop waiting for a command, and `timeout` triples what one costs; so the program that printed this
# is trusted to answer, and one that has been put in its place since then gets half a second, where there is a `timeout`.
# When that was too short, it is not asked for the next twenty prompts.
function __ait_ask
    # fish leaves a right prompt out that does not fit beside the left one.
    set -l most
    if set -q COLUMNS; and test "$COLUMNS" -gt 1
        set most --max-width (math --scale=0 $COLUMNS / 2)
    end
    if functions -q __ait_same; and __ait_same
        set -g AIT_SEGMENT (command $__ait_bin prompt --for fish $most </dev/null 2>/dev/null)[1]
    else if test $__ait_quiet -gt 0
        set -g __ait_quiet (math $__ait_quiet - 1)
    else if command -q timeout
        set -g AIT_SEGMENT (command timeout -s KILL 0.5 $__ait_bin prompt --for fish $most </dev/null 2>/dev/null)[1]
        # 128 + KILL: timeout killed itself with it.
        if test $status -eq 137
            set -g AIT_SEGMENT ''
            set -g __ait_quiet 20
        end
    else
        set -g AIT_SEGMENT (command $__ait_bin prompt --for fish $most </dev/null 2>/dev/null)[1]
    end
end

# `path mtime` is there from fish 3.6 on.
if path mtime / >/dev/null 2>&1
    function __ait_same
        test "$(path mtime -- $__ait_bin)" = "$__ait_changed"
    end
end

# Prints the segment, for a prompt that takes text from commands.
function ait_segment
    echo -n -s -- "$AIT_SEGMENT"
end

if test "$__ait_manual" = 0
    # A right prompt that is already there keeps its place at the edge. Sourced again, ours is not taken for it.
    if functions -q fish_right_prompt; and not string match -q '*__ait_*' (functions fish_right_prompt)
        functions -e __ait_theirs
        functions -c fish_right_prompt __ait_theirs
    else if not functions -q __ait_theirs
        function __ait_theirs
        end
    end
    # Nothing before theirs: it may show $status, which setting a variable and calling one leave as it is.
    function fish_right_prompt
        $__ait_right
    end
    function __ait_both
        set -l __ait_shown (__ait_theirs)
        if test -n "$AIT_SEGMENT"; and test -n "$__ait_shown"
            set -p __ait_shown "$AIT_SEGMENT "
        else if test -n "$AIT_SEGMENT"
            set -p __ait_shown $AIT_SEGMENT
        end
        string join '' -- $__ait_shown
    end
end
