# shellcheck shell=bash
# The segment of ait in bash. At the end of ~/.bashrc, after a prompt framework:
#
#     eval "$(ait init bash)"             the segment on a line of its own above the prompt
#     eval "$(ait init bash --manual)"    only $AIT_SEGMENT and ait_segment, for you to place: PS1='${AIT_SEGMENT} \w \$ '
#
# Before each prompt AIT_SEGMENT is set to the segment; it is empty if no session runs here. A process is started only if the
# segment may have changed. Place it by reference, in single quotes as above: bash does not expand the value of a variable
# again, so text from outside cannot run. Names that start with __ait_ are internal. Needs bash 3.2.

# Filled in by `ait init`.
__ait_bin='::AIT::'
__ait_manual='::MANUAL::'
# shellcheck disable=SC2016 # to be typed, not expanded here
if [[ $__ait_bin == ::* ]]; then
    \builtin echo 'ait: shell/ait.bash is a template; use: eval "$(ait init bash)"' >&2
    \builtin return 1
fi

AIT_SEGMENT=${AIT_SEGMENT-}
__ait_line=${__ait_line-}
__ait_pid=${__ait_pid-}
__ait_quiet_until=${__ait_quiet_until:-0}
# The conditions under which AIT_SEGMENT stays valid, as `ait prompt` gave them (docs/prompt-protocol.md): what was passed
# to it and the first lines of the files (empty: nothing may be reused), when it was asked, until when, which processes,
# and which files.
__ait_inputs=
__ait_asked=0
__ait_until=0
__ait_processes=()
__ait_files=()
# Files that must not be newer than another one, in pairs with a tab between.
__ait_stamps=()
# Whether they can be checked without a process: 1, the version of the protocol, or 0. Older versions have no %()T or do
# not know empty arrays under `set -u`.
__ait_reuse=0
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)); then
    __ait_reuse=1
fi
# bash 3 knows whole seconds only.
__ait_limit=0.5
if ((BASH_VERSINFO[0] < 4)); then
    __ait_limit=1
fi

__ait_prompt() {
    local status=$?
    __ait_update || \builtin :
    # bash itself keeps $? for the prompt and for each element of PROMPT_COMMAND. What others have put after us in one
    # string still wants to see it; under errexit it would end the shell.
    if ((__ait_element)); then \builtin return 0; fi
    case $- in *e*) \builtin return 0 ;; esac
    \builtin return "$status"
}

