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
    /// As it is written in a manifest.
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

/// A task out of a prompt: its first line that says something. `None` for a prompt that a machine wrote.
pub fn from_prompt(prompt: &str) -> Option<String> {
    // Claude Code submits these itself when a background task ends; nobody typed them.
    if prompt.trim_start().starts_with("<task-notification>") {
        return None;
    }
    shorten(prompt)
}

/// A task out of a title, or of anything else that a person wrote: its first line that says something, cut.
pub fn shorten(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(cut(line, MAX_TAKEN).unwrap_or_else(|| line.to_owned()))
}

/// What the user set, on one line; and whether it had to be cut. Empty where it says nothing.
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
    fn the_first_line_that_says_something() {
        assert_eq!(from_prompt("\n\n  fix the login bug \nand more"), Some("fix the login bug".into()));
        assert_eq!(from_prompt(" \n\t\n"), None);
        assert_eq!(from_prompt("<task-notification>\n<task-id>x</task-id>"), None);
        assert_eq!(from_prompt("/greet Bob"), Some("/greet Bob".into()));
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
