# ait as a plugin of zsh: the segment at the left of the right prompt, and the completions. Any plugin manager can load it:
# oh-my-zsh (a checkout in $ZSH_CUSTOM/plugins/ait), antidote, zinit, sheldon, zplug. It needs the program `ait` in PATH.
#
#     AIT_MANUAL=1    set before loading: only $AIT_SEGMENT and ait_segment, for you to place; see `ait init --help`
#
# The segment is loaded just before the first prompt, so it comes after themes that are loaded after this file. If the plugin
# itself is loaded after the first prompt (zinit's turbo mode, zsh-defer), the segment appears at once.

# Where this checkout is. ZERO is set by plugin managers that do not source the file itself.
typeset -g __ait_plugin=${${ZERO:-${(%):-%x}}:A:h}

# Loads what `ait init zsh` prints, and draws the segment.
function __ait_plugin_load {
  emulate -L zsh -o no_aliases
  precmd_functions=("${(@)precmd_functions:#__ait_plugin_load}")
  if (( ! $+commands[ait] )); then
    __ait_plugin_missing
    return 0
  fi
  eval "$(command ait init zsh ${AIT_MANUAL:+--manual} 2>/dev/null)"
  if (( $+functions[ait_refresh] )); then
    ait_refresh
  fi
  return 0
}

# Says once how to get the program. The file is the memory of it: without one, nothing is said.
function __ait_plugin_missing {
  local folder=${XDG_CACHE_HOME:-${HOME-}/.cache}/ait
  if [[ $folder == /* && ! -e $folder/missing-program ]] && command mkdir -p -- $folder 2>/dev/null &&
    : 2>/dev/null >|$folder/missing-program; then
    print -ru2 -- "ait: no program named ait in PATH; install it: sh ${(q)__ait_plugin}/shell/install.sh"
  fi
}

# Undoes all of it; plugin managers call it.
function ait_plugin_unload {
  emulate -L zsh -o no_aliases
  if (( $+functions[__ait_place] && ! ${__ait_manual:-1} )); then
    AIT_SEGMENT=
    __ait_place
  fi
  if [[ ${widgets[reset-prompt]-} == user:__ait_reset_prompt ]]; then
    zle -A __ait_their_reset_prompt reset-prompt
    zle -D __ait_their_reset_prompt
  fi
  precmd_functions=("${(@)precmd_functions:#__ait_*}")
  fpath=("${(@)fpath:#$__ait_plugin/completions}")
  unset -m '__ait_*' AIT_SEGMENT
  unfunction -m '__ait_*' ait_segment ait_refresh ait_plugin_unload
}

() {
  emulate -L zsh -o no_aliases
  if [[ ! -o interactive ]]; then
    return 0
  fi
  fpath=("${(@)fpath:#$__ait_plugin/completions}" $__ait_plugin/completions)
  # Frameworks that call compinit before they source plugins have read fpath already.
  if (( $+functions[compdef] )); then
    autoload -Uz _ait
    compdef _ait ait
  fi
  typeset -ga precmd_functions
  if zle 2>/dev/null; then
    __ait_plugin_load
  elif [[ -n ${AIT_MANUAL-} ]]; then
    precmd_functions=(__ait_plugin_load "${(@)precmd_functions:#__ait_plugin_load}")
  else
    precmd_functions=("${(@)precmd_functions:#__ait_plugin_load}" __ait_plugin_load)
  fi
}
