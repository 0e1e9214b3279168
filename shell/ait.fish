# The segment of ait in fish. At the end of ~/.config/fish/config.fish, after a prompt framework:
#
#     ait init fish | source             the segment at the left of your right prompt
#     ait init fish --manual | source    only $AIT_SEGMENT and ait_segment, for you to place
#
# Before each prompt AIT_SEGMENT is set to the segment; it is empty if no session runs here. A process is started only if the
# segment may have changed. Names that start with __ait_ are internal. Needs fish 3.1.

# Filled in by `ait init`: the program, the second in which it was last changed, and whether the prompt is yours.
set -g __ait_bin '::AIT::'
set -g __ait_changed '::CHANGED::'
set -g __ait_manual '::MANUAL::'
if string match -q '::*' -- $__ait_bin
    echo 'ait: shell/ait.fish is a template; use: ait init fish | source' >&2
    return 1
end

set -g AIT_SEGMENT ''
set -g __ait_quiet 0
# Which function draws the right prompt: theirs alone while there is nothing to add.
set -g __ait_right __ait_theirs

# The conditions under which AIT_SEGMENT stays valid, as `ait prompt` gave them (docs/prompt-protocol.md): what was passed
# to it (empty: nothing may be reused), the age of the program when it was asked and the age up to which the segment is
# valid, in seconds, a test of all processes and files, and the files with their first lines.
set -g __ait_inputs ''
set -g __ait_asked 0
set -g __ait_until 0
set -g __ait_exist
set -g __ait_files
set -g __ait_texts
# Whether they can be checked without a process: 1, the version of the protocol, or 0. fish has no clock: the time is the
# age of a file, which `path mtime` tells from fish 3.6 on. It has no `kill -0` either.
set -g __ait_reuse 0
if path mtime -R / >/dev/null 2>&1
    set -g __ait_reuse 1
end

function __ait_update --on-event fish_prompt
    set -l inputs "$PWD|$COLUMNS|$HOME|$AIT_SESSIONS_DIR|$CLAUDE_CONFIG_DIR|$XDG_RUNTIME_DIR|$XDG_CACHE_HOME|$AIT_FORMAT|$AIT_ICONS|$AIT_PALETTE|$NO_COLOR|$CLICOLOR_FORCE|$TERM|$LC_ALL|$LC_CTYPE|$LANG|$TMUX_PANE|$AIT_CONFIG|$XDG_CONFIG_HOME"
    # No function while the conditions hold, and one command substitution: each costs as much as several checks.
    if test -n "$__ait_inputs"; and test "$inputs" = "$__ait_inputs"; and test $__ait_exist
        set -l age (path mtime -R -- $__ait_bin)
        if test -n "$age"; and test "$age" -ge $__ait_asked -a "$age" -lt $__ait_until
            set -l texts
            # fish reads a line in pieces, but with -n byte by byte. The limit is for a file without a newline.
            set -l fish_read_limit 4096
            for file in $__ait_files
                read -l first <$file
                set -a texts "$first"
            end
            test "$texts" = "$__ait_texts"; and return
        end
    end
    __ait_renew $inputs
end

