//! Changes one switch in the text of a configuration file; every other byte stays.

use super::keys::{Info, Value};
use super::toml::{self, Written};
use super::{Config, Mistake, position};

impl Config {
    /// The text of a file with a switch on or off: the value is replaced, or a line added after the comments at the start,
    /// where no table has begun.
    ///
    /// # Errors
    /// If the value in the file is not `true` or `false`, or a mistake in the file hides it.
    pub fn with_switch(text: &str, info: &Info, on: bool) -> Result<String, Mistake> {
        let (entries, _) = toml::parse(text);
        let mut new = text.to_owned();
        match entries.into_iter().find(|entry| entry.key == info.name) {
            Some(entry) => {
                let Written::Switch(before) = entry.value else {
                    let what = "expected true or false".to_owned();
                    return Err(Mistake::at(position(text, entry.value_at), Some(entry.key), what));
                };
                let end = entry.value_at + before.to_string().len();
                new.replace_range(entry.value_at..end, if on { "true" } else { "false" });
            }
            None => {
                let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
                let is_comment = |line: &&str| line.trim_start_matches('\u{feff}').trim_start().starts_with('#');
                let mut at: usize = text.split_inclusive('\n').take_while(is_comment).map(str::len).sum();
                // Behind the mark that some editors put at the start of a file.
                if at == 0 && text.starts_with('\u{feff}') {
                    at = '\u{feff}'.len_utf8();
                }
                let first = if at > 0 && at == text.len() && !text.ends_with('\n') { line_end } else { "" };
                new.insert_str(at, &format!("{first}{} = {on}{line_end}", info.name));
            }
        }
        match Config::parse(&new).value(info.key) {
            Some(Value::Switch(now)) if *now == on => Ok(new),
            _ => {
                let what = "a mistake in the file hides this key".to_owned();
                Err(Mistake { line: None, column: None, key: Some(info.name.to_owned()), what })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KEYS, Key};
    use super::*;

    fn on(text: &str) -> Result<String, String> {
        let info = KEYS.iter().find(|info| info.key == Key::Notify).unwrap();
        Config::with_switch(text, info, true).map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn only_the_value_changes_or_a_line_is_added_above_all_tables() {
        for (before, after) in [
            ("", "notify = true\n"),
            ("notify = false", "notify = true"),
            ("a='ü' # b\r\n\"notify\"  =false # c\r\n[x]\r\n", "a='ü' # b\r\n\"notify\"  =true # c\r\n[x]\r\n"),
            ("notify = true\n", "notify = true\n"),
            ("# mine\n# notify = false\n\n[prompt]\n", "# mine\n# notify = false\nnotify = true\n\n[prompt]\n"),
            ("# mine", "# mine\nnotify = true\n"),
            ("[prompt]\r\nmax_width = 9\r\n", "notify = true\r\n[prompt]\r\nmax_width = 9\r\n"),
            ("\u{feff}icons = 'nerd'\n", "\u{feff}notify = true\nicons = 'nerd'\n"),
            ("\u{feff}# mine\nicons = 'x'\n", "\u{feff}# mine\nnotify = true\nicons = 'x'\n"),
            ("[x]\nnotify = false\n", "notify = true\n[x]\nnotify = false\n"),
            ("icons = = 1\n", "notify = true\nicons = = 1\n"),
        ] {
            assert_eq!(on(before), Ok(after.to_owned()), "{before:?}");
        }
    }

    #[test]
    fn a_value_that_is_no_switch_is_left_to_the_user() {
        assert_eq!(on("\nnotify = 'yes'"), Err("line 2, column 10: notify: expected true or false".to_owned()));
        assert_eq!(on("notify = false x"), Err("line 1, column 10: notify: expected true or false".to_owned()));
    }
}
