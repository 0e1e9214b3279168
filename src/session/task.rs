//! The task of a session: what it is for, in the user's words.

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

/// The longest task taken from a prompt or a title, in characters.
const LONGEST: usize = 100;
/// The longest task that the user sets, in characters. It stands in every list, and in every prompt that has the room.
pub const LONGEST_SET: usize = 1_000;

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
    Some(cut(line, LONGEST).unwrap_or_else(|| line.to_owned()))
}

/// What the user set, on one line; and whether it had to be cut. Empty where it says nothing.
pub fn set(text: &str) -> (String, bool) {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match cut(&line, LONGEST_SET) {
        None => (line, false),
        Some(cut) => (cut, true),
    }
}

/// The first `most` characters; `None` where there are not more.
fn cut(line: &str, most: usize) -> Option<String> {
    let (end, _) = line.char_indices().nth(most)?;
    Some(format!("{}…", line.get(..end).unwrap_or(line).trim_end()))
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
    fn long_ones_are_cut_between_characters() {
        let task = from_prompt(&"ü".repeat(300)).unwrap();
        assert_eq!(task.chars().count(), LONGEST + 1);
        assert!(task.ends_with('…'));
        assert_eq!(set(" a\n b "), ("a b".to_owned(), false));
        assert!(!set(&"ü".repeat(LONGEST_SET)).1);
        let (task, was_cut) = set(&"ü ".repeat(LONGEST_SET));
        assert!(was_cut && task.chars().count() <= LONGEST_SET + 1 && task.ends_with("ü…"), "{task}");
    }
}
