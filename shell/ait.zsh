# The segment of ait in zsh. At the end of ~/.zshrc, after a prompt framework:
#
#     eval "$(ait init zsh)"             the segment at the left of your right prompt
#     eval "$(ait init zsh --manual)"    only $AIT_SEGMENT and ait_segment, for you to place
#
# Before each prompt AIT_SEGMENT is set to the segment, in zsh's prompt escapes; it is empty if no session runs here. A
# process is started only if the segment may have changed. Names that start with __ait_ are internal.
#
# `ait init` passes this text to `emulate zsh -c`, so that the user's options and aliases do not change its meaning.

# Filled in by `ait init`.
__ait_bin='::AIT::'
__ait_manual='::MANUAL::'
if [[ $__ait_bin == ::* ]]; then
  builtin print -ru2 -- 'ait: shell/ait.zsh is a template; source ait.plugin.zsh, or type: eval "$(ait init zsh)"'
  return 1
fi

typeset -g AIT_SEGMENT=${AIT_SEGMENT-}
# What stands around the segment in the right prompt: tests of an entry of psvar that nobody has, which show nothing.
typeset -g __ait_begin='%(1729V.ait.)' __ait_end='%(1729V.end.)'
# The segment that was placed last, and the right prompt with it.
typeset -g __ait_placed= __ait_rprompt=
typeset -gi __ait_quiet_until=${__ait_quiet_until:-0}

# The conditions under which AIT_SEGMENT stays valid, as `ait prompt` gave them (docs/prompt-protocol.md): what was passed
# to it (empty: nothing may be reused), when it was asked, until when, which processes, and files with their first lines.
typeset -g __ait_inputs=
typeset -gi __ait_asked=0 __ait_until=0
# And files that must not be newer than another one, in pairs.
typeset -ga __ait_processes=() __ait_files=() __ait_stamps=()

# sysread takes a whole answer in one call and can be told how long to wait; read does so byte by byte.
builtin zmodload -F zsh/system b:sysread p:sysparams 2>/dev/null || :
builtin zmodload -F zsh/datetime p:EPOCHSECONDS 2>/dev/null || :
# Whether conditions can be checked without a process: 1, the version of the protocol, or 0.
typeset -gi __ait_reuse=0
if [[ ${builtins[sysread]-} == defined && -n ${EPOCHSECONDS-} ]]; then
  __ait_reuse=1
fi

