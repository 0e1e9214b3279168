//! The options on Claude Code's command line that are repeated when a session is resumed: its model, its permission mode
//! and its added folders. Never a prompt, and never an option that switches permission questions off.

/// The most words that are kept of a command line.
const MAX_WORDS: usize = 64;
/// The most bytes of one word that is kept.
const MAX_WORD: usize = 4096;
/// The permission modes that are repeated, as `claude --help` lists them. `bypassPermissions` is not.
const MODES: [&str; 6] = ["default", "acceptEdits", "plan", "auto", "dontAsk", "manual"];

/// The options of one command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartOptions {
    /// `--model` with its value.
    pub model: Option<String>,
    /// `--permission-mode` with its value.
    pub mode: Option<String>,
    /// The values of `--add-dir`, relative to the folder in which the session was started.
    pub folders: Vec<String>,
    /// The option that switched permission questions off. It is not repeated.
    pub unsafe_option: Option<&'static str>,
}

impl StartOptions {
    /// Reads the words of a command line, without the name of the program; or what [`StartOptions::words`] made of it.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> StartOptions {
        let mut options = StartOptions::default();
        let mut words = words.into_iter().take_while(|word| *word != "--").peekable();
        while let Some(word) = words.next() {
            let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            match name {
                "--dangerously-skip-permissions" | "--allow-dangerously-skip-permissions" => {
                    options.unsafe_option = Some("--dangerously-skip-permissions");
                }
                "--add-dir" => {
                    options.folders.extend(value.and_then(kept));
                    // It takes all words up to the next option.
                    while let Some(folder) = words.next_if(|word| value.is_none() && !word.starts_with('-')) {
                        options.folders.extend(kept(folder));
                    }
                }
                "--model" | "--permission-mode" => {
                    let value = value.or_else(|| words.next_if(|word| !word.starts_with('-')));
                    options.set(name, value.unwrap_or_default());
                }
                _ => {}
            }
        }
        options.folders.truncate(MAX_WORDS);
        options
    }

    fn set(&mut self, name: &str, value: &str) {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/@[]".contains(&byte);
        match name {
            "--permission-mode" if value == "bypassPermissions" => {
                self.unsafe_option = Some("--permission-mode bypassPermissions");
            }
            "--permission-mode" => self.mode = MODES.contains(&value).then(|| value.to_owned()),
            _ => self.model = kept(value).filter(|value| value.bytes().all(is_name)),
        }
    }

    /// The words that a manifest keeps. [`StartOptions::parse`] reads them back.
    pub fn words(&self) -> Vec<String> {
        let mut words = self.repeated(|_| true);
        words.extend(self.unsafe_option.into_iter().flat_map(str::split_whitespace).map(str::to_owned));
        words
    }

    /// The options to be repeated, with those folders that still exist.
    pub fn repeated(&self, exists: impl Fn(&str) -> bool) -> Vec<String> {
        let mut words = Vec::new();
        for (name, value) in [("--model", &self.model), ("--permission-mode", &self.mode)] {
            words.extend(value.iter().flat_map(|value| [name.to_owned(), value.clone()]));
        }
        // One option for each folder, so that nothing that follows is taken for another one.
        for folder in self.folders.iter().filter(|folder| exists(folder)) {
            words.push(format!("--add-dir={folder}"));
        }
        words
    }
}

fn kept(word: &str) -> Option<String> {
    // What is not UTF-8 was replaced, and names another folder by now.
    let is_kept = !word.is_empty() && word.len() <= MAX_WORD && !word.contains([char::REPLACEMENT_CHARACTER, '\0']);
    is_kept.then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeated(line: &str) -> String {
        let options = StartOptions::parse(line.split(' '));
        assert_eq!(StartOptions::parse(options.words().iter().map(String::as_str)), options, "{line}");
        options.repeated(|_| true).join(" ")
    }

    #[test]
    fn model_mode_and_folders_are_repeated_and_nothing_else() {
        for (line, wanted) in [
            ("claude", ""),
            ("claude --model opus fix", "--model opus"),
            ("claude --model=claude-opus-5[1m] --resume x", "--model claude-opus-5[1m]"),
            ("claude --permission-mode plan -c", "--permission-mode plan"),
            ("claude --add-dir ../a /b --verbose c", "--add-dir=../a --add-dir=/b"),
            ("claude --add-dir=/a --add-dir /b", "--add-dir=/a --add-dir=/b"),
            ("claude --permission-mode sudo", ""),
            ("claude --model --resume", ""),
            ("claude --model $(x)", ""),
            ("claude -- --model opus", ""),
        ] {
            assert_eq!(repeated(line), wanted, "{line}");
        }
    }

    #[test]
    fn options_without_permission_questions_are_noticed_and_left_out() {
        for line in ["claude --dangerously-skip-permissions", "claude --permission-mode bypassPermissions"] {
            assert_eq!(repeated(line), "", "{line}");
            assert!(StartOptions::parse(line.split(' ')).unsafe_option.is_some(), "{line}");
        }
        assert_eq!(StartOptions::parse("claude --model opus".split(' ')).unsafe_option, None);
    }
}
