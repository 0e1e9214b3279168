# Completion of ait for nushell. Written by `ait completions nushell`.

def "nu-complete ait asked" [name: string] {
    try { ^ait completions $name | lines | split column "\t" value description } catch { [] }
}
def "nu-complete ait sessions" [] { nu-complete ait asked sessions }
def "nu-complete ait targets" [] { nu-complete ait asked targets }
def "nu-complete ait projects" [] { nu-complete ait asked projects }
def "nu-complete ait days" [] { nu-complete ait asked days }
def "nu-complete ait interrupted" [] { nu-complete ait asked interrupted }

# track and coordinate parallel Claude Code sessions
extern "ait" [
    --version(-V) # print the version and exit
    ...arguments: string
]

# list and manage sessions
extern "ait sessions" [
    ...arguments: string
]

def "nu-complete ait sessions live --color" [] { [always never auto] }
# list live sessions
extern "ait sessions live" [
    --project: string@"nu-complete ait projects" # only this project
    --path: directory # only sessions in this folder or its subfolders
    --verbose(-v) # also show the process, and the source of each state
    --watch(-w) # keep the list on the screen and update it; q quits
    --json # print one JSON object
    --color: string@"nu-complete ait sessions live --color" # always, never or auto (the default)
    ...arguments: string
]

def "nu-complete ait sessions current --color" [] { [always never auto] }
# show the session that runs this shell, or the one in this folder
extern "ait sessions current" [
    --session: string@"nu-complete ait sessions" # id of the session, or the start of it
    --json # print one JSON object
    --color: string@"nu-complete ait sessions current --color" # always, never or auto (the default)
    ...arguments: string
]

# show, set or clear the task of the current session
extern "ait sessions task" [
    --session: string@"nu-complete ait sessions" # id of the session, or the start of it
    --json # print one JSON object
    ...arguments: string
]

def "nu-complete ait sessions conflicts --color" [] { [always never auto] }
# show live sessions that may overwrite each other's work
extern "ait sessions conflicts" [
    --strict # exit with 3 if there are current conflicts
    --merge # also ask git whether the sessions' branches would merge
    --json # print one JSON object
    --color: string@"nu-complete ait sessions conflicts --color" # always, never or auto (the default)
    ...arguments: string
]

def "nu-complete ait sessions history --color" [] { [always never auto] }
# list the sessions that were active today or on other days
extern "ait sessions history" [
    --date: string@"nu-complete ait days" # the day: YYYY-MM-DD, today or yesterday
    --days: string # number of days, ending with --date or today
    --project: string@"nu-complete ait projects" # only this project
    --search: string # only sessions with this text in task, project, branch or path
    --transcripts # with --search: also in conversations; the last 30 days by default
    --user: string # only sessions that ran as this user of the machine
    --status: string # running, stale, completed, interrupted or pruned
    --resumable # only ended sessions that can be resumed, with the command
    --limit: string # at most this many sessions
    --headless # also headless runs (claude -p)
    --no-pager # never show the list in a pager
    --json # print one JSON object
    --color: string@"nu-complete ait sessions history --color" # always, never or auto (the default)
    ...arguments: string
]

def "nu-complete ait sessions next --color" [] { [always never auto] }
# show the session that has waited longest for you, blocked before finished
extern "ait sessions next" [
    --go # switch to its tmux pane
    --all # list all waiting sessions, also the one in the current tmux pane
    --json # print one JSON object
    --color: string@"nu-complete ait sessions next --color" # always, never or auto (the default)
    ...arguments: string
]

def "nu-complete ait sessions go --color" [] { [always never auto] }
# switch to a session's tmux pane, or choose the session from a list
extern "ait sessions go" [
    --list # print all live sessions, blocked first: id, project, branch, state and task, separated by tabs
    --color: string@"nu-complete ait sessions go --color" # always, never or auto (the default)
    ...arguments: string@"nu-complete ait targets"
]

def "nu-complete ait sessions resume --color" [] { [always never auto] }
# list interrupted sessions, with the command that resumes each
extern "ait sessions resume" [
    --go # open each in a tmux window where it was, and create its folder again if it was removed
    --yes # open more than five windows without asking
    --days: string # number of days of history to search (default: 7)
    --dismiss: string@"nu-complete ait interrupted" # no longer list a session: its id, the start of its id, or all
    --json # print one JSON object
    --color: string@"nu-complete ait sessions resume --color" # always, never or auto (the default)
    ...arguments: string
]

