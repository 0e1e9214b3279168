# Completion of ait for elvish. Written by `ait completions elvish`.

use str

# Each word is followed by what it means.
var proposals = [
  &'ait'=[sessions 'list and manage sessions' guard 'set what happens when two sessions write the same file within an hour' notify 'notify you in the terminal when a session becomes blocked' hooks 'install, remove and inspect Claude Code hooks' prompt 'print the prompt segment for the session of this folder' statusline 'print the status line (Claude Code runs this, with JSON on standard input)' setup 'set up shells, tmux, completions and Claude Code''s hooks in one step' uninstall 'remove everything that ait put into shells, tmux, starship and Claude Code' init 'print the code that shows the segment in a shell, tmux or starship' hook 'record an event (Claude Code runs this, with JSON on standard input)' doctor 'diagnose problems and suggest fixes' report 'show how long all sessions worked, on what, and what they wrote' timeline 'show when each session worked, was blocked and was idle' config 'show the settings and where they come from' team 'show who works on what in this repository, and share it through git' demo 'show ait at work with three simulated sessions in a temporary folder' completions 'print the completion file for a shell' man 'print the manual page' --help 'display usage information' --version 'print the version and exit']
  &'ait sessions'=[live 'list live sessions' current 'show the session that runs this shell, or the one in this folder' task 'show, set or clear the task of the current session' conflicts 'show live sessions that may overwrite each other''s work' history 'list the sessions that were active today or on other days' next 'show the session that has waited longest for you, blocked before finished' go 'switch to a session''s tmux pane, or choose the session from a list' resume 'list interrupted sessions, with the command that resumes each' for 'show which sessions made a commit, the commits of a range, a file, or a line of a file' prune 'archive sessions whose process no longer exists' --help 'display usage information']
  &'ait sessions live'=[--help 'display usage information' --project 'only this project' --path 'only sessions in this folder or its subfolders' --verbose 'also show the process, and the source of each state' --watch 'keep the list on the screen and update it; q quits' --json 'print one JSON object' --color 'always, never or auto (the default)']
  &'ait sessions current'=[--help 'display usage information' --session 'id of the session, or the start of it' --json 'print one JSON object' --color 'always, never or auto (the default)']
  &'ait sessions task'=[--help 'display usage information' --session 'id of the session, or the start of it' --json 'print one JSON object']
  &'ait sessions conflicts'=[--help 'display usage information' --strict 'exit with 3 if there are current conflicts' --merge 'also ask git whether the sessions'' branches would merge' --json 'print one JSON object' --color 'always, never or auto (the default)']
  &'ait sessions history'=[--help 'display usage information' --date 'the day: YYYY-MM-DD, today or yesterday' --days 'number of days, ending with --date or today' --project 'only this project' --search 'only sessions with this text in task, project, branch or path' --transcripts 'with --search: also in conversations; the last 30 days by default' --user 'only sessions that ran as this user of the machine' --status 'running, stale, completed, interrupted or pruned' --resumable 'only ended sessions that can be resumed, with the command' --limit 'at most this many sessions' --headless 'also headless runs (claude -p)' --no-pager 'never show the list in a pager' --json 'print one JSON object' --color 'always, never or auto (the default)']
  &'ait sessions next'=[--help 'display usage information' --go 'switch to its tmux pane' --all 'list all waiting sessions, also the one in the current tmux pane' --json 'print one JSON object' --color 'always, never or auto (the default)']
  &'ait sessions go'=[--help 'display usage information' --list 'print all live sessions, blocked first: id, project, branch, state and task, separated by tabs' --color 'always, never or auto (the default)']
  &'ait sessions resume'=[--help 'display usage information' --go 'open each in a tmux window where it was, and create its folder again if it was removed' --yes 'open more than five windows without asking' --days 'number of days of history to search (default: 7)' --dismiss 'no longer list a session: its id, the start of its id, or all' --json 'print one JSON object' --color 'always, never or auto (the default)']
  &'ait sessions for'=[--help 'display usage information' --markdown 'print a paragraph for a pull request' --json 'print one JSON object' --color 'always, never or auto (the default)']
  &'ait sessions prune'=[--help 'display usage information' --dry-run 'show what would be archived, without archiving it' --elsewhere 'also archive sessions of other containers or machines without an event for a day' --json 'print one JSON object']
  &'ait guard'=[--help 'display usage information' --user 'change the default, for repositories without a setting of their own' --json 'print one JSON object']
  &'ait notify'=[on '' off '' status '' test '' --help 'display usage information']
  &'ait hooks'=[install 'install hooks into Claude Code''s settings' uninstall 'remove hooks from Claude Code''s settings' list 'show which hooks are installed and when each last ran' --help 'display usage information']
  &'ait hooks install'=[session-register '' session-cleanup '' statusline '' --help 'display usage information' --dry-run 'show what would change, without changing it']
  &'ait hooks uninstall'=[session-register '' session-cleanup '' statusline '' --help 'display usage information' --dry-run 'show what would change, without changing it']
  &'ait hooks list'=[--help 'display usage information' --json 'print one JSON object']
  &'ait prompt'=[--help 'display usage information' --for 'zsh, bash, fish, nushell, elvish, xonsh, tmux, starship, ansi or plain (the default)' --format 'what to show: text, {token}, [group hidden when empty]' --dir 'use this folder instead of the current one' --all 'summarize all live sessions: count, longest wait, conflicts' --follow 'print a line now and after each change, until the reader exits (for tmux)' --icons 'unicode (the default), nerd or ascii' --color 'always, never or auto (the default)' --max-width 'maximum width in terminal cells']
  &'ait statusline'=[--help 'display usage information' --format 'what to show: text, {token}, [group hidden when empty]; AIT_STATUSLINE_FORMAT is the default' --icons 'unicode (the default), nerd or ascii' --color 'always, never or auto (the default: always, unless NO_COLOR is set)' --max-width 'maximum width in terminal cells (default: the width that Claude Code reports)' --then 'also run this command, your earlier status line, and show its output below']
  &'ait setup'=[--help 'display usage information' --yes 'make the changes without asking' --dry-run 'show the changes, and make none' --only 'only these, separated by commas']
  &'ait uninstall'=[--help 'display usage information' --yes 'make the changes without asking' --dry-run 'show the changes, and make none' --history 'also delete the sessions and their history']
  &'ait init'=[zsh '' bash '' fish '' nushell '' elvish '' xonsh '' tmux '' starship '' claude '' --help 'display usage information' --manual 'shells: only set $AIT_SEGMENT, and leave the prompt alone' --plugin 'tmux: print the plugin itself, a script for sh']
  &'ait hook'=[session-register '' session-cleanup '' --help 'display usage information' --plugin 'called by the Claude Code plugin: do nothing if the settings call ait too']
  &'ait doctor'=[--help 'display usage information' --fix 'fix what can be fixed safely, then check again' --json 'print one JSON object' --color 'always, never or auto (the default)']
  &'ait report'=[--help 'display usage information' --days 'number of days, ending today' --from 'the first day: YYYY-MM-DD, today or yesterday' --to 'the last day, with --from (default: today)' --week 'this week, or -1: the week before it' --project 'only this project' --by 'project (the default), day, branch or task' --team 'the work of the whole team of this repository; see ait team' --member 'only this member of the team' --markdown 'print Markdown, for a note or a time sheet' --json 'print one JSON object' --color 'always, never or auto (the default)']
  &'ait timeline'=[--help 'display usage information' --date 'the day: YYYY-MM-DD, today (the default) or yesterday' --days 'number of days, ending today' --project 'only this project' --team 'on which days each member of this repository''s team worked; see ait team' --member 'only this member of the team' --headless 'also headless runs (claude -p)' --svg 'write an SVG image to this file; - is standard output' --html 'write an HTML page to this file; - is standard output' --json 'print one JSON object' --color 'always, never or auto (the default)']
  &'ait config'=[--help 'display usage information' --json 'print one JSON object' --color 'always, never or auto (the default)']
  &'ait team'=[join 'share what you work on in this repository with its team' leave 'stop sharing what you work on in this repository' status 'show what is shared, with whom, and when it was last sent' preview 'print exactly what the next sync would send' sync 'send your records now, and fetch those of the team' forget 'remove records of yours from the remote' --help 'display usage information' --offline 'do not fetch: show what is known already' --json 'print one JSON object' --color 'always, never or auto (the default)']
  &'ait team join'=[--help 'display usage information' --remote 'share through this remote: its name here, or a URL (default: origin)' --name 'your name (default: user.name of git)' --share 'time (the default), tasks (also the tasks you set), or all (also titles and files)' --yes 'do not ask' --json 'print one JSON object']
  &'ait team leave'=[--help 'display usage information' --json 'print one JSON object']
  &'ait team status'=[--help 'display usage information' --json 'print one JSON object']
  &'ait team preview'=[--help 'display usage information']
  &'ait team sync'=[--help 'display usage information' --json 'print one JSON object']
  &'ait team forget'=[--help 'display usage information' --before 'all sessions that ended before this day: YYYY-MM-DD, today or yesterday' --all 'everything, your name too' --json 'print one JSON object']
  &'ait demo'=[--help 'display usage information' --color 'always, never or auto (the default)']
  &'ait completions'=[zsh '' bash '' fish '' nushell '' elvish '' xonsh '' --help 'display usage information']
  &'ait man'=[--help 'display usage information']
]