function __ait_precmd {
  # First, if others read AIT_SEGMENT. Otherwise last, because others set the right prompt anew each time. Takes effect at
  # the next prompt.
  if (( __ait_manual )); then
    if [[ ${precmd_functions[1]} != __ait_precmd ]]; then
      precmd_functions=(__ait_precmd "${(@)precmd_functions:#__ait_precmd}")
    fi
  elif [[ ${precmd_functions[-1]} != __ait_precmd ]]; then
    precmd_functions=("${(@)precmd_functions:#__ait_precmd}" __ait_precmd)
  fi
  local inputs="$PWD|${COLUMNS-}|${HOME-}|${AIT_SESSIONS_DIR-}|${CLAUDE_CONFIG_DIR-}|${XDG_RUNTIME_DIR-}|${XDG_CACHE_HOME-}"
  inputs+="|${AIT_FORMAT-}|${AIT_ICONS-}|${AIT_PALETTE-}|${NO_COLOR-}|${CLICOLOR_FORCE-}|${TERM-}|${LC_ALL-}|${LC_CTYPE-}|${LANG-}"
  inputs+="|${TMUX_PANE-}|${AIT_CONFIG-}|${XDG_CONFIG_HOME-}"
  # No function and no command substitution while the conditions hold: the first costs as much as all checks, the second a
  # fork. One redirection for all checks, for the same reason.
  local -i valid=0
  local file= text= first=
  if [[ -n $__ait_inputs && $__ait_inputs == "$inputs" ]] &&
    (( EPOCHSECONDS >= __ait_asked && EPOCHSECONDS < __ait_until )); then
    valid=1
    {
      if (( $#__ait_processes )) && ! builtin kill -0 $__ait_processes; then
        valid=0
      fi
      for file text in "${(@)__ait_files}"; do
        # A file of any size and kind may be there by now. Descriptor 9, because zsh would have to save and restore 0.
        if [[ ! -f $file ]] || ! builtin sysread -i 9 -s 256 first 9<$file ||
          [[ ${first%%$'\n'*} != "$text" ]]; then
          valid=0
          break
        fi
      done
      for file text in "${(@)__ait_stamps}"; do
        if [[ $file -nt $text ]]; then
          valid=0
        fi
      done
    } 2>/dev/null
  fi
  if (( ! valid )); then
    __ait_renew
  fi
  if (( ! __ait_manual )) && [[ ${RPROMPT-} != "$__ait_rprompt" || $AIT_SEGMENT != "$__ait_placed" ]]; then
    __ait_place
  fi
  return 0
}

# Asks, unless no manifest is in the folders of live sessions: that of this profile, the default one, and those of other
# profiles that hooks have remembered, a line each. Who has one profile has no such file. AIT_SESSIONS_DIR stands alone.
function __ait_renew {
  local -a roots live
  local cache=${XDG_CACHE_HOME-}
  if [[ -n ${AIT_SESSIONS_DIR-} ]]; then
    roots=($AIT_SESSIONS_DIR)
  else
    roots=(${CLAUDE_CONFIG_DIR:+$CLAUDE_CONFIG_DIR/sessions} ${HOME:+$HOME/.claude/sessions})
    if [[ $cache != /* ]]; then
      cache=${HOME-}/.cache
    fi
    if [[ -f $cache/ait/roots && -r $cache/ait/roots ]]; then
      roots+=(${(M)${(f)"$(<$cache/ait/roots)"}:#/*})
    fi
  fi
  live=($^roots/active/*.json(NY1))
  AIT_SEGMENT=
  __ait_inputs=
  if (( $#live && SECONDS >= __ait_quiet_until )) && [[ -x $__ait_bin ]]; then
    __ait_ask
  fi
}

# Asks ait, for at most half a second. After a timeout the segment is empty and ait is not asked again for half a minute. A
# process substitution, because zsh cannot stop waiting for a command substitution; opened by exec, because zsh waits for
# one that belongs to a command.
function __ait_ask {
  local answer= part=
  local -i ended=0 fd=-1 asked=${EPOCHSECONDS:-0}
  local -a most=()
  # zsh hides a right prompt that does not fit beside the left one and what is typed. The width of a left prompt that runs
  # commands, as that of agnoster, is unknown: below 100 columns it is taken to be long.
  if (( ${COLUMNS:-0} > 1 )); then
    if (( COLUMNS < 100 )) && [[ ${PS1-} == *(\$\(|\`)* ]]; then
      most=(--max-width $(( COLUMNS / 3 )))
    else
      most=(--max-width $(( COLUMNS / 2 )))
    fi
  fi
  exec {fd}< <(AIT_PROMPT_REUSE=$__ait_reuse exec "$__ait_bin" prompt --for zsh "${most[@]}" </dev/null 2>/dev/null)
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
  AIT_SEGMENT=${answer%%$'\n'*}
  if [[ $answer == *$'\n'reuse$'\t'1$'\n'*$'\n'end$'\n' ]]; then
    __ait_keep
  fi
}

# Keeps the conditions of an answer, if they are all known.
function __ait_keep {
  local -a lines=("${(@f)${answer%$'\n'}}") fields processes files stamps
  local line=
  local -i until=0
  if [[ $lines[2] != reuse$'\t'1 || $lines[-1] != end ]]; then
    return 0
  fi
  for line in "${(@)lines[3,-2]}"; do
    fields=("${(@ps:\t:)line}")
    case $fields[1]:$#fields in
      (until:2) [[ $fields[2] == <1-> && $fields[2] != 0* && $#fields[2] -le 12 ]] && until=$fields[2] ;;
      (process:2) [[ $fields[2] == <1-> && $fields[2] != 0* && $#fields[2] -le 10 ]] && processes+=($fields[2]) ;;
      (file:3) [[ $fields[2] == /* && -n $fields[3] ]] && files+=("$fields[2]" "$fields[3]") ;;
      (unchanged:3) [[ $fields[2] == /* && $fields[3] == /* ]] && stamps+=("$fields[2]" "$fields[3]") ;;
      (*) false ;;
    esac || return 0
  done
  if (( until )); then
    __ait_asked=$asked __ait_until=$until __ait_processes=($processes) __ait_files=("${(@)files}")
    __ait_stamps=("${(@)stamps}") __ait_inputs=$inputs
  fi
}

# Puts the segment before what the right prompt holds otherwise, by value: what ait writes for zsh shows the same with and
# without promptsubst. A copy that something else has kept, wrapped or moved is taken out first.
function __ait_place {
  local rest=${(S)${RPROMPT-}//"$__ait_begin"*"$__ait_end"} space=
  if [[ -n $AIT_SEGMENT ]]; then
    # Marks without width are no text to keep a distance from.
    space=${(S)rest//\%\{*\%\}}
    rest=$__ait_begin$AIT_SEGMENT${space:+ }$__ait_end$rest
  fi
  if [[ ${RPROMPT-} != "$rest" ]]; then
    RPROMPT=$rest
  fi
  __ait_placed=$AIT_SEGMENT __ait_rprompt=$rest
}

# Takes the place of the widget reset-prompt: what sets the right prompt later than precmd, as vi-mode prompts do in
# zle-line-init and others when something asynchronous is done, has it drawn again by this.
function __ait_reset_prompt {
  if (( ! __ait_manual )) && [[ ${RPROMPT-} != "$__ait_rprompt" ]]; then
    __ait_place
  fi
  zle __ait_their_reset_prompt -- "$@"
}

# Prints the segment, for a prompt that takes text from commands.
function ait_segment {
  builtin print -rn -- "${AIT_SEGMENT-}"
}

# Asks now, and draws the prompt again if one is on the screen: for code that loads ait late, and for timers.
function ait_refresh {
  __ait_inputs=
  __ait_precmd
  if zle; then
    zle reset-prompt
  fi
}

# Frameworks that draw the whole right prompt anew whenever something is ready get a section of their own, unless the user
# has placed it.
function __ait_load {
  typeset -ga precmd_functions
  if (( $+functions[spaceship::section] )); then
    function spaceship_ait {
      spaceship::section --color default --suffix "${SPACESHIP_PROMPT_DEFAULT_SUFFIX-}" "$AIT_SEGMENT"
    }
    if (( ! ${SPACESHIP_PROMPT_ORDER[(I)ait]} && ! ${SPACESHIP_RPROMPT_ORDER[(I)ait]} && ! __ait_manual )); then
      SPACESHIP_RPROMPT_ORDER=(ait $SPACESHIP_RPROMPT_ORDER)
    fi
    __ait_manual=1
  elif (( $+functions[geometry::wrap] )); then
    function geometry_ait {
      builtin print -rn -- "$AIT_SEGMENT"
    }
    if (( ! ${GEOMETRY_PROMPT[(I)geometry_ait]} && ! ${GEOMETRY_RPROMPT[(I)geometry_ait]} && ! __ait_manual )); then
      GEOMETRY_RPROMPT=(geometry_ait $GEOMETRY_RPROMPT)
    fi
    __ait_manual=1
  elif (( $+functions[tw_redraw] && ! __ait_manual )); then
    # Its pure layouts have no right prompt.
    local prefix=TYPEWRITTEN_RIGHT_PROMPT_PREFIX_FUNCTION
    if [[ ${TYPEWRITTEN_PROMPT_LAYOUT-} == pure* ]]; then
      prefix=TYPEWRITTEN_LEFT_PROMPT_PREFIX_FUNCTION
    fi
    if [[ -z ${(P)prefix-} || ${(P)prefix} == ait_segment ]]; then
      typeset -g $prefix=ait_segment
      __ait_manual=1
    fi
  fi
  precmd_functions=("${(@)precmd_functions:#__ait_precmd}")
  if (( __ait_manual )); then
    precmd_functions=(__ait_precmd $precmd_functions)
  else
    precmd_functions+=(__ait_precmd)
    # Not in a shell without a line editor.
    if [[ -n ${widgets[reset-prompt]-} && ${widgets[reset-prompt]} != user:__ait_reset_prompt ]]; then
      zle -A reset-prompt __ait_their_reset_prompt
      zle -N reset-prompt __ait_reset_prompt
    fi
  fi
}
__ait_load
unfunction __ait_load
