# The segment of ait in elvish. At the end of ~/.config/elvish/rc.elv:
#
#     if (has-external ait) { eval (ait init elvish | slurp) }
#
# The segment is then at the left of your right prompt. Or in a prompt of your own: type `ait init elvish --manual > ~/.config/elvish/lib/ait.elv`, and in rc.elv
#
#     use ait
#     set edit:prompt = { ait:segment; put ' > ' }
#
# A process is started only if the segment may have changed. elvish computes prompts in the background, so a slow program
# delays nothing. Needs elvish 0.19.

use path
use str

# Filled in by `ait init`.
var bin = '::AIT::'
var manual = '::MANUAL::'

# The segment as styled text, and the conditions under which it stays valid, as `ait prompt` gave them (docs/prompt-protocol.md):
# until when, in seconds since the system was started (0: nothing may be reused), which processes, which files, and what
# `facts` was then.
var shown = []
var until = 0
var processes = []
var files = []
var known = []

# Seconds since the system was started: elvish has no clock. An exception where there is no /proc.
fn uptime { put [(str:split . (slurp < /proc/uptime))][0] }

# All that the segment depends on, the time aside. Few output captures: each costs a pipe.
fn facts {
  put $pwd $E:HOME $E:AIT_SESSIONS_DIR $E:CLAUDE_CONFIG_DIR $E:XDG_RUNTIME_DIR $E:XDG_CACHE_HOME $E:AIT_FORMAT $E:AIT_ICONS $E:AIT_PALETTE ^
    $E:NO_COLOR $E:CLICOLOR_FORCE $E:TERM $E:LC_ALL $E:LC_CTYPE $E:LANG $E:TMUX_PANE ^
    $E:AIT_CONFIG $E:XDG_CONFIG_HOME
  for process $processes { path:is-dir /proc/$process }
  for file $files {
    # Something else may be there by now.
    if (path:is-regular &follow-symlink=$true $file) { slurp < $file } else { put $false }
  }
}

# Whether a manifest is in the folders of live sessions: that of this profile, the default one, and those of other profiles
# that hooks have remembered, a line each. Who has one profile has no such file. AIT_SESSIONS_DIR stands alone.
fn is-live {
  var roots = []
  if (not-eq $E:AIT_SESSIONS_DIR '') {
    set roots = [$E:AIT_SESSIONS_DIR]
  } else {
    if (not-eq $E:CLAUDE_CONFIG_DIR '') { set roots = [$@roots $E:CLAUDE_CONFIG_DIR/sessions] }
    if (not-eq $E:HOME '') { set roots = [$@roots $E:HOME/.claude/sessions] }
    var cache = $E:HOME/.cache
    if (str:has-prefix $E:XDG_CACHE_HOME /) { set cache = $E:XDG_CACHE_HOME }
    if (path:is-regular &follow-symlink=$true $cache/ait/roots) {
      from-lines < $cache/ait/roots | each {|root| if (str:has-prefix $root /) { set roots = [$@roots $root] } }
    }
  }
  for root $roots {
    if (not-eq [$root/active/*[nomatch-ok].json] []) { put $true; return }
  }
  put $false
}

# The lines that ait answers; none if it fails. After half a second it is stopped, if there is a `timeout`. The width of the terminal is
# unknown here.
fn ask {
  var command = [env AIT_PROMPT_REUSE=1 $bin prompt --for elvish --max-width 50]
  if (has-external timeout) { set command = [timeout -s KILL 0.5 $@command] }
  var lines = [((external $command[0]) (all $command[1..]) < /dev/null 2> /dev/null | from-lines)]
  all $lines
}

# The styled text of a segment.
fn style {|line|
  var styles = []
  for part [(str:split "\e[" "m"$line)] {
    var codes text = (str:split &max=2 m $part)
    for code [(str:split ';' $codes)] {
      var known = [&0=[] &1=[bold] &2=[dim] &7=[inverse] &31=[red] &32=[green] &33=[yellow] &34=[blue] &35=[magenta] &36=[cyan]]
      if (eq $code 0) { set styles = [] } elif (has-key $known $code) { set styles = [$@styles (all $known[$code])] }
    }
    if (not-eq $text '') { styled $text $@styles }
  }
}

# Keeps the conditions of an answer, if they are all known.
fn keep {|@lines|
  var end texts stamps = 0 [] []
  set processes files = [] []
  for line $lines {
    var fields = [(str:split "\t" $line)]
    var kind = $fields[0](count $fields)
    if (and (eq $kind until2) (<= (count $fields[1]) 12)) {
      set end = (num $fields[1])
    } elif (and (eq $kind process2) (> (num $fields[1]) 0)) {
      set processes = [$@processes $fields[1]]
    } elif (and (eq $kind file3) (str:has-prefix $fields[1] /) (not-eq $fields[2] '')) {
      set files texts = [$@files $fields[1]] [$@texts $fields[2]]
    } elif (and (eq $kind unchanged3) (str:has-prefix $fields[1] /) (str:has-prefix $fields[2] /)) {
      # elvish cannot tell when a file was changed: its text must stay as it is.
      set stamps = [$@stamps $fields[1]]
    } else {
      return
    }
  }
  set files = [$@stamps $@files]
  set known = [(facts)]
  # A process that has ended since ait looked, or a file that has changed.
  if (has-value $known $false) { return }
  var at = (- (count $known) (count $texts))
  for text $texts {
    if (not (str:has-prefix $known[$at]"\n" $text"\n")) { return }
    set at = (+ $at 1)
  }
  var start = [(str:split "\nbtime " (slurp < /proc/stat))][1]
  set until = (- $end [(str:split "\n" $start)][0])
}

# The segment, for a prompt.
fn segment {
  var valid = $false
  try { set valid = (and (< (uptime) $until) (eq [(facts)] $known)) } catch { nop }
  if $valid {
    all $shown
    return
  }
  set shown until = [] 0
  try {
    if (is-live) {
      var lines = [(ask)]
      set shown = [(style $lines[0])]
      if (and (> (count $lines) 2) (eq $lines[1] "reuse\t1") (eq $lines[-1] end)) { keep (all $lines[2..-1]) }
    }
  } catch { nop }
  all $shown
}

# Not a second time. elvish shows the values of a prompt and what it prints in any order, so theirs becomes values.
fn is-ours {|prompt| try { str:contains $prompt[body] ait-segment } catch { put $false } }
if (and (eq $manual 0) (not (is-ours $edit:rprompt))) {
  var theirs = $edit:rprompt
  set edit:rprompt = {
    var ait-segment = [(segment)]
    all $ait-segment
    if (not-eq $ait-segment []) { put ' ' }
    put ($theirs)
  }
}
