# Completion of ait for bash. Written by `ait completions bash`.

_ait() {
    local at=ait current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} paths='' words i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$at ${COMP_WORDS[i]}" in
        'ait sessions' | 'ait sessions live' | 'ait sessions current' | 'ait sessions task' | 'ait sessions conflicts' | 'ait sessions history' | 'ait sessions next' | 'ait sessions go' | 'ait sessions resume' | 'ait sessions for' | 'ait sessions prune' | 'ait guard' | 'ait notify' | 'ait hooks' | 'ait hooks install' | 'ait hooks uninstall' | 'ait hooks list' | 'ait prompt' | 'ait statusline' | 'ait setup' | 'ait uninstall' | 'ait init' | 'ait hook' | 'ait doctor' | 'ait report' | 'ait timeline' | 'ait config' | 'ait team' | 'ait team join' | 'ait team leave' | 'ait team status' | 'ait team preview' | 'ait team sync' | 'ait team forget' | 'ait demo' | 'ait completions' | 'ait man') at="$at ${COMP_WORDS[i]}" ;;
        esac
    done
    # bash takes --option=value apart.
    if [ "$current" = '=' ]; then
        current=''
    elif [ "$before" = '=' ]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case "$at $before" in
    'ait sessions live --project') words=$(ait completions projects 2>/dev/null | cut -f1) ;;
    'ait sessions live --path') words='' paths=-d ;;
    'ait sessions live --color') words='always never auto' ;;
    'ait sessions current --session') words=$(ait completions sessions 2>/dev/null | cut -f1) ;;
    'ait sessions current --color') words='always never auto' ;;
    'ait sessions task --session') words=$(ait completions sessions 2>/dev/null | cut -f1) ;;
    'ait sessions conflicts --color') words='always never auto' ;;
    'ait sessions history --date') words=$(ait completions days 2>/dev/null | cut -f1) ;;
    'ait sessions history --days') words='' ;;
    'ait sessions history --project') words=$(ait completions projects 2>/dev/null | cut -f1) ;;
    'ait sessions history --search') words='' ;;
    'ait sessions history --user') words='' ;;
    'ait sessions history --status') words='' ;;
    'ait sessions history --limit') words='' ;;
    'ait sessions history --color') words='always never auto' ;;
    'ait sessions next --color') words='always never auto' ;;
    'ait sessions go --color') words='always never auto' ;;
    'ait sessions resume --days') words='' ;;
    'ait sessions resume --dismiss') words=$(ait completions interrupted 2>/dev/null | cut -f1) ;;
    'ait sessions resume --color') words='always never auto' ;;
    'ait sessions for --color') words='always never auto' ;;
    'ait prompt --for') words='zsh bash fish nushell elvish xonsh tmux starship ansi plain' ;;
    'ait prompt --format') words='' ;;
    'ait prompt --dir') words='' paths=-d ;;
    'ait prompt --icons') words='unicode nerd ascii' ;;
    'ait prompt --color') words='always never auto' ;;
    'ait prompt --max-width') words='' ;;
    'ait statusline --format') words='' ;;
    'ait statusline --icons') words='unicode nerd ascii' ;;
    'ait statusline --color') words='always never auto' ;;
    'ait statusline --max-width') words='' ;;
    'ait statusline --then') words='' ;;
    'ait setup --only') words='' ;;
    'ait doctor --color') words='always never auto' ;;
    'ait report --days') words='' ;;
    'ait report --from') words=$(ait completions days 2>/dev/null | cut -f1) ;;
    'ait report --to') words=$(ait completions days 2>/dev/null | cut -f1) ;;
    'ait report --week') words='' ;;
    'ait report --project') words=$(ait completions projects 2>/dev/null | cut -f1) ;;
    'ait report --by') words='' ;;
    'ait report --member') words='' ;;
    'ait report --color') words='always never auto' ;;
    'ait timeline --date') words=$(ait completions days 2>/dev/null | cut -f1) ;;
    'ait timeline --days') words='' ;;
    'ait timeline --project') words=$(ait completions projects 2>/dev/null | cut -f1) ;;
    'ait timeline --member') words='' ;;
    'ait timeline --svg') words='' paths=-f ;;
    'ait timeline --html') words='' paths=-f ;;
    'ait timeline --color') words='always never auto' ;;
    'ait config --color') words='always never auto' ;;
    'ait team --color') words='always never auto' ;;
    'ait team join --remote') words='' ;;
    'ait team join --name') words='' ;;
    'ait team join --share') words='' ;;
    'ait team forget --before') words=$(ait completions days 2>/dev/null | cut -f1) ;;
    'ait demo --color') words='always never auto' ;;
    *)
        case $at in
        'ait') words='sessions guard notify hooks prompt statusline setup uninstall init hook doctor report timeline config team demo completions man --help --version' ;;
        'ait sessions') words='live current task conflicts history next go resume for prune --help' ;;
        'ait sessions live') words='--help --project --path --verbose --watch --json --color' ;;
        'ait sessions current') words='--help --session --json --color' ;;
        'ait sessions task') words='--help --session --json' ;;
        'ait sessions conflicts') words='--help --strict --merge --json --color' ;;
        'ait sessions history') words='--help --date --days --project --search --transcripts --user --status --resumable --limit --headless --no-pager --json --color' ;;
        'ait sessions next') words='--help --go --all --json --color' ;;
        'ait sessions go') words='--help --list --color'" $(ait completions targets 2>/dev/null | cut -f1)" ;;
        'ait sessions resume') words='--help --go --yes --days --dismiss --json --color' ;;
        'ait sessions for') words='--help --markdown --json --color' ;;
        'ait sessions prune') words='--help --dry-run --elsewhere --json' ;;
        'ait guard') words='--help --user --json' ;;
        'ait notify') words='on off status test --help' ;;
        'ait hooks') words='install uninstall list --help' ;;
        'ait hooks install') words='session-register session-cleanup statusline --help --dry-run' ;;
        'ait hooks uninstall') words='session-register session-cleanup statusline --help --dry-run' ;;
        'ait hooks list') words='--help --json' ;;
        'ait prompt') words='--help --for --format --dir --all --follow --icons --color --max-width' ;;
        'ait statusline') words='--help --format --icons --color --max-width --then' ;;
        'ait setup') words='--help --yes --dry-run --only' ;;
        'ait uninstall') words='--help --yes --dry-run --history' ;;
        'ait init') words='zsh bash fish nushell elvish xonsh tmux starship claude --help --manual --plugin' ;;
        'ait hook') words='session-register session-cleanup --help --plugin' ;;
        'ait doctor') words='--help --fix --json --color' ;;
        'ait report') words='--help --days --from --to --week --project --by --team --member --markdown --json --color' ;;
        'ait timeline') words='--help --date --days --project --team --member --headless --svg --html --json --color' ;;
        'ait config') words='--help --json --color' ;;
        'ait team') words='join leave status preview sync forget --help --offline --json --color' ;;
        'ait team join') words='--help --remote --name --share --yes --json' ;;
        'ait team leave') words='--help --json' ;;
        'ait team status') words='--help --json' ;;
        'ait team preview') words='--help' ;;
        'ait team sync') words='--help --json' ;;
        'ait team forget') words='--help --before --all --json' ;;
        'ait demo') words='--help --color' ;;
        'ait completions') words='zsh bash fish nushell elvish xonsh --help' ;;
        'ait man') words='--help' ;;
        esac
        ;;
    esac
    COMPREPLY=()
    while IFS= read -r i; do
        COMPREPLY+=("$i")
    done < <(if [ -n "$paths" ]; then compgen "$paths" -- "$current"; else compgen -W "$words" -- "$current"; fi)
    if [ -n "$paths" ]; then compopt -o filenames 2>/dev/null || :; fi
}

complete -F _ait ait
