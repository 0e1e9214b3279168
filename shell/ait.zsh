# The segment of ait in zsh. At the end of ~/.zshrc, after a prompt framework:
#
#     eval "$(ait init zsh)"             the segment at the left of your right prompt
#     eval "$(ait init zsh --manual)"    only $AIT_SEGMENT and ait_segment, for you to place
#
# Before each prompt AIT_SEGMENT holds the segment in zsh's prompt escapes. With no session anywhere it is empty, and no
# process was started to find that out. What starts with __ait_ is not for use.
#
# `ait init` hands this to `emulate zsh -c`: whatever options and aliases there are, they change neither how it is read nor
# how its functions run.

# Filled in by `ait init`.
__ait_bin='::AIT::'
__ait_manual='::MANUAL::'

typeset -g AIT_SEGMENT=${AIT_SEGMENT-}
typeset -g __ait_mark=${__ait_mark-}
typeset -gi __ait_quiet_until=${__ait_quiet_until:-0}

# sysread takes the whole answer in one call and can be told how long to wait; read does so byte by byte.
builtin zmodload -F zsh/system b:sysread p:sysparams 2>/dev/null || :

function __ait_precmd {
  # Last, because other hooks set the right prompt anew each time. Takes effect at the next prompt.
  if [[ ${precmd_functions[-1]} != __ait_precmd ]]; then
    precmd_functions=("${(@)precmd_functions:#__ait_precmd}" __ait_precmd)
  fi
  # No command substitution here: it would fork.
  local root=${AIT_SESSIONS_DIR:-${CLAUDE_CONFIG_DIR:+$CLAUDE_CONFIG_DIR/sessions}}
  root=${root:-${HOME:+$HOME/.claude/sessions}}
  local -a live
  if [[ -n $root ]]; then
    live=($root/active/*.json(NY1))
  fi
  if (( $#live && SECONDS >= __ait_quiet_until )); then
    __ait_ask
  else
    AIT_SEGMENT=
  fi
  if [[ -n $AIT_SEGMENT$__ait_mark && $__ait_manual = 0 ]]; then
    __ait_place
  fi
  return 0
}

# Asks ait, but does not wait for it longer than half a second: then the prompt comes up without it, and for half a
# minute it is not asked again. A process substitution, because a command substitution cannot be left; opened by exec,
# because zsh waits for one that belongs to a command.
function __ait_ask {
  local answer= part=
  local -i ended=0 fd=-1
  local -a most=()
  AIT_SEGMENT=
  if [[ ! -x $__ait_bin ]]; then
    return 0
  fi
  # zsh leaves a right prompt out that does not fit beside the left one and what is typed.
  if (( ${COLUMNS:-0} > 1 )); then
    most=(--max-width $(( COLUMNS / 2 )))
  fi
  exec {fd}< <(exec "$__ait_bin" prompt --for zsh "${most[@]}" </dev/null 2>/dev/null)
  if [[ ${builtins[sysread]-} == defined ]]; then
    # 4: nothing came in time. 5: the end.
    while (( ! ended )); do
      part=
      builtin sysread -i $fd -t 0.5 part || ended=$?
      answer+=$part
    done
  else
    IFS= builtin read -r -t 0.5 -u $fd answer
  fi
  if (( ended == 4 )); then
    answer=
    (( __ait_quiet_until = SECONDS + 30 ))
    if [[ -n ${sysparams[procsubstpid]-} ]]; then
      builtin kill -KILL ${sysparams[procsubstpid]} 2>/dev/null
    fi
  fi
  exec {fd}<&-
  AIT_SEGMENT=${answer%$'\n'}
}

# Puts the segment before what the right prompt holds otherwise, by value: what ait writes for zsh shows the same with and
# without promptsubst.
function __ait_place {
  local rest=${RPROMPT-} mark=
  if [[ -n $__ait_mark && $rest == "$__ait_mark"* ]]; then
    rest=${rest#"$__ait_mark"}
  fi
  if [[ -n $AIT_SEGMENT ]]; then
    mark=$AIT_SEGMENT${rest:+ }
  fi
  if [[ ${RPROMPT-} != "$mark$rest" ]]; then
    RPROMPT=$mark$rest
  fi
  __ait_mark=$mark
}

# Prints the segment, for a prompt that takes text from commands.
function ait_segment {
  builtin print -rn -- "${AIT_SEGMENT-}"
}

function __ait_load {
  typeset -ga precmd_functions
  if (( ! ${precmd_functions[(I)__ait_precmd]} )); then
    precmd_functions+=(__ait_precmd)
  fi
}
__ait_load
unfunction __ait_load