def "nu-complete ait sessions for --color" [] { [always never auto] }
# show which sessions made a commit, the commits of a range, a file, or a line of a file
extern "ait sessions for" [
    --markdown # print a paragraph for a pull request
    --json # print one JSON object
    --color: string@"nu-complete ait sessions for --color" # always, never or auto (the default)
    ...arguments: string
]

# archive sessions whose process no longer exists
extern "ait sessions prune" [
    --dry-run # show what would be archived, without archiving it
    --elsewhere # also archive sessions of other containers or machines without an event for a day
    --json # print one JSON object
    ...arguments: string
]

# set what happens when two sessions write the same file within an hour
extern "ait guard" [
    --user # change the default, for repositories without a setting of their own
    --json # print one JSON object
    ...arguments: string
]

def "nu-complete ait notify arguments" [] { [on off status test] }
# notify you in the terminal when a session becomes blocked
extern "ait notify" [
    ...arguments: string@"nu-complete ait notify arguments"
]

# install, remove and inspect Claude Code hooks
extern "ait hooks" [
    ...arguments: string
]

def "nu-complete ait hooks install arguments" [] { [session-register session-cleanup statusline] }
# install hooks into Claude Code's settings
extern "ait hooks install" [
    --dry-run # show what would change, without changing it
    ...arguments: string@"nu-complete ait hooks install arguments"
]

def "nu-complete ait hooks uninstall arguments" [] { [session-register session-cleanup statusline] }
# remove hooks from Claude Code's settings
extern "ait hooks uninstall" [
    --dry-run # show what would change, without changing it
    ...arguments: string@"nu-complete ait hooks uninstall arguments"
]

# show which hooks are installed and when each last ran
extern "ait hooks list" [
    --json # print one JSON object
    ...arguments: string
]

def "nu-complete ait prompt --for" [] { [zsh bash fish nushell elvish xonsh tmux starship ansi plain] }
def "nu-complete ait prompt --icons" [] { [unicode nerd ascii] }
def "nu-complete ait prompt --color" [] { [always never auto] }
# print the prompt segment for the session of this folder
extern "ait prompt" [
    --for: string@"nu-complete ait prompt --for" # zsh, bash, fish, nushell, elvish, xonsh, tmux, starship, ansi or plain (the default)
    --format: string # what to show: text, {token}, [group hidden when empty]
    --dir: directory # use this folder instead of the current one
    --all # summarize all live sessions: count, longest wait, conflicts
    --follow # print a line now and after each change, until the reader exits (for tmux)
    --icons: string@"nu-complete ait prompt --icons" # unicode (the default), nerd or ascii
    --color: string@"nu-complete ait prompt --color" # always, never or auto (the default)
    --max-width: string # maximum width in terminal cells
    ...arguments: string
]

def "nu-complete ait statusline --icons" [] { [unicode nerd ascii] }
def "nu-complete ait statusline --color" [] { [always never auto] }
# print the status line (Claude Code runs this, with JSON on standard input)
extern "ait statusline" [
    --format: string # what to show: text, {token}, [group hidden when empty]; AIT_STATUSLINE_FORMAT is the default
    --icons: string@"nu-complete ait statusline --icons" # unicode (the default), nerd or ascii
    --color: string@"nu-complete ait statusline --color" # always, never or auto (the default: always, unless NO_COLOR is set)
    --max-width: string # maximum width in terminal cells (default: the width that Claude Code reports)
    --then: string # also run this command, your earlier status line, and show its output below
    ...arguments: string
]

# set up shells, tmux, completions and Claude Code's hooks in one step
extern "ait setup" [
    --yes(-y) # make the changes without asking
    --dry-run # show the changes, and make none
    --only: string # only these, separated by commas
    ...arguments: string
]

# remove everything that ait put into shells, tmux, starship and Claude Code
extern "ait uninstall" [
    --yes(-y) # make the changes without asking
    --dry-run # show the changes, and make none
    --history # also delete the sessions and their history
    ...arguments: string
]

def "nu-complete ait init arguments" [] { [zsh bash fish nushell elvish xonsh tmux starship claude] }
# print the code that shows the segment in a shell, tmux or starship
extern "ait init" [
    --manual # shells: only set $AIT_SEGMENT, and leave the prompt alone
    --plugin # tmux: print the plugin itself, a script for sh
    ...arguments: string@"nu-complete ait init arguments"
]

