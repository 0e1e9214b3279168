#!/bin/sh
# The tmux plugin of ait: all live sessions in the status line, and keys that go to the session that waits
# longest, and to one that you choose.
#
#     run-shell "'/path/to/ait' init tmux --plugin | sh"    in tmux.conf, as `ait init tmux` prints it; or by a plugin manager
#     ait init tmux --plugin | sh -s -- --remove            removes it from the running server
#
# In status-left and status-right it replaces
#
#     #{ait}         a summary of all live sessions: count, longest wait, conflicts
#     #{ait_pane}    the segment of the active pane's own folder
#
# Options, set with `set -g` before the run-shell line:
#
#     @ait-position  where the summary goes if you placed neither: right (default), left, none
#     @ait-format    the format of the summary; see `ait prompt --help`
#     @ait-key       after the prefix: go to the session that waits longest. Default N if that is free; none for no key
#     @ait-popup-key after the prefix: choose a session from a list, in a popup (tmux 3.2). Default S if that is free; none
#                    for no key
#     @ait-follow    on (default): one process a client stays and writes a line when something changes, which tmux shows
#                    at once. off: asked every status-interval
#     @ait-bin       the program; default the one that printed this, else the one in PATH
#
# Needs tmux 3.0. Loaded twice it does the same as once.

set -u

# Filled in by `ait init`.
ait='::AIT::'

option() { tmux show-options -gqv "$1"; }

# Sets $text to its first argument with the second replaced by the third, everywhere.
replace() {
    rest=$1 text=
    while :; do
        case $rest in
        *"$2"*) text=$text${rest%%"$2"*}$3 rest=${rest#*"$2"} ;;
        *) break ;;
        esac
    done
    text=$text$rest
}

# tmux expands what is in #{} before it starts a #() job, and `q:` escapes it for the shell: a path or format of any
# shape stays one word. A job whose expanded text changes is started anew, so a changed option counts at once.
# exec: no shell stays behind to wait, nor to run what follows a newline, which `q:` leaves as it is.
format='#{?@ait-format, --format #{q:@ait-format},}'
job='#(exec #{q:@ait-bin} prompt --for tmux'
followed="$job --all --follow$format)"
asked="$job --all$format)"
pane="$job --dir #{q:pane_current_path})"
# As earlier versions wrote them; they may still be in a running server.
color='#{?#{m:*bg=green*,#{status-style}}, --color never,}'
followed_before="$job --fleet --follow$format$color)"
asked_before="$job --fleet$format$color)"
pane_before="$job --dir #{q:pane_current_path}$color)"

# Goes to the session that waits longest. Nothing is said when that worked: run-shell shows what a command prints in a mode
# that covers the pane. tmux expands `#` in a command, `#` twice and `%` in a message.
go="text=\$(exec env TMUX_PANE=#{q:pane_id} #{q:@ait-bin} sessions next --go 2>&1) || exec tmux display-message -c #{q:client_name} \
\"\$(printf '%s\\n' \"\$text\" | sed 's/##/&&&&/g; s/%/&&/g; q')\""

# Themes and plugin managers set status-right whenever they like, also in the background. Then the plugin is loaded once
# more, a second later, when they are done. As one hook among those that the user may have.
hook='after-set-option[1202]'
lost='#{&&:#{!=:#{@ait-restoring},1},#{!=:#{m:*@ait-bin*,#{status-left}#{status-right}},1}}'
restore="set-option -g @ait-restoring 1 ; run-shell -b 'sleep 1; #{q:@ait-bin} init tmux --plugin | sh'"

# The binding of a key, as `list-keys` shows it.
bound() { tmux list-keys -T prefix "$1" 2>/dev/null; }
is_ours() { case $(bound "$1") in *'#{q:@ait-bin} sessions next --go'*) return 0 ;; *) return 1 ;; esac; }

is_our_popup() { case $(bound "$1") in *display-popup*' sessions go'*) return 0 ;; *) return 1 ;; esac; }

# Binds the key of the popup. tmux expands nothing in its command, so the path is filled in here, as one word of a shell. If
# going to the session fails, the list says why and stays.
bind_popup() {
    key=$(option @ait-popup-key)
    old=$(option @ait-popup-bound)
    if [ -n "$old" ] && [ "$old" != "${key:-S}" ] && is_our_popup "$old"; then tmux unbind-key -T prefix "$old"; fi
    if [ "$key" = none ] || { [ -z "$key" ] && [ -n "$(bound S)" ] && ! is_our_popup S; }; then return 0; fi
    replace "$(option @ait-bin)" "'" "'\\''"
    if tmux bind-key -N 'Choose a session of Claude Code' "${key:-S}" \
        display-popup -E -w 80% -h 60% "exec '$text' sessions go" 2>/dev/null; then
        tmux set-option -g @ait-popup-bound "${key:-S}"
    fi
}

