# The segment of ait in nushell. Type this once, and again after an update of ait:
#
#     let dir = $nu.user-autoload-dirs.0; mkdir $dir
#     ait init nushell | save -f ($dir)/ait.nu
#
# It shows the segment at the left of the right prompt; with --manual, only `$env.AIT_SEGMENT`, for you to place.
#
# A process is started only if the segment may have changed. Names that start with __ait_ are internal. Needs nushell 0.105.

# Filled in by `ait init`.
const __ait_bin = '::AIT::'
const __ait_manual = '::MANUAL::'

# Called before each prompt. `$env.__AIT` keeps the conditions under which the segment stays valid, as `ait prompt` gave them
# (docs/prompt-protocol.md): what was passed to it (null: nothing may be reused), when it was asked, until when, which
# processes, files with their first lines, and files that must not be newer than another one. Child processes do not inherit
# a record.
def --env __ait_update [] {
    let inputs = [
        $env.PWD (term size).columns $env.HOME? $env.AIT_SESSIONS_DIR? $env.CLAUDE_CONFIG_DIR? $env.XDG_RUNTIME_DIR?
        $env.XDG_CACHE_HOME? $env.AIT_FORMAT? $env.AIT_ICONS? $env.AIT_PALETTE? $env.NO_COLOR? $env.CLICOLOR_FORCE? $env.TERM? $env.LC_ALL?
        $env.LC_CTYPE? $env.LANG? $env.TMUX_PANE? $env.AIT_CONFIG? $env.XDG_CONFIG_HOME?
    ]
    let now = (date now | into int) // 1_000_000_000
    let kept = $env.__AIT
    let valid = try {
        $inputs == $kept.inputs and $now >= $kept.asked and $now < $kept.until and (
            $kept.processes | all {|pid| $'/proc/($pid)' | path exists }
        ) and (
            # A file of any size and kind may be there by now.
            $kept.files | all {|file|
                ($file.path | path type) == file and $file.text == (
                    open --raw $file.path | bytes at 0..255 | decode utf-8 | split row "\n" | first
                )
            }
        ) and (
            $kept.stamps | all {|stamp| (ls -D $stamp.0).modified.0 <= (ls -D $stamp.1).modified.0 }
        )
    } catch { false }
    if $valid { return }
    $env.AIT_SEGMENT = ''
    $env.__AIT.inputs = null
    if $now < $kept.quiet_until or not (__ait_is_live) or ($__ait_bin | path type) not-in [file symlink] { return }
    let answer = __ait_ask
    if $answer == null {
        $env.__AIT.quiet_until = $now + 30
    } else {
        $env.AIT_SEGMENT = $answer | split row "\n" | first
        $env.__AIT = $env.__AIT | merge (__ait_conditions $answer $inputs $now)
    }
}

# Whether a manifest is in the folders of live sessions: that of this profile, the default one, and those of other profiles
# that hooks have remembered, a line each. Who has one profile has no such file. AIT_SESSIONS_DIR stands alone.
def __ait_is_live [] {
    let roots = if ($env.AIT_SESSIONS_DIR? | is-not-empty) {
        [$env.AIT_SESSIONS_DIR]
    } else {
        let cache = if ($env.XDG_CACHE_HOME? | default '' | str starts-with /) {
            $env.XDG_CACHE_HOME
        } else {
            $'($env.HOME?)/.cache'
        }
        let remembered = try { open --raw $'($cache)/ait/roots' | decode utf-8 | lines | where $it starts-with / } catch { [] }
        let own = if ($env.CLAUDE_CONFIG_DIR? | is-not-empty) { [$'($env.CLAUDE_CONFIG_DIR)/sessions'] } else { [] }
        let usual = if ($env.HOME? | is-not-empty) { [$'($env.HOME)/.claude/sessions'] } else { [] }
        $own ++ $usual ++ $remembered
    }
    $roots | any {|root|
        let folder = $'($root)/active'
        try { ls $folder | any {|file| $file.name | str ends-with .json } } catch { false }
    }
}

# What ait answers; null after half a second. In a job, because nushell cannot stop waiting for a command. The tag keeps the
# answer apart from the messages of others.
def __ait_ask [] {
    let most = (term size).columns // 2
    let shell = job id
    let tag = random int 1000000000..2000000000
    let id = job spawn {
        let answer = try {
            $env.AIT_PROMPT_REUSE = '1'
            null | ^$__ait_bin prompt --for nushell --max-width $most | complete | get stdout
        } catch { '' }
        $answer | job send $shell --tag $tag
    }
    try { job recv --tag $tag --timeout 500ms } catch { try { job kill $id }; null }
}

# The conditions of an answer, if they are all known.
def __ait_conditions [answer: string, inputs: list, now: int] {
    let lines = $answer | split row "\n"
    if ($lines | length) < 4 or $lines.1 != "reuse\t1" or ($lines | last 2) != ['end' ''] { return {} }
    mut until = 0
    mut processes = []
    mut files = []
    mut stamps = []
    for line in ($lines | skip 2 | drop 2) {
        let fields = $line | split row "\t"
        match $fields {
            ['until' $second] if $second =~ '^[1-9][0-9]{0,11}$' => { $until = $second | into int }
            ['process' $pid] if $pid =~ '^[1-9][0-9]{0,9}$' => { $processes ++= [$pid] }
            ['file' $path $text] if ($path | str starts-with /) and $text != '' => { $files ++= [{path: $path text: $text}] }
            ['unchanged' $path $other] if ([$path $other] | all { str starts-with / }) => { $stamps ++= [[$path $other]] }
            _ => { return {} }
        }
    }
    if $until == 0 { return {} }
    {inputs: $inputs asked: $now until: $until processes: $processes files: $files stamps: $stamps}
}

# Read again, this changes only the functions above. What is registered stays.
if '__AIT' not-in $env {
    $env.AIT_SEGMENT = ''
    $env.__AIT = {
        inputs: null asked: 0 until: 0 processes: [] files: [] stamps: [] quiet_until: 0 right: $env.PROMPT_COMMAND_RIGHT?
    }
    $env.config.hooks.pre_prompt = ($env.config.hooks.pre_prompt? | default []) ++ [{|| __ait_update }]
    if $__ait_manual == 0 {
        $env.PROMPT_COMMAND_RIGHT = {||
            let right = $env.__AIT.right
            let right = if ($right | describe) == closure { do $right } else { $right }
            [$env.AIT_SEGMENT $right] | compact --empty | str join ' '
        }
    }
}