var values = [
  &'ait sessions live --project'='@projects'
  &'ait sessions live --path'='@folder'
  &'ait sessions live --color'='always never auto'
  &'ait sessions current --session'='@sessions'
  &'ait sessions current --color'='always never auto'
  &'ait sessions task --session'='@sessions'
  &'ait sessions conflicts --color'='always never auto'
  &'ait sessions history --date'='@days'
  &'ait sessions history --days'=''
  &'ait sessions history --project'='@projects'
  &'ait sessions history --search'=''
  &'ait sessions history --user'=''
  &'ait sessions history --status'=''
  &'ait sessions history --limit'=''
  &'ait sessions history --color'='always never auto'
  &'ait sessions next --color'='always never auto'
  &'ait sessions go --color'='always never auto'
  &'ait sessions go *'='@targets'
  &'ait sessions resume --days'=''
  &'ait sessions resume --dismiss'='@interrupted'
  &'ait sessions resume --color'='always never auto'
  &'ait sessions for --color'='always never auto'
  &'ait prompt --for'='zsh bash fish nushell elvish xonsh tmux starship ansi plain'
  &'ait prompt --format'=''
  &'ait prompt --dir'='@folder'
  &'ait prompt --icons'='unicode nerd ascii'
  &'ait prompt --color'='always never auto'
  &'ait prompt --max-width'=''
  &'ait statusline --format'=''
  &'ait statusline --icons'='unicode nerd ascii'
  &'ait statusline --color'='always never auto'
  &'ait statusline --max-width'=''
  &'ait statusline --then'=''
  &'ait setup --only'=''
  &'ait doctor --color'='always never auto'
  &'ait report --days'=''
  &'ait report --from'='@days'
  &'ait report --to'='@days'
  &'ait report --week'=''
  &'ait report --project'='@projects'
  &'ait report --by'=''
  &'ait report --member'=''
  &'ait report --color'='always never auto'
  &'ait timeline --date'='@days'
  &'ait timeline --days'=''
  &'ait timeline --project'='@projects'
  &'ait timeline --member'=''
  &'ait timeline --svg'='@file'
  &'ait timeline --html'='@file'
  &'ait timeline --color'='always never auto'
  &'ait config --color'='always never auto'
  &'ait team --color'='always never auto'
  &'ait team join --remote'=''
  &'ait team join --name'=''
  &'ait team join --share'=''
  &'ait team forget --before'='@days'
  &'ait demo --color'='always never auto'
]

fn asked {|name|
  try {
    ait completions $name 2> /dev/null | from-lines | each {|line|
      var word meaning = (str:split "\t" $line)
      edit:complex-candidate $word &display=$word'  '$meaning
    }
  } catch { nop }
}

set edit:completion:arg-completer[ait] = {|@words|
  var at before = ait ''
  for word $words[1..-1] {
    if (has-key $proposals $at' '$word) { set at = $at' '$word }
    set before = $word
  }
  var option = $at' '$before
  if (not (has-key $values $option)) {
    var all = $proposals[$at]
    for i [(range 0 (count $all) &step=2)] {
      edit:complex-candidate $all[$i] &display=$all[$i]'  '$all[(+ $i 1)]
    }
    if (has-key $values $at' *') { asked $values[$at' *'][1..] }
  } elif (has-value ['@folder' '@file'] $values[$option]) {
    edit:complete-filename $words[-1]
  } elif (str:has-prefix $values[$option] '@') {
    asked $values[$option][1..]
  } else {
    str:split ' ' $values[$option]
  }
}
