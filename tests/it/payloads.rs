//! Every payload that was captured from the real client goes through `ait hook`, in the order in which the client sent
//! it, and the manifest that results is compared field by field.
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use serde_json::{Value, json};

/// What the session does after an event.
#[derive(Clone, Copy, Debug)]
enum Then {
    Idle,
    Working,
    Waiting(&'static str),
    /// Waiting, but since the moment at which it became idle.
    WaitingSinceIdle(&'static str),
    Error,
    /// As before the event.
    Same,
    /// Nothing tells what it does.
    Unknown,
    /// In history, with this reason.
    Ended(&'static str),
}

/// One thing that happens in a story.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The client in the current terminal sends this payload.
    Hook(&'static str, Then),
    /// From the event before this on, the session has this task, from this source.
    Task(&'static str, &'static str),
    /// The start of a session whose own start was not captured.
    Begin(&'static str),
    /// The start of such a session in the second repository.
    BeginInRepo(&'static str),
    /// A turn ends, and this prompt is scheduled for later.
    Schedule(&'static str),
    /// What follows comes from the client in the terminal of this number.
    Terminal(usize),
    /// The client in that terminal is killed.
    Kill(usize),
    /// A file is written below the home folder.
    Write(&'static str),
    /// Git is told to do this in a folder below the home folder.
    Git(&'static str, &'static [&'static str]),
    /// The project is no repository.
    NoRepository,
    /// Beside the project there is a second repository, with a worktree.
    SecondRepository,
}

use Step::{
    Begin, BeginInRepo, Git, Hook, Kill, NoRepository, Schedule, SecondRepository, Task, Terminal, Write as WriteFile,
};
use Then::{Ended, Error, Idle, Same, Unknown, Waiting, WaitingSinceIdle, Working};

/// Makes one test of each story, and the list of the payloads that they play.
macro_rules! stories {
    ($($(#[$doc:meta])* $name:ident { $($step:expr;)* })*) => {
        $($(#[$doc])* #[test] fn $name() { TestEnv::new().play(&[$($step),*]); })*
        fn played() -> BTreeSet<&'static str> {
            [$($($step),*),*].iter().filter_map(|step| if let Hook(payload, _) = step { Some(*payload) } else { None }).collect()
        }
    };
}

stories! {
    /// One terminal from start to end, with a second one beside it for a while.
    a_long_session {
        Terminal(1);
        Hook("SessionStart-start", Idle);
        Hook("UserPromptSubmit-prompt", Working);
        Task("hello SAY[first reply]", "prompt");
        Hook("Stop-prompt", Idle);
        Hook("UserPromptSubmit-permission-prompt", Working);
        Hook("PreToolUse-permission-prompt-Bash", Working);
        Hook("PermissionRequest-permission-prompt-Bash", Waiting("permission: Bash"));
        Hook("Notification-permission-prompt", Waiting("permission: Bash"));
        Hook("PostToolUse-bash-Bash", Working);
        Hook("PostToolBatch-bash", Same);
        Hook("Stop-bash", Idle);
        Hook("UserPromptSubmit-write-read-edit", Working);
        Hook("PreToolUse-write-read-edit-Write", Working);
        Hook("PermissionRequest-write-read-edit-Write", Waiting("permission: Write"));
        WriteFile("project/kept.txt");
        Hook("PostToolUse-write-read-edit-Write", Working);
        Hook("PostToolBatch-write-read-edit", Same);
        Hook("PreToolUse-write-read-edit-Read", Working);
        Hook("PostToolUse-write-read-edit-Read", Working);
        Hook("PostToolBatch-write-read-edit-2", Same);
        Hook("PreToolUse-write-read-edit-Edit", Working);
        Hook("PermissionRequest-write-read-edit-Edit", Waiting("permission: Edit"));
        Hook("PostToolUse-write-read-edit-Edit", Working);
        Hook("PostToolBatch-write-read-edit-3", Same);
        Hook("Stop-write-read-edit", Idle);
        Hook("UserPromptSubmit-subagent", Working);
        Hook("PreToolUse-subagent-Agent", Working);
        Hook("SubagentStart-subagent", Same);
        Hook("PostToolUse-subagent-Agent", Working);
        Hook("PostToolBatch-subagent", Same);
        // The sub-agent still works in the background.
        Hook("Stop-subagent", Working);
        Hook("SubagentStop-subagent", Same);
        Hook("UserPromptSubmit-subagent-2", Working);
        Hook("Stop-subagent-2", Idle);
        Git("project", &["checkout", "--quiet", "-b", "story/two"]);
        Hook("UserPromptSubmit-esc-interrupt", Working);
        Hook("PreCompact-compact", Same);
        Hook("SubagentStop-compact", Same);
        Hook("SessionStart-compact", Same);
        Task("my-name", "title");
        Hook("PostCompact-compact", Same);
        Hook("SessionEnd-clear", Ended("clear"));
        Hook("SessionStart-clear", Idle);
        Task("my-name", "title");
        Terminal(2);
        Hook("SessionStart-second-session", Idle);
        Kill(2);
        Terminal(1);
        Hook("SessionEnd-exit", Ended("prompt_input_exit"));
        Terminal(3);
        Hook("SessionStart-continue", Idle);
        Hook("SessionEnd-sigterm", Ended("other"));
    }

    /// The end of one process says nothing of the other that runs the same session.
    one_session_in_two_terminals {
        Terminal(1);
        Begin("9029aedc-fe71-4c87-b21d-9d372d6ce844");
        Terminal(2);
        Hook("SessionStart-continue", Idle);
        Task("my-name", "title");
        Hook("SessionEnd-exit", Same);
        Terminal(1);
        Hook("SessionEnd-sigterm", Ended("other"));
    }

    a_question {
        Terminal(1);
        Begin("9b9beaae-026a-4a0d-9227-6ee186c82c95");
        Hook("PreToolUse-ask-user-question-open-AskUserQuestion", Waiting("question"));
        Hook("PermissionRequest-ask-user-question-open-AskUserQuestion", Waiting("question"));
        Hook("Notification-ask-user-question-open", Waiting("question"));
        Hook("PostToolUse-ask-user-question-answered-AskUserQuestion", Working);
        Hook("PostToolBatch-ask-user-question-answered", Same);
        Hook("Stop-ask-user-question-answered", Idle);
    }

    a_plan {
        Terminal(1);
        Begin("e77c0936-3471-4439-9f2c-03eee1318cbc");
        Hook("PreToolUse-plan-approval-open-ExitPlanMode", Waiting("plan"));
        Hook("PermissionRequest-plan-approval-open-ExitPlanMode", Waiting("plan"));
        Hook("Notification-plan-approval-open", Waiting("plan"));
    }

    a_permission_that_is_refused_with_esc {
        Terminal(1);
        Begin("3f7d6d86-1b55-46b2-8a5d-2f6c5d7efe06");
        Hook("PreToolUse-permission-rejected-esc-Bash", Working);
        Hook("PermissionRequest-permission-rejected-esc-Bash", Waiting("permission: Bash"));
    }

    nobody_types_for_a_minute {
        Terminal(1);
        Begin("34b21188-b136-45d9-b1b6-c6fe49069958");
        Hook("Notification-idle-60s", WaitingSinceIdle("input"));
    }

    a_tool_that_fails_and_one_that_is_interrupted {
        Terminal(1);
        Begin("ea2cf2df-84b7-4e15-9fe5-fe7b8a9f670e");
        Hook("PreToolUse-tool-failure-Bash", Working);
        Hook("PostToolUseFailure-tool-failure-Bash", Working);
        Hook("PostToolBatch-tool-failure", Same);
        Hook("UserPromptSubmit-tool-interrupted-esc", Working);
        Task("d BASH[sleep 20] SAY[ok]", "prompt");
        Hook("PreToolUse-tool-interrupted-esc-Bash", Working);
    }

    /// A background shell does not keep the person from typing: the session is idle meanwhile.
    a_background_shell {
        Terminal(1);
        Begin("c99d9b6c-9f27-450f-ab46-b8919b123adb");
        Hook("UserPromptSubmit-background-shell-running", Working);
        Task("b BASHBG[sleep 4] SAY[ok]", "prompt");
        Hook("PreToolUse-background-shell-running-Bash", Working);
        Hook("PostToolUse-background-shell-running-Bash", Working);
        Hook("PostToolBatch-background-shell-running", Same);
        Hook("Stop-background-shell-running", Idle);
        Hook("UserPromptSubmit-background-shell-done", Working);
        Hook("Stop-background-shell-done", Idle);
    }

    /// Nobody typed the notification of a task that ended, so it is no task of the session's.
    a_prompt_that_nobody_typed {
        Terminal(1);
        Begin("c99d9b6c-9f27-450f-ab46-b8919b123adb");
        Hook("UserPromptSubmit-background-shell-done", Working);
    }

    a_slash_command {
        Terminal(1);
        Begin("5c7e2c4e-ab02-41d5-8305-3a858bb3145b");
        Hook("UserPromptExpansion-slash-command", Same);
        Hook("UserPromptSubmit-slash-command", Working);
        Task("/greet Bob", "prompt");
        Hook("Stop-slash-command", Idle);
    }

    api_error_400 {
        Terminal(1);
        Begin("1198773d-9c11-4b25-b476-9ea3498568e8");
        Hook("StopFailure-api-error-400", Error);
    }

    api_error_429 {
        Terminal(1);
        Begin("8dbba730-5b58-4434-89ca-d3d772c68031");
        Hook("StopFailure-api-error-429", Error);
    }

    api_error_500 {
        Terminal(1);
        Begin("c918f89b-6958-4f35-95b1-36c281fbf9d9");
        Hook("StopFailure-api-error-500", Error);
    }

    api_error_529 {
        Terminal(1);
        Begin("129fe6b8-4f0e-419d-b09f-c70d89c2b722");
        Hook("StopFailure-api-error-529", Error);
    }

    /// Compacted in the middle of a turn, resumed from inside another session, then branched off.
    compacted_resumed_inside_and_branched {
        Terminal(1);
        Begin("1ee954b5-9a97-4e0e-a3b7-5ab67313d62c");
        Hook("UserPromptSubmit-auto-compact", Working);
        Task("next SAY[ok]", "prompt");
        Hook("PreCompact-auto-compact", Same);
        Hook("SubagentStop-auto-compact", Same);
        Hook("SessionStart-auto-compact", Same);
        Hook("PostCompact-auto-compact", Same);
        Hook("Stop-auto-compact", Idle);
        Hook("SessionEnd-branch", Ended("resume"));
        Begin("de30968c-0613-48a3-a848-f9e6066809af");
        Hook("SessionEnd-resume-inside", Ended("resume"));
        Hook("SessionStart-resume-inside", Idle);
        Hook("SessionEnd-branch", Ended("resume"));
        Hook("SessionStart-branch", Idle);
        Task("next SAY[ok] (Branch)", "title");
    }

    named_resumed_by_id_and_by_name_and_forked {
        Terminal(1);
        Begin("af7e2d50-62cc-4090-9870-362c2484f701");
        Hook("SessionEnd-exit-of-named", Ended("prompt_input_exit"));
        Terminal(2);
        Hook("SessionStart-resume-id", Idle);
        Task("lab-name", "title");
        Hook("SessionEnd-exit-of-named", Ended("prompt_input_exit"));
        Terminal(3);
        Hook("SessionStart-resume-name", Idle);
        Terminal(4);
        Hook("SessionStart-fork-session", Idle);
        Task("lab-name", "title");
    }

    /// The process that ended a session lives on with another one. That does not keep the first one alive when it is
    /// resumed and ended elsewhere.
    left_behind_by_a_process_and_resumed_in_another {
        Terminal(1);
        Begin("1ee954b5-9a97-4e0e-a3b7-5ab67313d62c");
        Hook("SessionEnd-branch", Ended("resume"));
        Hook("SessionStart-branch", Idle);
        Task("next SAY[ok] (Branch)", "title");
        Terminal(2);
        Hook("SessionStart-resume-inside", Idle);
        Hook("SessionEnd-branch", Ended("resume"));
    }

    a_step_into_a_subfolder_is_no_move {
        Terminal(1);
        Begin("0b02acc8-5f3b-4724-b175-b06e767cdace");
        Hook("PreToolUse-bash-cd-Bash", Working);
        Hook("CwdChanged-bash-cd", Same);
        Hook("PostToolUse-bash-cd-Bash", Working);
        Hook("PostToolBatch-bash-cd", Same);
    }

    a_repository_and_its_worktree {
        SecondRepository;
        Terminal(1);
        Hook("SessionStart-git-repo", Idle);
        Terminal(2);
        Hook("SessionStart-worktree", Idle);
    }

    a_background_session {
        Terminal(1);
        Hook("SessionStart-bg-session", Idle);
        Hook("UserPromptSubmit-bg-session", Working);
        Task("bg task SLOW[2] SAY[bg done]", "prompt");
        Hook("SessionEnd-bg-session-stopped", Ended("other"));
    }

    an_id_of_the_users_choice {
        Terminal(1);
        Hook("SessionStart-session-id", Idle);
    }

    headless {
        NoRepository;
        Terminal(1);
        Hook("SessionStart-headless", Idle);
        Hook("UserPromptSubmit-headless", Working);
        Task("hi SAY[headless ok]", "prompt");
        Hook("Stop-headless", Idle);
        Hook("SessionEnd-headless", Ended("other"));
    }

    headless_with_a_tool {
        Terminal(1);
        Hook("SessionStart-headless-tool", Idle);
        Hook("UserPromptSubmit-headless-tool", Working);
        Task("hi BASH[echo 1] SAY[ok]", "prompt");
        Hook("PreToolUse-headless-tool-Bash", Working);
        Hook("PostToolUse-headless-tool-Bash", Working);
        Hook("PostToolBatch-headless-tool", Same);
        Hook("Stop-headless-tool", Idle);
        Hook("SessionEnd-headless-tool", Ended("other"));
    }

    headless_and_continued {
        Terminal(1);
        Hook("SessionStart-headless-json", Idle);
        Hook("SessionEnd-headless-json", Ended("other"));
        Terminal(2);
        Hook("SessionStart-headless-continue", Idle);
        Hook("SessionEnd-headless-continue", Ended("other"));
    }

    headless_with_a_name {
        Terminal(1);
        Hook("SessionStart-headless-named", Idle);
        Task("hl", "title");
        Hook("SessionEnd-headless-named", Ended("other"));
    }

    headless_with_an_api_error {
        Terminal(1);
        Hook("SessionStart-headless-error", Idle);
        Hook("SessionEnd-headless-error", Ended("other"));
    }

    headless_and_terminated {
        Terminal(1);
        Hook("SessionStart-headless-sigterm", Idle);
        Hook("SessionEnd-headless-sigterm", Ended("other"));
    }

    ended_by_sigterm_in_a_turn {
        Terminal(1);
        Begin("5fe558b9-54f2-45a5-b798-7fb5e90e8cab");
        Hook("SessionEnd-busy-sigterm", Ended("other"));
    }

    ended_by_ctrl_c {
        Terminal(1);
        Begin("6fd5e14c-e7b1-4eba-980b-3ed4b924ef9f");
        Hook("SessionEnd-ctrl-c", Ended("prompt_input_exit"));
    }

    ended_by_ctrl_d {
        Terminal(1);
        Begin("2d380438-bba0-48e4-9774-bb237aa4e2e4");
        Hook("SessionEnd-ctrl-d", Ended("prompt_input_exit"));
    }

    ended_by_sighup {
        Terminal(1);
        Begin("dd2b5abe-0815-40c8-9020-96ed6bba4845");
        Hook("SessionEnd-sighup", Ended("other"));
    }

    ended_by_sigint {
        Terminal(1);
        Begin("82732462-40ed-4a43-b626-ab2aeb18bead");
        Hook("SessionEnd-sigint", Ended("other"));
    }

    ended_with_its_terminal {
        Terminal(1);
        Begin("b5b66fbc-57c5-4cd3-b369-7ef88fc57659");
        Hook("SessionEnd-terminal-closed", Ended("other"));
    }

    another_model {
        Terminal(1);
        Begin("4b49276a-5119-43c5-aa64-f9eb6b7e6588");
        Hook("PreModelSwitch-model-switch", Same);
        Hook("PostModelSwitch-model-switch", Same);
    }

    pasted_text_is_the_task {
        SecondRepository;
        Terminal(1);
        BeginInRepo("a0f68c3d-1273-43b0-99f7-174d7a5e4f05");
        Hook("UserPromptSubmit-pasted-text-12-lines", Working);
        Task("line 0", "prompt");
    }

    short_pasted_text_is_the_task {
        SecondRepository;
        Terminal(1);
        BeginInRepo("493bc08c-c34a-4ddd-98fc-596d6b46381d");
        Hook("UserPromptSubmit-pasted-text-3-lines", Working);
        Task("l1", "prompt");
    }

    one_pasted_line_is_the_task {
        SecondRepository;
        Terminal(1);
        BeginInRepo("30a52137-b968-4f11-89ee-cae9fea5b31d");
        Hook("UserPromptSubmit-pasted-text-short", Working);
        Task("one two", "prompt");
    }

    long_pasted_text_is_cut_to_a_task {
        SecondRepository;
        Terminal(1);
        BeginInRepo("78f7f6fe-e497-45c3-ab51-d42c22a1e1d0");
        Hook("UserPromptSubmit-pasted-text-900-chars", Working);
        Task("word word word word word word word word word word word word word word word word word word word word…", "prompt");
    }

    a_scheduled_wake_up_is_no_task {
        SecondRepository;
        Terminal(1);
        BeginInRepo("2eec6a22-ad11-4bd1-a7a6-5d8f6658b217");
        Schedule("wake up SAY[woke]");
        Hook("UserPromptSubmit-scheduled-wakeup", Working);
        Hook("Stop-scheduled-wakeup", Idle);
    }

    /// Its tools and its turn's end are in the worktree, then in the main tree again.
    entering_and_leaving_a_worktree {
        SecondRepository;
        Git("repo", &["worktree", "add", "--quiet", "-b", "worktree-wx", ".claude/worktrees/wx"]);
        Terminal(1);
        BeginInRepo("b72fd08a-eae9-4dbb-9757-9168d9331905");
        Hook("PreToolUse-enter-worktree-EnterWorktree", Working);
        Hook("PostToolUse-enter-worktree-EnterWorktree", Working);
        Hook("PreToolUse-enter-worktree-Bash", Working);
        Hook("PostToolUse-enter-worktree-Bash", Working);
        Hook("Stop-enter-worktree", Idle);
        Hook("PreToolUse-exit-worktree-ExitWorktree", Working);
        Hook("PostToolUse-exit-worktree-ExitWorktree", Working);
        Hook("PreToolUse-exit-worktree-Bash", Working);
        Hook("PostToolUse-exit-worktree-Bash", Working);
    }

    /// The sub-agent's own tree is not the session's.
    a_subagent_in_a_worktree_of_its_own {
        SecondRepository;
        Git("repo", &["worktree", "add", "--quiet", "-b", "worktree-agent", ".claude/worktrees/agent-ac1c4cc3c3cfc83d9"]);
        Terminal(1);
        BeginInRepo("675e05a1-0444-4d44-a796-d2735501a002");
        Hook("PreToolUse-subagent-in-worktree-Agent", Working);
        Hook("SubagentStart-subagent-in-worktree", Same);
        Hook("PostToolUse-subagent-in-worktree-Agent", Working);
        Hook("PreToolUse-subagent-in-worktree-Write", Same);
        Hook("PostToolUse-subagent-in-worktree-Write", Same);
        Hook("PreToolUse-subagent-in-worktree-Bash", Same);
        Hook("PostToolUse-subagent-in-worktree-Bash", Same);
        Hook("SubagentStop-subagent-in-worktree", Same);
    }

    /// A hook of the user makes the worktree of `--worktree`, and removes it.
    a_worktree_made_by_a_hook {
        SecondRepository;
        Git("repo", &["worktree", "add", "--quiet", "-b", "hooked", "../hookwt"]);
        Terminal(1);
        Hook("WorktreeCreate-worktree-by-hook", Unknown);
        Hook("SessionStart-worktree-by-hook", Idle);
        Hook("WorktreeRemove-worktree-by-hook", Same);
    }

    a_teammate {
        SecondRepository;
        Terminal(1);
        BeginInRepo("0d8e474e-b133-4950-8ad4-b9a3bc573a96");
        Hook("SubagentStart-teammate", Same);
        Hook("Stop-teammate", Idle);
        Hook("SubagentStop-teammate", Same);
        Hook("TeammateIdle-teammate", Same);
        Hook("Stop-teammate-2", Idle);
    }

    a_tool_that_auto_mode_denies {
        SecondRepository;
        Terminal(1);
        BeginInRepo("d0c73978-0def-4d5f-8ec5-c044ff185e49");
        Hook("PreToolUse-auto-mode-denied-Bash", Working);
        Hook("PermissionDenied-auto-mode-denied-Bash", Same);
    }

    a_notebook_that_is_edited {
        SecondRepository;
        Terminal(1);
        BeginInRepo("2c822397-834e-464a-bd84-59fd5a2e429e");
        Hook("PreToolUse-notebook-NotebookEdit", Working);
        Hook("PostToolUse-notebook-NotebookEdit", Working);
    }

    a_list_of_tasks {
        SecondRepository;
        Terminal(1);
        BeginInRepo("be0afc2d-d0fd-432b-8f19-b33dc366116b");
        Hook("PreToolUse-task-tools-TaskCreate", Working);
        Hook("TaskCreated-task-tools", Same);
        Hook("PostToolUse-task-tools-TaskCreate", Working);
        Hook("PreToolUse-task-tools-TaskUpdate", Working);
        Hook("PostToolUse-task-tools-TaskUpdate", Working);
        Hook("PreToolUse-task-tools-TaskUpdate-2", Working);
        Hook("TaskCompleted-task-tools", Same);
        Hook("PostToolUse-task-tools-TaskUpdate-2", Working);
    }

    a_turn_that_goes_on_after_a_blocked_stop {
        SecondRepository;
        Terminal(1);
        BeginInRepo("f0678afc-1bc7-432f-a87a-a7a9b0c52ac0");
        Hook("Stop-after-stop-hook-blocked", Idle);
    }

    a_command_of_the_users_own_shell {
        SecondRepository;
        Terminal(1);
        BeginInRepo("5ae524a8-1aa8-4c46-8136-cd216c12ceda");
        Hook("Stop-bang-command", Idle);
    }

    set_up_and_ended_at_once {
        SecondRepository;
        Terminal(1);
        Hook("Setup-setup-init-only", Unknown);
        Hook("SessionStart-setup-init-only", Idle);
        Hook("SessionEnd-setup-init-only", Ended("other"));
    }

    set_up_before_a_session_starts {
        SecondRepository;
        Terminal(1);
        Hook("Setup-setup-init", Unknown);
        Terminal(2);
        Hook("Setup-setup-maintenance", Unknown);
    }

    events_that_say_nothing_about_the_session {
        Terminal(1);
        Hook("SessionStart-with-claude-md", Idle);
        Hook("InstructionsLoaded-with-claude-md", Same);
        Terminal(2);
        Begin("2ae8119b-819f-43d0-baea-cc1614525f2d");
        Hook("ConfigChange-settings-edited", Same);
        Terminal(3);
        Begin("19dc79af-a066-418a-90ac-b686c313f4d2");
        Hook("FileChanged-watched-file", Same);
        Terminal(4);
        Begin("77d2520e-634c-4636-a3c3-3af259d37c85");
        Hook("PostToolBatch-task-tools", Same);
        Hook("PostToolBatch-task-tools-2", Same);
    }

    events_of_newer_clients_that_say_nothing_about_the_session {
        SecondRepository;
        Terminal(1);
        BeginInRepo("f517f979-2042-4e37-938e-2ff24414deff");
        Hook("DirectoryAdded-add-dir", Same);
        Terminal(2);
        BeginInRepo("8cebf51d-8df4-4482-b16b-eee8f04a25ef");
        Hook("MessageDisplay-message-display", Same);
        Terminal(3);
        BeginInRepo("c1cd3f6a-f6a2-42ee-9dfe-a175d5244999");
        Hook("PermissionDenied-headless-auto-mode-denied-Bash", Same);
        Terminal(4);
        BeginInRepo("709b888f-2f9f-4ad4-9ff9-d673687a536c");
        Hook("PreSkillShellCommand-slash-command-with-shell-Bash", Same);
        Terminal(5);
        BeginInRepo("1416001a-a266-4377-b16d-af3941d17720");
        Hook("Elicitation-mcp-elicitation", Same);
        Hook("ElicitationResult-mcp-elicitation", Same);
        Hook("Notification-mcp-elicitation", Same);
    }
}

#[test]
fn no_captured_payload_is_forgotten() {
    let played = played();
    let mut forgotten = Vec::new();
    for entry in fs::read_dir(payloads()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(case) = name.strip_suffix(".json") else { continue };
        let hook = serde_json::from_str::<Value>(&payload(case)).unwrap().get("hook_event_name").is_some();
        let other = ["statusLine-", "registry-", "_"].iter().any(|kind| case.starts_with(kind));
        assert_ne!(hook, other, "{case} is neither the payload of a hook nor one of the other kinds, or is both");
        if hook && !played.contains(case) {
            forgotten.push(case.to_owned());
        }
    }
    assert!(forgotten.is_empty(), "no story plays {forgotten:?}");
    assert!(played.len() > 100, "{} payloads are played", played.len());
}

/// The end of a session that nobody saw begin leaves nothing that looks like a running one.
#[test]
fn the_end_of_an_unknown_session() {
    let mut env = TestEnv::new();
    env.terminal = 1;
    let pid = env.client();
    let output = env.hook(&payload("SessionEnd-ctrl-d"), pid, "cli");
    assert_silent_success(&output, "SessionEnd-ctrl-d");
    assert!(env.files("active").is_empty(), "{:?}", env.files("active"));
}

/// The folder of the captured payloads.
fn payloads() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads")
}

fn payload(case: &str) -> String {
    fs::read_to_string(payloads().join(format!("{case}.json"))).unwrap_or_else(|error| panic!("{case}: {error}"))
}

fn assert_silent_success(output: &Output, what: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && stderr.is_empty() && stdout.is_empty(),
        "{what}: {:?} {stdout}{stderr}",
        output.status
    );
}

/// A session that starts beside others is told of them, and so is its person: plain text would reach only the first.
fn assert_tells_of_others(output: &Output, project: &str, case: &str) {
    assert!(output.status.success() && output.stderr.is_empty(), "{case}: {output:?}");
    let told: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{case}: {error}: {output:?}"));
    let specific = &told["hookSpecificOutput"];
    assert_eq!(specific["hookEventName"], "SessionStart", "{case}: {told}");
    assert!(text(&specific["additionalContext"]).contains(project), "{case}: {told}");
    assert!(text(&told["systemMessage"]).contains(project), "{case}: {told}");
}

/// What is expected of one session.
#[derive(Debug, Default)]
struct Expected {
    /// Between these it began.
    started: Option<(Timestamp, Timestamp)>,
    path: String,
    model: Value,
    /// The task and where it came from.
    task: Option<(&'static str, &'static str)>,
    /// The state and what it waits for.
    state: (&'static str, Option<&'static str>),
    state_since: Value,
    dirty: Value,
    /// The terminals in which it runs, the one stamped last at the end.
    terminals: Vec<usize>,
}

/// A home of its own with two repositories in it, and the processes that stand for running clients.
struct TestEnv {
    home: PathBuf,
    clients: BTreeMap<usize, Child>,
    terminal: usize,
    sessions: BTreeMap<String, Expected>,
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        for client in self.clients.values_mut() {
            let _ = client.kill();
            let _ = client.wait();
        }
        let _ = fs::remove_dir_all(&self.home);
    }
}

impl TestEnv {
    fn new() -> TestEnv {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let home = std::env::temp_dir().join(format!("ait-payloads-{}-{number}", std::process::id()));
        fs::create_dir_all(&home).unwrap();
        let home = home.canonicalize().unwrap();
        let env = TestEnv { home, clients: BTreeMap::new(), terminal: 0, sessions: BTreeMap::new() };
        env.repository("project");
        env
    }

    fn repository(&self, name: &str) {
        fs::create_dir_all(self.home.join(name).join("sub")).unwrap();
        self.git(name, &["init", "--quiet", "--initial-branch=story/one"]);
        fs::write(self.home.join(name).join("kept.txt"), name).unwrap();
        self.git(name, &["add", "kept.txt"]);
        self.git(name, &["commit", "--quiet", "--message=start"]);
    }

    fn play(mut self, story: &[Step]) {
        for (number, step) in story.iter().enumerate() {
            let task = match story.get(number + 1) {
                Some(Task(task, source)) => Some((*task, *source)),
                _ => None,
            };
            match *step {
                Hook(case, then) => self.event(&payload(case), case, then, task),
                Begin(id) => {
                    let captured = payload("SessionStart-start");
                    let captured = captured.replace("6425757d-2548-4fb2-9ce2-2c43e134d597", id);
                    self.event(&captured, &format!("start of {id}"), Idle, task);
                }
                BeginInRepo(id) => {
                    let captured = payload("SessionStart-start");
                    let captured = captured.replace("6425757d-2548-4fb2-9ce2-2c43e134d597", id);
                    let captured = captured.replace(r#""/home/dev/project""#, r#""/home/dev/repo""#);
                    self.event(&captured, &format!("start of {id}"), Idle, task);
                }
                Schedule(prompt) => {
                    let mut stop: Value = serde_json::from_str(&payload("Stop-scheduled-wakeup")).unwrap();
                    let cron = json!({"id": "1", "schedule": "5 4 1 1 *", "recurring": false, "prompt": prompt});
                    stop["session_crons"] = json!([cron]);
                    self.event(&stop.to_string(), "a turn that schedules a prompt", Idle, task);
                }
                Task(..) => {}
                Terminal(number) => self.terminal = number,
                Kill(number) => {
                    let mut client = self.clients.remove(&number).unwrap();
                    client.kill().unwrap();
                    client.wait().unwrap();
                    for expected in self.sessions.values_mut() {
                        expected.terminals.retain(|terminal| *terminal != number);
                    }
                }
                WriteFile(file) => fs::write(self.home.join(file), "alpha\n").unwrap(),
                Git(folder, arguments) => {
                    self.git(folder, arguments);
                }
                SecondRepository => {
                    self.repository("repo");
                    fs::write(self.home.join("repo/.git/info/exclude"), ".claude/\n").unwrap();
                    self.git("repo", &["worktree", "add", "--quiet", "-b", "worktree-wt1", ".claude/worktrees/wt1"]);
                }
                NoRepository => fs::remove_dir_all(self.home.join("project/.git")).unwrap(),
            }
        }
    }

    /// The process of the client in the current terminal, started when it is first needed.
    fn client(&mut self) -> u32 {
        let client = self.clients.entry(self.terminal).or_insert_with(|| {
            Command::new("sleep").arg("1000").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
        });
        client.id()
    }

    fn git(&self, folder: &str, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "maintenance.auto=false", "-c", "core.fsync=none"])
            .args(arguments)
            .current_dir(self.home.join(folder))
            .env("HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "dev")
            .env("GIT_AUTHOR_EMAIL", "dev@localhost")
            .env("GIT_COMMITTER_NAME", "dev")
            .env("GIT_COMMITTER_EMAIL", "dev@localhost")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What git says of a folder; empty outside of a repository.
    fn rev_parse(&self, folder: &str, what: &str) -> String {
        let output = Command::new("git")
            .args(["rev-parse", "--path-format=absolute", what])
            .current_dir(self.home.join(folder))
            .env("HOME", &self.home)
            .env("GIT_CEILING_DIRECTORIES", &self.home)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn git_common_dir(&self, folder: &str) -> String {
        self.rev_parse(folder, "--git-common-dir")
    }

    fn top_level(&self, folder: &str) -> String {
        self.rev_parse(folder, "--show-toplevel")
    }

    /// The branch and the commit of a tree, and whether it has changes that are not committed.
    fn status(&self, folder: &str) -> (Value, Value, Value) {
        let status = self.git(folder, &["status", "--porcelain=2", "--branch"]);
        let header = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).into();
        let dirty = status.lines().any(|line| !line.starts_with('#'));
        (header("# branch.head "), header("# branch.oid "), dirty.into())
    }

    /// Hands a payload to the hook as the client does: as one line, with the client's variables.
    fn hook(&self, captured: &str, pid: u32, entrypoint: &str) -> Output {
        let payload = captured.replace("/home/dev/", &format!("{}/", self.home.display()));
        let payload: Value = serde_json::from_str(&payload).unwrap();
        let name = if payload["hook_event_name"] == "SessionEnd" { "session-cleanup" } else { "session-register" };
        let mut hook = Command::new(env!("CARGO_BIN_EXE_ait"))
            .args(["hook", name])
            .env_clear()
            .env("HOME", &self.home)
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("TZ", "UTC")
            .env("USER", "dev")
            .env("TMUX", "/tmp/tmux-0/test,1,0")
            .env("TMUX_PANE", "%7")
            .env("CLAUDECODE", "1")
            .env("CLAUDE_CODE_ENTRYPOINT", entrypoint)
            .env("CLAUDE_PID", pid.to_string())
            .env("CLAUDE_CODE_SESSION_ID", payload["session_id"].as_str().unwrap())
            .current_dir(payload["cwd"].as_str().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A hook may end before it has read everything; that is its right.
        let _ = writeln!(hook.stdin.take().unwrap(), "{payload}");
        hook.wait_with_output().unwrap()
    }

    /// Lets the client send a payload, and compares the manifest that results.
    fn event(&mut self, captured: &str, case: &str, then: Then, task: Option<(&'static str, &'static str)>) {
        let sent: Value = serde_json::from_str(captured).unwrap();
        let id = text(&sent["session_id"]).to_owned();
        let event = text(&sent["hook_event_name"]);
        let below = text(&sent["cwd"]).strip_prefix("/home/dev/").unwrap().to_owned();
        // A sub-agent may work in another folder than its session.
        let is_subagent = sent.get("agent_id").is_some();
        let known =
            self.sessions.get(&id).map(|expected| expected.path.strip_prefix(self.home.to_str().unwrap()).unwrap());
        let below = match known {
            Some(path) if is_subagent => path.trim_start_matches('/').to_owned(),
            _ => below,
        };
        let is_repository = !self.git_common_dir(&below).is_empty();
        let common = self.git_common_dir(&below);
        let project = match Path::new(&common).parent() {
            Some(main) => main.file_name().unwrap().to_str().unwrap(),
            None => below.split('/').next().unwrap(),
        };
        let (branch, head, dirty) = if is_repository { self.status(&below) } else { Default::default() };
        let moves = known.is_some_and(|path| self.top_level(path.trim_start_matches('/')) != self.top_level(&below));

        let pid = self.client();
        let before = Timestamp::now();
        let is_headless = ["headless", "init-only"].iter().any(|word| case.contains(word));
        let output = self.hook(captured, pid, if is_headless { "sdk-cli" } else { "cli" });
        let after = Timestamp::now();
        let others = self.sessions.iter().any(|(other, expected)| *other != id && !expected.terminals.is_empty());
        if event == "SessionStart" && sent["source"] != "compact" && others {
            assert_tells_of_others(&output, project, case);
        } else {
            assert_silent_success(&output, case);
        }

        let starts = event == "SessionStart" && sent["source"] != "compact";
        let path = self.home.join(&below).into_os_string().into_string().unwrap();
        let terminal = self.terminal;
        let expected = self.sessions.entry(id.clone()).or_default();
        expected.terminals.retain(|other| *other != terminal);
        if event != "SessionEnd" {
            expected.terminals.push(terminal);
            expected.started.get_or_insert((before, after));
        }
        if starts || moves || expected.path.is_empty() {
            expected.path = path;
        }
        if starts {
            expected.model = sent.get("model").or(Some(&expected.model)).cloned().unwrap();
        }
        if starts || matches!(then, Ended(_)) {
            expected.dirty = dirty;
        } else if moves {
            // git was asked about the tree before.
            expected.dirty = Value::Null;
        }
        expected.task = task.or(expected.task);
        let is_interrupted = matches!(then, Ended("other")) && !is_headless;
        let state = match then {
            Ended("other") if is_interrupted => expected.state,
            Idle | Ended(_) => ("idle", None),
            Working => ("working", None),
            Error => ("error", None),
            Waiting(what) | WaitingSinceIdle(what) => ("waiting", Some(what)),
            Same => expected.state,
            Unknown => ("unknown", None),
        };
        let is_cut_short = is_interrupted && state.0 != "idle";
        let changed = (state != expected.state || is_cut_short) && !matches!(then, WaitingSinceIdle(_) | Unknown);
        expected.state = state;
        let stamped = expected.terminals.last().copied().unwrap_or(terminal);

        let ended = matches!(then, Ended(_));
        let file = self.manifest(&id, ended, case);
        let manifest: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let stamped = self.clients[&stamped].id();
        let expected = self.sessions.get_mut(&id).unwrap();
        let status = ended.then_some(if is_interrupted { "interrupted" } else { "completed" });
        let fields = [
            ("session_id", Value::from(id)),
            ("project", project.into()),
            ("path", expected.path.clone().into()),
            ("git_branch", branch),
            ("git_dirty", expected.dirty.clone()),
            ("pid", stamped.into()),
            ("task", expected.task.map(|(task, _)| task).into()),
            ("task_source", expected.task.map(|(_, source)| source).into()),
            ("pid_start", start_of(stamped)),
            ("boot_id", kernel("random/boot_id")),
            ("state", expected.state.0.into()),
            ("waiting_for", expected.state.1.into()),
            ("head", head),
            ("model", expected.model.clone()),
            ("transcript_path", self.home.join(&text(&sent["transcript_path"])[10..]).to_str().into()),
            ("tmux_pane", "%7".into()),
            ("user", "dev".into()),
            ("host", kernel("hostname")),
            ("status", status.into()),
            ("end_reason", if let Ended(reason) = then { reason.into() } else { Value::Null }),
        ];
        for (name, value) in fields {
            if cfg!(target_os = "linux") || !value.is_null() {
                assert_eq!(manifest[name], value, "{case}: {name} of {manifest:#}");
            }
        }

        let (first, last) = expected.started.unwrap();
        assert_between(&manifest["started"], first, last, 1000, &format!("{case}: started"));
        assert_between(&manifest["updated"], before, after, 1, &format!("{case}: updated"));
        let since = &manifest["state_since"];
        if changed {
            assert_between(since, before, after, 1, &format!("{case}: state_since"));
        } else {
            assert_eq!(*since, expected.state_since, "{case}: state_since stays");
        }
        expected.state_since = since.clone();
        if ended {
            assert_between(&manifest["ended"], before, after, 1000, &format!("{case}: ended"));
            let day = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
            assert_eq!(&text(&manifest["ended"])[..10], day, "{case}: the day of the end, in local time");
        } else {
            assert!(manifest["ended"].is_null(), "{case}: ended of {manifest:#}");
        }
    }

    fn files(&self, folder: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.home.join(".claude/sessions").join(folder)) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// The one file that holds the manifest of a session.
    fn manifest(&self, id: &str, ended: bool, case: &str) -> PathBuf {
        let name = format!("{id}.json");
        let mut found: Vec<PathBuf> = Vec::new();
        let days = self
            .files("history")
            .into_iter()
            .map(|day| format!("history/{}", day.file_name().unwrap().to_str().unwrap()));
        for folder in days.chain(["active".to_owned()]) {
            let file = self.home.join(".claude/sessions").join(&folder).join(&name);
            if file.exists() {
                found.push(file);
            }
        }
        assert_eq!(found.len(), 1, "{case}: {id} has one manifest: {found:?}, active: {:?}", self.files("active"));
        let file = found.remove(0);
        assert_eq!(file.parent().unwrap().ends_with("active"), !ended, "{case}: {}", file.display());
        file
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is a text"))
}

/// What the kernel says under `/proc/sys/kernel`; nothing on macOS.
fn kernel(name: &str) -> Value {
    fs::read_to_string(format!("/proc/sys/kernel/{name}")).map_or(Value::Null, |text| text.trim().into())
}

/// The start time of a process, field 22 of its `stat`; nothing on macOS.
fn start_of(pid: u32) -> Value {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return Value::Null };
    let (_, fields) = stat.rsplit_once(')').unwrap();
    fields.split_ascii_whitespace().nth(19).unwrap().parse::<u64>().unwrap().into()
}

/// A time that was written down is cut to its precision, in milliseconds, so it may lie that much before the event.
fn assert_between(time: &Value, before: Timestamp, after: Timestamp, precision: i64, what: &str) {
    assert!(text(time).ends_with('Z'), "{what} is UTC: {time}");
    let time: Timestamp = text(time).parse().unwrap();
    let lowest = Timestamp::from_millisecond(before.as_millisecond() - precision).unwrap();
    assert!(lowest <= time && time <= after, "{what}: {time} is not between {before} and {after}");
}