# Asks, unless no manifest is in the folders of live sessions: that of this profile, the default one, and those of other
# profiles that hooks have remembered, a line each. Who has one profile has no such file. AIT_SESSIONS_DIR stands alone.
function __ait_renew
    set -l roots
    if test -n "$AIT_SESSIONS_DIR"
        set roots $AIT_SESSIONS_DIR
    else
        if test -n "$CLAUDE_CONFIG_DIR"
            set -a roots $CLAUDE_CONFIG_DIR/sessions
        end
        if test -n "$HOME"
            set -a roots $HOME/.claude/sessions
        end
        set -l cache $HOME/.cache
        if string match -q '/*' -- "$XDG_CACHE_HOME"
            set cache $XDG_CACHE_HOME
        end
        if test -f "$cache/ait/roots" -a -r "$cache/ait/roots"
            while read -l root
                string match -q '/*' -- $root; and set -a roots $root
            end <"$cache/ait/roots"
        end
    end
    set -g AIT_SEGMENT ''
    set -g __ait_inputs ''
    set -g __ait_right __ait_theirs
    set -l live
    if set -q roots[1]
        set live $roots/active/*.json
    end
    if set -q live[1]; and test -x "$__ait_bin"
        __ait_ask $argv[1]
        set -g __ait_right __ait_both
    end
end

# Asks ait. fish cannot stop waiting for a command, and `timeout` triples its cost. So the program that printed this text runs
# without a limit, and a newer one in its place gets half a second, if there is a `timeout`. After a timeout ait is not asked
# for the next twenty prompts.
function __ait_ask
    # fish hides a right prompt that does not fit beside the left one.
    set -l most
    if set -q COLUMNS; and test "$COLUMNS" -gt 1
        set most --max-width (math --scale=0 $COLUMNS / 2)
    end
    set -l changed
    set -l asked
    if test $__ait_reuse = 1
        set changed (path mtime -- $__ait_bin)
        set asked (path mtime -R -- $__ait_bin)
    end
    set -lx AIT_PROMPT_REUSE $__ait_reuse
    set -l answer
    if test "$changed" = "$__ait_changed"
        set answer (command $__ait_bin prompt --for fish $most </dev/null 2>/dev/null)
    else if test $__ait_quiet -gt 0
        set -g __ait_quiet (math $__ait_quiet - 1)
    else if command -q timeout
        set answer (command timeout -s KILL 0.5 $__ait_bin prompt --for fish $most </dev/null 2>/dev/null)
        # 128 + KILL: timeout killed itself with it.
        if test $status -eq 137
            set answer
            set -g __ait_quiet 20
        end
    else
        set answer (command $__ait_bin prompt --for fish $most </dev/null 2>/dev/null)
    end
    set -g AIT_SEGMENT "$answer[1]"
    if test "$answer[2]" = reuse\t1; and test "$answer[-1]" = end
        __ait_keep "$argv[1]" "$changed" "$asked" $answer[3..-2]
    end
end

# Keeps the conditions of an answer, if they are all known: what was passed, the time of the program's last change and its
# age, and the lines of the answer.
function __ait_keep
    set -l until
    set -l exist -n x
    set -l files
    set -l texts
    for line in $argv[4..-1]
        set -l fields (string split \t -- $line)
        switch "$fields[1]":(builtin count $fields)
            case until:2
                set until (string match -r -- '^[1-9][0-9]{0,11}$' $fields[2]); or return 0
            case process:2
                string match -qr -- '^[1-9][0-9]{0,9}$' $fields[2]; or return 0
                set -a exist -a -e /proc/$fields[2]
            case file:3
                string match -q -- '/*' $fields[2]; and test -n "$fields[3]"; or return 0
                # A file of any kind may be there by then.
                set -a exist -a -f $fields[2]
                set -a files $fields[2]
                set -a texts $fields[3]
            case unchanged:3
                string match -q -- '/*' $fields[2]; and string match -q -- '/*' $fields[3]; or return 0
                set -a exist -a ! $fields[2] -nt $fields[3]
            case '*'
                return 0
        end
    end
    if test -n "$until"; and string match -qr -- '^-?[0-9]+$' $argv[2]; and string match -qr -- '^-?[0-9]+$' $argv[3]
        set -g __ait_asked $argv[3]
        set -g __ait_until (math $until - $argv[2])
        set -g __ait_exist $exist
        set -g __ait_files $files
        set -g __ait_texts $texts
        set -g __ait_inputs $argv[1]
    end
end

# Prints the segment, for a prompt that takes text from commands.
function ait_segment
    echo -n -s -- "$AIT_SEGMENT"
end

# Asks now, and draws the prompt again: for code that loads ait late, and for timers.
function ait_refresh
    set -g __ait_inputs ''
    __ait_update
    commandline -f repaint 2>/dev/null
    return 0
end

# tide draws its items in another process, which reads config.fish but does not see $AIT_SEGMENT. Where the item is placed,
# it is the segment.
if functions -q _tide_print_item
    function _tide_item_ait
        set -l segment (command $__ait_bin prompt --for fish </dev/null 2>/dev/null)
        test -n "$segment"; and _tide_print_item ait '' "$segment"
    end
    if contains -- ait $tide_left_prompt_items $tide_right_prompt_items
        set -g __ait_manual 1
    end
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
