# Completion of ait for fish. Written by `ait completions fish`.

function __ait_at
    set -l at ait
    for word in (commandline -opc)[2..-1]
        switch "$at $word"
            case 'ait sessions' 'ait sessions live' 'ait sessions current' 'ait sessions task' 'ait sessions conflicts' 'ait sessions history' 'ait sessions prune' 'ait prompt' 'ait hook' 'ait demo' 'ait completions'
                set at "$at $word"
        end
    end
    test "$at" = "$argv"
end

function __ait_ids
    ait sessions live --json 2>/dev/null | tr '{' ',' | tr ',' '\n' | sed -n 's/^ *"session_id": *"\([^"]*\)".*/\1/p'
end

complete -c ait -f
complete -c ait -n '__ait_at ait' -a sessions -d 'see and steer the sessions'
complete -c ait -n '__ait_at ait' -a prompt -d 'print the segment of this folder\'s session, for a prompt'
complete -c ait -n '__ait_at ait' -a hook -d 'take an event from Claude Code on standard input (Claude Code calls this)'
complete -c ait -n '__ait_at ait' -a demo -d 'see it all at work with three played sessions, in a temporary folder'
complete -c ait -n '__ait_at ait' -a completions -d 'print the completion file of a shell'
complete -c ait -n '__ait_at ait' -l help -d 'display usage information'
complete -c ait -n '__ait_at ait' -s V -l version -d 'print the version and exit'
complete -c ait -n '__ait_at ait sessions' -a live -d 'show all live sessions'
complete -c ait -n '__ait_at ait sessions' -a current -d 'show the session of this folder, or the one whose shell this is'
complete -c ait -n '__ait_at ait sessions' -a task -d 'show, set or clear the task of the current session'
complete -c ait -n '__ait_at ait sessions' -a conflicts -d 'show where live sessions can hurt each other'
complete -c ait -n '__ait_at ait sessions' -a history -d 'show ended sessions: today\'s, or those of other days'
complete -c ait -n '__ait_at ait sessions' -a prune -d 'archive sessions whose process is gone'
complete -c ait -n '__ait_at ait sessions' -l help -d 'display usage information'
complete -c ait -n '__ait_at ait sessions live' -l help -d 'display usage information'
complete -c ait -n '__ait_at ait sessions live' -l project -x -d 'only this project'
complete -c ait -n '__ait_at ait sessions live' -l path -x -a '(__fish_complete_directories)' -d 'only sessions in this folder or below'
complete -c ait -n '__ait_at ait sessions live' -s v -l verbose -d 'also the process, and where each state comes from'
complete -c ait -n '__ait_at ait sessions live' -l json -d 'one JSON object'
complete -c ait -n '__ait_at ait sessions live' -l color -x -a 'always never auto' -d 'always, never or auto (the default)'
complete -c ait -n '__ait_at ait sessions current' -l help -d 'display usage information'
complete -c ait -n '__ait_at ait sessions current' -l session -x -a '(__ait_ids)' -d 'this session (an id, or the start of one)'
complete -c ait -n '__ait_at ait sessions current' -l json -d 'one JSON object'
complete -c ait -n '__ait_at ait sessions current' -l color -x -a 'always never auto' -d 'always, never or auto (the default)'
complete -c ait -n '__ait_at ait sessions task' -l help -d 'display usage information'
complete -c ait -n '__ait_at ait sessions task' -l session -x -a '(__ait_ids)' -d 'this session (an id, or the start of one)'
complete -c ait -n '__ait_at ait sessions task' -l json -d 'one JSON object'
complete -c ait -n '__ait_at ait sessions conflicts' -l help -d 'display usage information'
complete -c ait -n '__ait_at ait sessions conflicts' -l strict -d 'exit with 3 where there are conflicts'
complete -c ait -n '__ait_at ait sessions conflicts' -l json -d 'one JSON object'
complete -c ait -n '__ait_at ait sessions conflicts' -l color -x -a 'always never auto' -d 'always, never or auto (the default)'
complete -c ait -n '__ait_at ait sessions history' -l help -d 'display usage information'
complete -c ait -n '__ait_at ait sessions history' -l date -x -a 'today yesterday' -d 'this day (YYYY-MM-DD, today, yesterday)'
complete -c ait -n '__ait_at ait sessions history' -l days -x -d 'this many days, up to --date or today'
complete -c ait -n '__ait_at ait sessions history' -l project -x -d 'only this project'
complete -c ait -n '__ait_at ait sessions history' -l search -x -d 'only sessions with this text in task, project, branch or path'
complete -c ait -n '__ait_at ait sessions history' -l limit -x -d 'at most this many sessions'
complete -c ait -n '__ait_at ait sessions history' -l json -d 'one JSON object'
complete -c ait -n '__ait_at ait sessions history' -l color -x -a 'always never auto' -d 'always, never or auto (the default)'
complete -c ait -n '__ait_at ait sessions prune' -l help -d 'display usage information'
complete -c ait -n '__ait_at ait sessions prune' -l dry-run -d 'say what would be archived, and archive nothing'
complete -c ait -n '__ait_at ait sessions prune' -l json -d 'one JSON object'
complete -c ait -n '__ait_at ait prompt' -l help -d 'display usage information'
complete -c ait -n '__ait_at ait prompt' -l for -x -a 'zsh bash fish tmux starship ansi plain' -d 'zsh, bash, fish, tmux, starship, ansi or plain (the default)'
complete -c ait -n '__ait_at ait prompt' -l format -x -d 'what to show: text, {token}, [group that vanishes when empty]'
complete -c ait -n '__ait_at ait prompt' -l dir -x -a '(__fish_complete_directories)' -d 'the folder to speak of, instead of the current one'
complete -c ait -n '__ait_at ait prompt' -l fleet -d 'all sessions, wherever they work: how many, who waits, conflicts'
complete -c ait -n '__ait_at ait prompt' -l icons -x -a 'unicode nerd ascii' -d 'unicode (the default), nerd or ascii'
complete -c ait -n '__ait_at ait prompt' -l color -x -a 'always never auto' -d 'always, never or auto (the default)'
complete -c ait -n '__ait_at ait prompt' -l max-width -x -d 'at most this many terminal cells'
complete -c ait -n '__ait_at ait hook' -a 'session-register session-cleanup'
complete -c ait -n '__ait_at ait hook' -l help -d 'display usage information'
complete -c ait -n '__ait_at ait demo' -l help -d 'display usage information'
complete -c ait -n '__ait_at ait demo' -l color -x -a 'always never auto' -d 'always, never or auto (the default)'
complete -c ait -n '__ait_at ait completions' -a 'zsh bash fish'
complete -c ait -n '__ait_at ait completions' -l help -d 'display usage information'
