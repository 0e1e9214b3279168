# shellcheck shell=bash
# The segment of ait in bash. At the end of ~/.bashrc, after a prompt framework:
#
#     eval "$(ait init bash)"             the segment on a line of its own above the prompt
#     eval "$(ait init bash --manual)"    only $AIT_SEGMENT and ait_segment, for you to place: PS1='${AIT_SEGMENT} \w \$ '
#
# Before each prompt AIT_SEGMENT holds the segment. Place it by reference, in single quotes as above: what a variable
# holds is not expanded again, so text from outside cannot run. With no session anywhere it is empty, and no process was
# started to find that out. What starts with __ait_ is not for use. Needs bash 3.2.

# Filled in by `ait init`.
__ait_bin='::AIT::'
__ait_manual='::MANUAL::'

AIT_SEGMENT=${AIT_SEGMENT-}
__ait_line=${__ait_line-}
__ait_pid=${__ait_pid-}
__ait_quiet_until=${__ait_quiet_until:-0}
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
    # No command substitution here: it would fork.
    local root=${AIT_SESSIONS_DIR:-${CLAUDE_CONFIG_DIR:+$CLAUDE_CONFIG_DIR/sessions}}
    root=${root:-${HOME:+$HOME/.claude/sessions}}
    AIT_SEGMENT=
    if [[ -n $root ]] && ((${SECONDS:-0} >= __ait_quiet_until)); then
        # compgen obeys neither failglob nor noglob nor GLOBIGNORE, and a loop over a pattern all of them. A folder whose
        # name holds pattern characters is left for ait to look at.
        case $root in
        *[][*?\\]*) __ait_ask ;;
        *) if \builtin compgen -G "$root/active/*.json" >/dev/null 2>&1; then __ait_ask; fi ;;
        esac
    fi
    __ait_line=${AIT_SEGMENT:+$AIT_SEGMENT$'\n'}
    if ((!__ait_manual)) && \builtin shopt -q promptvars; then
        # shellcheck disable=SC2016 # expanded when the prompt is drawn, not now
        case ${PS1-} in
        *'${__ait_line-}'*) ;;
        *) PS1='${__ait_line-}'${PS1-} ;;
        esac
    fi
}

# Asks ait, but does not wait for it longer than half a second: then the prompt comes up without it, and for half a
# minute it is not asked again. A process substitution, because a command substitution cannot be left. It sets `$!`,
# which is the user's from their first background job on: then it runs in a subshell, for the price of one more fork.
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
        IFS= \builtin read -r -t "$__ait_limit" answer \
            < <(\exec "$__ait_bin" prompt --for bash --max-width "$most" </dev/null 2>/dev/null) || ended=$?
        __ait_pid=${!-}
        if ((ended > 128)) && [[ -n $__ait_pid ]]; then
            \builtin kill -KILL "$__ait_pid" 2>/dev/null || \builtin :
        fi
    else
        answer=$(
            ended=0
            IFS= \builtin read -r -t "$__ait_limit" answer \
                < <(\exec "$__ait_bin" prompt --for bash --max-width "$most" </dev/null 2>/dev/null) || ended=$?
            \builtin printf '%s' "$answer"
            if ((ended > 128)); then
                # bash 4.3 and older set no $! here.
                if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)); then \builtin kill -KILL "$!" 2>/dev/null; fi
                \builtin exit 9
            fi
        ) || ended=$?
        if ((ended == 9)); then ended=129; fi
    fi
    if ((ended > 128)); then
        answer=''
        __ait_quiet_until=$((${SECONDS:-0} + 30))
    fi
    AIT_SEGMENT=$answer
}

# Prints the segment, for a prompt that takes text from commands.
ait_segment() {
    \builtin printf '%s' "${AIT_SEGMENT-}"
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
