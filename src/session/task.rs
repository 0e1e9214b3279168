//! The task of a session: what it is for, in the user's words.

use unicode_segmentation::UnicodeSegmentation;

/// Where a task came from. What the user set wins over a title, a title over a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskSource {
    /// The first line of the session's first prompt.
    Prompt,
    /// The session's title, given by `/rename`, `--name` or a hook.
    Title,
    /// `ait sessions task`.
    User,
}

impl TaskSource {
    /// Its name in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            TaskSource::Prompt => "prompt",
            TaskSource::Title => "title",
            TaskSource::User => "user",
        }
    }

    /// Reads what [`TaskSource::as_str`] wrote.
    pub fn parse(text: &str) -> Option<TaskSource> {
        [TaskSource::Prompt, TaskSource::Title, TaskSource::User].into_iter().find(|source| source.as_str() == text)
    }
}

/// The longest task taken from a prompt or a title, in graphemes.
const MAX_TAKEN: usize = 100;
/// The longest task that the user sets, in graphemes. Every list shows all of it, and every prompt that has room.
pub const MAX_SET: usize = 1_000;
/// Bytes of one grapheme, on average, above which a task is cut early: combining marks could make it endless. A family of
/// four emoji takes 25.
const MAX_GRAPHEME_BYTES: usize = 32;

/// The beginnings of prompts that Claude Code writes itself: news of background tasks, and output of local commands.
const MACHINE_PROMPTS: [&str; 6] = [
    "<task-notification>",
    "<teammate-message",
    "<system-reminder>",
    "<local-command-",
    "<bash-",
    "[Request interrupted by user",
];

/// A task out of a prompt: its first line that is not empty. `None` for a prompt that no person wrote.
pub fn from_prompt(prompt: &str) -> Option<String> {
    let prompt = prompt.trim_start();
    if MACHINE_PROMPTS.iter().any(|beginning| prompt.starts_with(beginning)) {
        return None;
    }
    if prompt.starts_with("<command-") {
        return from_command(prompt);
    }
    if prompt.contains(PASTED) { shorten(&without_pasted_tags(prompt)) } else { shorten(prompt) }
}

/// The command that a person typed, out of the form in which Claude Code keeps it:
/// `<command-name>/greet</command-name>` and `<command-args>Bob</command-args>`, in any order and among others.
fn from_command(prompt: &str) -> Option<String> {
    let inside = |name: &str| {
        let (_, rest) = prompt.split_once(&format!("<command-{name}>"))?;
        Some(rest.split_once("</command-").map_or(rest, |(inside, _)| inside).trim())
    };
    let name = inside("name")?;
    shorten(&[name, " ", inside("args").unwrap_or_default()].concat())
}

/// Part of the tags around text that was pasted into a prompt: `<pasted_content id="36ce">` and
/// `</pasted_content id="36ce">`.
const PASTED: &str = "pasted_content id=\"";

