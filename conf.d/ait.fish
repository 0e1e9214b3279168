# ait as a plugin of fish, for fisher and other plugin managers: the segment at the left of the right prompt. The
# completions are in completions/ait.fish. It needs the program `ait` in PATH.
#
#     set -g AIT_MANUAL 1    in another file of conf.d: only $AIT_SEGMENT and ait_segment; see `ait init --help`
#
# The segment is loaded just before the first prompt, so it comes after the prompt that config.fish sets.

if status is-interactive
    function __ait_plugin_load --on-event fish_prompt
        functions -e __ait_plugin_load
        if not command -q ait
            __ait_plugin_missing
            return
        end
        set -l manual
        if test -n "$AIT_MANUAL"
            set manual --manual
        end
        command ait init fish $manual 2>/dev/null | source
        if functions -q ait_refresh
            ait_refresh
        end
    end

    # Says once how to get the program. The file is the memory of it: without one, nothing is said.
    function __ait_plugin_missing
        set -l folder $HOME/.cache
        if string match -q '/*' -- "$XDG_CACHE_HOME"
            set folder $XDG_CACHE_HOME
        end
        set folder $folder/ait
        if not test -e $folder/missing-program
            and command mkdir -p $folder 2>/dev/null
            and command touch $folder/missing-program 2>/dev/null
            echo 'ait: no program named ait in PATH; install it: cargo install ait-sessions' >&2
        end
    end

    # What fisher calls when the plugin is removed. The right prompt is theirs again.
    function __ait_plugin_uninstall --on-event ait_uninstall
        set -g __ait_right __ait_theirs
        set -e AIT_SEGMENT
        functions -e __ait_plugin_load __ait_plugin_missing __ait_plugin_uninstall __ait_update ait_refresh ait_segment
    end
end