remove() {
    tmux set-hook -gu "$hook" 2>/dev/null
    added=$(option @ait-added)
    for side in left right; do
        was=$(option "status-$side")
        text=$was
        for all in "$followed" "$asked" "$followed_before" "$asked_before"; do
            if [ "$added" = "$side" ]; then replace "$text" "$all " ''; fi
            replace "$text" "$all" '#{ait}'
        done
        for form in "$pane" "$pane_before"; do replace "$text" "$form" '#{ait_pane}'; done
        if [ "$text" != "$was" ]; then tmux set-option -g "status-$side" "$text"; fi
        length=$(option "@ait-$side-length")
        if [ -n "$length" ] && [ "$(option "status-$side-length")" = 100 ]; then
            tmux set-option -g "status-$side-length" "$length"
        fi
    done
    key=$(option @ait-bound)
    if [ -n "$key" ] && is_ours "$key"; then tmux unbind-key -T prefix "$key"; fi
    key=$(option @ait-popup-bound)
    if [ -n "$key" ] && is_our_popup "$key"; then tmux unbind-key -T prefix "$key"; fi
    # tmux keeps a job for up to an hour after the last use.
    server=$(tmux display-message -p '#{pid}')
    ps -A -o pid= -o ppid= -o args= 2>/dev/null | while read -r pid parent arguments; do
        case $parent:$arguments in
        "$server:"*' prompt --for tmux --all --follow'* | "$server:"*' prompt --for tmux --fleet --follow'*) kill "$pid" 2>/dev/null ;;
        esac
    done
    tmux show-options -g | while read -r name _; do
        case $name in @ait-*) tmux set-option -gu "$name" ;; esac
    done
}

# Puts the summary at the left end of a side. It needs more room than the 40 cells that tmux gives a side by default.
add() {
    tmux set-option -g "status-$1" "$all $(option "status-$1")"
    tmux set-option -g @ait-added "$1"
    length=$(option "status-$1-length")
    if [ "${length:-0}" -lt 100 ]; then
        tmux set-option -g "@ait-$1-length" "$length"
        tmux set-option -g "status-$1-length" 100
    fi
}

# Says once how to get the program. The file is the memory of it: without one, nothing is said. In the background, because no
# client can show a message while tmux.conf is read.
missing() {
    folder=${XDG_CACHE_HOME:-${HOME-}/.cache}/ait
    if [ ! -e "$folder/missing-program" ] && mkdir -p "$folder" 2>/dev/null && : 2>/dev/null >"$folder/missing-program"; then
        tmux run-shell -b \
            'sleep 2; tmux display-message "ait: no program named ait in the PATH of tmux; install it, or set @ait-bin"'
    fi
}

load() {
    bin=$(option @ait-bin)
    if [ -z "$bin" ]; then
        case $ait in
        ::*) bin=$(command -v ait) || bin= ;;
        *) bin=$ait ;;
        esac
        if [ -z "$bin" ]; then
            missing
            return 0
        fi
        tmux set-option -g @ait-bin "$bin"
    fi

    if [ "$(option @ait-follow)" = off ]; then all=$asked other=$followed; else all=$followed other=$asked; fi
    placed=
    for side in left right; do
        was=$(option "status-$side")
        text=$was
        for form in "$other" "$followed_before" "$asked_before"; do replace "$text" "$form" "$all"; done
        replace "$text" "$pane_before" "$pane"
        case $text in
        # A line that appends `#{ait}` was read again.
        *"$all"*) replace "$text" '#{ait}' '' ;;
        *) replace "$text" '#{ait}' "$all" ;;
        esac
        replace "$text" '#{ait_pane}' "$pane"
        if [ "$text" != "$was" ]; then tmux set-option -g "status-$side" "$text"; fi
        case $text in *"$all"* | *"$pane"*) placed=$side ;; esac
    done
    if [ -z "$placed" ]; then
        case $(option @ait-position) in
        none) ;;
        left) add left ;;
        *) add right ;;
        esac
        placed=$(option @ait-added)
    fi
    if [ -n "$placed" ]; then tmux set-hook -g "$hook" "if-shell -F '$lost' \"$restore\""; fi
    tmux set-option -gu @ait-restoring

    key=$(option @ait-key)
    old=$(option @ait-bound)
    if [ -n "$old" ] && [ "$old" != "${key:-N}" ] && is_ours "$old"; then tmux unbind-key -T prefix "$old"; fi
    # A key that is already bound is left alone, unless the user asked for it.
    if [ "$key" != none ] && { [ -n "$key" ] || [ -z "$(bound N)" ]; }; then
        tmux bind-key -N 'Go to the session that waits longest' "${key:-N}" \
            run-shell -b "$go"
        tmux set-option -g @ait-bound "${key:-N}"
    fi
    bind_popup
}

case ${1-} in
--remove) remove ;;
*) load ;;
esac