def "nu-complete ait hook arguments" [] { [session-register session-cleanup] }
# record an event (Claude Code runs this, with JSON on standard input)
extern "ait hook" [
    --plugin # called by the Claude Code plugin: do nothing if the settings call ait too
    ...arguments: string@"nu-complete ait hook arguments"
]

def "nu-complete ait doctor --color" [] { [always never auto] }
# diagnose problems and suggest fixes
extern "ait doctor" [
    --fix # fix what can be fixed safely, then check again
    --json # print one JSON object
    --color: string@"nu-complete ait doctor --color" # always, never or auto (the default)
    ...arguments: string
]

def "nu-complete ait report --color" [] { [always never auto] }
# show how long all sessions worked, on what, and what they wrote
extern "ait report" [
    --days: string # number of days, ending today
    --from: string@"nu-complete ait days" # the first day: YYYY-MM-DD, today or yesterday
    --to: string@"nu-complete ait days" # the last day, with --from (default: today)
    --week: string # this week, or -1: the week before it
    --project: string@"nu-complete ait projects" # only this project
    --by: string # project (the default), day, branch or task
    --team # the work of the whole team of this repository; see ait team
    --member: string # only this member of the team
    --markdown # print Markdown, for a note or a time sheet
    --json # print one JSON object
    --color: string@"nu-complete ait report --color" # always, never or auto (the default)
    ...arguments: string
]

def "nu-complete ait timeline --color" [] { [always never auto] }
# show when each session worked, was blocked and was idle
extern "ait timeline" [
    --date: string@"nu-complete ait days" # the day: YYYY-MM-DD, today (the default) or yesterday
    --days: string # number of days, ending today
    --project: string@"nu-complete ait projects" # only this project
    --team # on which days each member of this repository's team worked; see ait team
    --member: string # only this member of the team
    --headless # also headless runs (claude -p)
    --svg: path # write an SVG image to this file; - is standard output
    --html: path # write an HTML page to this file; - is standard output
    --json # print one JSON object
    --color: string@"nu-complete ait timeline --color" # always, never or auto (the default)
    ...arguments: string
]

def "nu-complete ait config --color" [] { [always never auto] }
# show the settings and where they come from
extern "ait config" [
    --json # print one JSON object
    --color: string@"nu-complete ait config --color" # always, never or auto (the default)
    ...arguments: string
]

def "nu-complete ait team --color" [] { [always never auto] }
# show who works on what in this repository, and share it through git
extern "ait team" [
    --offline # do not fetch: show what is known already
    --json # print one JSON object
    --color: string@"nu-complete ait team --color" # always, never or auto (the default)
    ...arguments: string
]

# share what you work on in this repository with its team
extern "ait team join" [
    --remote: string # share through this remote: its name here, or a URL (default: origin)
    --name: string # your name (default: user.name of git)
    --share: string # time (the default), tasks (also the tasks you set), or all (also titles and files)
    --yes # do not ask
    --json # print one JSON object
    ...arguments: string
]

# stop sharing what you work on in this repository
extern "ait team leave" [
    --json # print one JSON object
    ...arguments: string
]

# show what is shared, with whom, and when it was last sent
extern "ait team status" [
    --json # print one JSON object
    ...arguments: string
]

# print exactly what the next sync would send
extern "ait team preview" [
    ...arguments: string
]

# send your records now, and fetch those of the team
extern "ait team sync" [
    --json # print one JSON object
    ...arguments: string
]

# remove records of yours from the remote
extern "ait team forget" [
    --before: string@"nu-complete ait days" # all sessions that ended before this day: YYYY-MM-DD, today or yesterday
    --all # everything, your name too
    --json # print one JSON object
    ...arguments: string
]

def "nu-complete ait demo --color" [] { [always never auto] }
# show ait at work with three simulated sessions in a temporary folder
extern "ait demo" [
    --color: string@"nu-complete ait demo --color" # always, never or auto (the default)
    ...arguments: string
]

def "nu-complete ait completions arguments" [] { [zsh bash fish nushell elvish xonsh] }
# print the completion file for a shell
extern "ait completions" [
    ...arguments: string@"nu-complete ait completions arguments"
]

# print the manual page
extern "ait man" [
    ...arguments: string
]