fn without_pasted_tags(prompt: &str) -> String {
    let mut text = String::with_capacity(prompt.len());
    let mut rest = prompt;
    while let Some((before, after)) = rest.split_once(PASTED) {
        let tag = before.strip_suffix("</").or_else(|| before.strip_suffix('<')).zip(after.split_once('>'));
        match tag {
            Some((before, (_, after))) => {
                text.push_str(before);
                rest = after;
            }
            // The user's own text, not a tag.
            None => {
                text.push_str(before);
                text.push_str(PASTED);
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

/// Prompts that are remembered of those that a session has scheduled.
const MAX_SCHEDULED: usize = 16;

/// The tasks that scheduled prompts would make if a person had typed them. Claude Code submits such a prompt like any other
/// and lists it before, when a turn ends.
pub fn scheduled<'a>(prompts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    prompts.into_iter().filter_map(from_prompt).take(MAX_SCHEDULED).collect()
}

/// A task out of a title, or of anything else that a person wrote: its first line that is not empty, cut.
pub fn shorten(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(cut(line, MAX_TAKEN).unwrap_or_else(|| line.to_owned()))
}

/// The task that the user set, on one line; and whether it had to be cut.
pub fn set(text: &str) -> (String, bool) {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match cut(&line, MAX_SET) {
        None => (line, false),
        Some(cut) => (cut, true),
    }
}

/// The first `max` graphemes and an ellipsis; `None` if there are no more.
fn cut(line: &str, max: usize) -> Option<String> {
    // Every grapheme takes a byte at least.
    if line.len() <= max {
        return None;
    }
    let (_, (end, _)) = line
        .grapheme_indices(true)
        .enumerate()
        .find(|(index, (start, grapheme))| *index == max || start + grapheme.len() > max * MAX_GRAPHEME_BYTES)?;
    Some(format!("{}…", line.get(..end).unwrap_or_default().trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_task_is_the_first_line_of_a_prompt_that_is_not_empty() {
        assert_eq!(from_prompt("\n\n  fix the login bug \nand more"), Some("fix the login bug".into()));
        assert_eq!(from_prompt(" \n\t\n"), None);
        assert_eq!(from_prompt("/greet Bob"), Some("/greet Bob".into()));
        assert_eq!(from_prompt("<div> is not closed"), Some("<div> is not closed".into()));
    }

    #[test]
    fn a_prompt_that_no_person_wrote_is_no_task() {
        for prompt in [
            "<task-notification>\n<task-id>x</task-id>",
            "\n<local-command-stdout>Set model</local-command-stdout>",
            "<local-command-caveat>Caveat: ...",
            "<bash-input>ls</bash-input>",
            "<teammate-message teammate_id=\"a\">done</teammate-message>",
            "<system-reminder>x</system-reminder>",
            "[Request interrupted by user for tool use]",
            "<command-message>greet</command-message>",
        ] {
            assert_eq!(from_prompt(prompt), None, "{prompt}");
        }
    }

    #[test]
    fn the_task_of_a_wrapped_command_is_what_was_typed() {
        let wrapped = "<command-message>greet is running…</command-message>\n<command-name>/greet</command-name>\n\
                       <command-args>Bob and\nAnn</command-args>";
        assert_eq!(from_prompt(wrapped), Some("/greet Bob and".into()));
        let without = "<command-name>/clear</command-name>\n<command-message>clear</command-message>\n\
                       <command-args></command-args>";
        assert_eq!(from_prompt(without), Some("/clear".into()));
        assert_eq!(from_prompt("<command-name>/cut in the midd"), Some("/cut in the midd".into()));
    }

    #[test]
    fn the_task_of_a_paste_is_its_text() {
        for (prompt, task) in [
            ("\n\n<pasted_content id=\"36ce\">\nline 0\nline 1\n</pasted_content id=\"36ce\">\n", Some("line 0")),
            ("fix this\n\n<pasted_content id=\"36ce\">\nline 0\n</pasted_content id=\"36ce\">\n", Some("fix this")),
            ("see <pasted_content id=\"36ce\">line 0</pasted_content id=\"36ce\">", Some("see line 0")),
            ("<pasted_content id=\"a\">\n \n</pasted_content id=\"a\">", None),
            ("what is pasted_content id=\"x\"?", Some("what is pasted_content id=\"x\"?")),
            ("<pasted_content id=\"cut", Some("<pasted_content id=\"cut")),
        ] {
            assert_eq!(from_prompt(prompt).as_deref(), task, "{prompt}");
        }
    }

    #[test]
    fn long_ones_are_cut_between_graphemes() {
        let task = from_prompt(&"ü".repeat(300)).unwrap();
        assert_eq!(task.chars().count(), MAX_TAKEN + 1);
        assert!(task.ends_with('…'));
        let family = "👨\u{200d}👩\u{200d}👧";
        assert_eq!(from_prompt(&family.repeat(101)), Some(format!("{}…", family.repeat(100))));
        assert_eq!(from_prompt(&family.repeat(100)), Some(family.repeat(100)));
        let endless = format!("abc{}", "\u{301}".repeat(1 << 20));
        assert_eq!(from_prompt(&endless), Some("ab…".to_owned()));
        assert_eq!(set(" a\n b "), ("a b".to_owned(), false));
        assert!(!set(&"ü".repeat(MAX_SET)).1);
        let (task, was_cut) = set(&"ü ".repeat(MAX_SET));
        assert!(was_cut && task.chars().count() <= MAX_SET + 1 && task.ends_with("ü…"), "{task}");
    }
}