__ait_update() {
    # With $$, because under `set -a` a shell that is started from this one inherits what is kept.
    local inputs="$$|$PWD|${COLUMNS-}|${HOME-}|${AIT_SESSIONS_DIR-}|${CLAUDE_CONFIG_DIR-}|${XDG_RUNTIME_DIR-}|\
${XDG_CACHE_HOME-}|${AIT_FORMAT-}|${AIT_ICONS-}|${AIT_PALETTE-}|${NO_COLOR-}|${CLICOLOR_FORCE-}|${TERM-}|${LC_ALL-}|${LC_CTYPE-}|\
${LANG-}|${TMUX_PANE-}|${AIT_CONFIG-}|${XDG_CONFIG_HOME-}"
    # EPOCHSECONDS came with bash 5, takes a tenth of what printf does, and is an ordinary variable once it was unset.
    local now=${EPOCHSECONDS-} seen='' pid file first IFS=''
    if [[ -z $now ]] && ((__ait_reuse)); then \builtin printf -v now '%(%s)T' -1; fi
    # Whether all conditions of the last answer hold. Builtins only, and few: a function or a redirection costs as much as a
    # check, a command substitution a fork. Where there is no /proc, `kill -0` tells whether a process exists.
    if ((now >= __ait_asked && now < __ait_until)); then
        seen=$inputs
        for pid in "${__ait_processes[@]}"; do
            [[ -e /proc/$pid ]] || \builtin kill -0 "$pid" 2>/dev/null || seen=''
        done
        for file in "${__ait_files[@]}"; do
            # A file of any size and kind may be there by now: no FIFO is opened, and what is read before its end is too
            # long or contains a NUL.
            if [[ ! -f $file || ! -r $file ]]; then \builtin break; fi
            first=''
            if \builtin read -r -d '' -n 256 first <"$file"; then \builtin break; fi
            seen+=$'\n'${first%%$'\n'*}
        done
        for file in "${__ait_stamps[@]}"; do
            if [[ ${file%%$'\t'*} -nt ${file#*$'\t'} ]]; then seen=''; fi
        done
    fi
    # `[`, because `[[` ignores case under nocasematch.
    if [[ -z $seen ]] || ! \builtin [ "$seen" = "$__ait_inputs" ]; then __ait_renew; fi
    __ait_line=${AIT_SEGMENT:+$AIT_SEGMENT$'\n'}
    # shellcheck disable=SC2016 # expanded when the prompt is drawn, not now
    if ((!__ait_manual)) && { [[ ${PS1-} != *'${__ait_line-}'* ]] || ! \builtin shopt -q promptvars; }; then
        __ait_place
    fi
}

# Puts the line into the prompt: by reference, which stays right whoever keeps a copy; by value where bash expands no
# variables in a prompt, between marks by which it is found again.
__ait_place() {
    # shellcheck disable=SC2016 # expanded when the prompt is drawn, not now
    local prompt=${PS1-} reference='${__ait_line-}' mark='\[\]\[\]' escaped=$'\\\\' line='' start=''
    if \builtin shopt -q promptvars; then
        case $prompt in *"$reference"*) \builtin return 0 ;; esac
        line=$reference
    else
        prompt=${prompt//"$reference"/}
        case $prompt in
        *"$mark"*"$mark"*) prompt=${prompt%%"$mark"*}${prompt#*"$mark"*"$mark"} ;;
        esac
        if [[ -n $__ait_line ]]; then line=$mark${__ait_line//\\/"$escaped"}$mark; fi
    fi
    # Below the empty lines that a prompt begins with.
    while \builtin :; do
        case $prompt in
        $'\n'*) start+=$'\n' prompt=${prompt#?} ;;
        '\n'*) start+='\n' prompt=${prompt#??} ;;
        *) \builtin break ;;
        esac
    done
    PS1=$start$line$prompt
}

# Asks, unless no manifest is in the folders of live sessions: that of this profile, the default one, and those of other
# profiles that hooks have remembered, a line each. Who has one profile has no such file. AIT_SESSIONS_DIR stands alone.
__ait_renew() {
    local cache=${XDG_CACHE_HOME-} root roots=()
    AIT_SEGMENT=
    __ait_inputs=
    if ((${SECONDS:-0} < __ait_quiet_until)); then \builtin return 0; fi
    if [[ -n ${AIT_SESSIONS_DIR-} ]]; then
        roots+=("$AIT_SESSIONS_DIR")
    else
        if [[ -n ${CLAUDE_CONFIG_DIR-} ]]; then roots+=("$CLAUDE_CONFIG_DIR/sessions"); fi
        if [[ -n ${HOME-} ]]; then roots+=("$HOME/.claude/sessions"); fi
        if [[ $cache != /* ]]; then cache=${HOME-}/.cache; fi
        if [[ -f $cache/ait/roots && -r $cache/ait/roots ]]; then
            while ((${#roots[@]} < 40)) && \builtin read -r root; do
                if [[ $root == /* ]]; then roots+=("$root"); fi
            done <"$cache/ait/roots"
        fi
    fi
    for root in ${roots[@]+"${roots[@]}"}; do
        # compgen, because failglob, noglob and GLOBIGNORE do not change it. If the name of a folder contains pattern
        # characters, ait looks itself.
        case $root in
        *[][*?\\]*) ;;
        *) \builtin compgen -G "$root/active/*.json" >/dev/null 2>&1 || \builtin continue ;;
        esac
        __ait_ask
        \builtin break
    done
}

# Asks ait, for at most half a second. After a timeout the segment is empty and ait is not asked again for half a minute. A
# process substitution, because bash cannot stop waiting for a command substitution. It sets `$!`, which must not change
# once the user has a background job: then it runs in a subshell, which costs one more fork.
__ait_ask() {
    local answer='' ended=0 most=1000
    case ${COLUMNS-} in
    '' | 0 | 1 | *[!0-9]*) ;;
    *) most=$COLUMNS ;;
    esac
    if [[ ! -x $__ait_bin ]]; then
        \builtin return 0
    fi
    if [[ -z ${!-} || ${!-} == "$__ait_pid" ]]; then
        __ait_read
        __ait_pid=${!-}
    else
        answer=$(
            __ait_read
            \builtin printf '%s.' "$answer"
            if ((ended > 128)); then \builtin exit 9; fi
        ) || ended=129
        # The full stop keeps the newline before it.
        answer=${answer%.}
    fi
    if ((ended > 128)); then
        answer=''
        __ait_quiet_until=$((${SECONDS:-0} + 30))
    fi
    AIT_SEGMENT=${answer%%$'\n'*}
    case $answer in
    *$'\nreuse\t1\n'*$'\nend\n') __ait_keep ;;
    esac
}

# Reads up to the end of the answer, or for as long as it may take. A NUL, which no answer has, would end it too.
__ait_read() {
    IFS='' \builtin read -r -d '' -t "$__ait_limit" answer \
        < <(AIT_PROMPT_REUSE=$__ait_reuse \exec "$__ait_bin" prompt --for bash --max-width "$most" </dev/null 2>/dev/null) ||
        ended=$?
    # bash 4.3 and older set no $! here.
    if ((ended > 128)) && [[ -n ${!-} ]] && ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)); then
        \builtin kill -KILL "$!" 2>/dev/null || \builtin :
    fi
}

# Keeps the conditions of an answer, if they are all known.
__ait_keep() {
    local rest=${answer#*$'\n'} line value until=0 texts='' processes=() files=() stamps=()
    case $rest in
    $'reuse\t1\n'*) rest=${rest#*$'\n'} ;;
    *) \builtin return 0 ;;
    esac
    while [[ $rest != $'end\n' ]]; do
        line=${rest%%$'\n'*}
        rest=${rest#*$'\n'}
        value=${line#*$'\t'}
        case $line in
        until$'\t'[1-9]* | process$'\t'[1-9]*)
            if [[ $value == *[!0-9]* ]] || ((${#value} > 12)); then \builtin return 0; fi
            if [[ $line == u* ]]; then until=$value; else processes+=("$value"); fi
            ;;
        file$'\t'/*$'\t'?*) files+=("${value%%$'\t'*}") texts+=$'\n'${value#*$'\t'} ;;
        unchanged$'\t'/*$'\t'/*) stamps+=("$value") ;;
        *) \builtin return 0 ;;
        esac
    done
    if ((until)); then
        __ait_asked=$now __ait_until=$until __ait_inputs=$inputs$texts
        __ait_processes=("${processes[@]}") __ait_files=("${files[@]}") __ait_stamps=("${stamps[@]}")
    fi
}

# Prints the segment, for a prompt that takes text from commands.
ait_segment() {
    \builtin printf '%s' "${AIT_SEGMENT-}"
}

# Asks now, for code that loads ait late or reads $AIT_SEGMENT. bash draws the prompt again only after the next Enter.
ait_refresh() {
    __ait_inputs=
    __ait_update || \builtin :
}

# Whether __ait_prompt is an element of its own, which bash 5.1 and newer run one by one.
__ait_element=0
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)); then
    __ait_element=1
fi

__ait_load() {
    case "${PROMPT_COMMAND[*]-}" in *__ait_prompt*) \builtin return 0 ;; esac
    if ((__ait_element)); then
        # Some administrators make it read-only: then there is no way in, and nothing is changed.
        if [[ ${PROMPT_COMMAND+set} && ${PROMPT_COMMAND@a} == *r* ]]; then \builtin return 0; fi
        PROMPT_COMMAND+=(__ait_prompt)
    else
        # A line of its own: a `;` that is already at the end does no harm. An array's other elements are not run here.
        # shellcheck disable=SC2128,SC2178
        PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}__ait_prompt
    fi
}
__ait_load
\builtin unset -f __ait_load
