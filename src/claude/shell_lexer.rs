//! Commands as a POSIX shell reads them: enough to see which program a hook starts, and to write one that is safe.
//!
//! The crates `shlex` and `shell-words` split words too, but know neither operators nor where in the command a word
//! stands; both are needed to change one part of a command and nothing else.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

/// A word or an operator of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// A word with its quotes taken off (variables and tildes stay as they are), or the operator.
    pub(crate) text: String,
    /// Whether it is an operator: `&&`, `;`, `>`, a line break, ...
    pub(crate) operator: bool,
    /// Its bytes in the command.
    pub(crate) span: Range<usize>,
}

/// Splits a command line; `None` where a quote is never closed.
pub(crate) fn split(command: &str) -> Option<Vec<Token>> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut word: Option<Token> = None;
    let mut characters = command.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let end = at + character.len_utf8();
        let part = match character {
            ' ' | '\t' => {
                tokens.extend(word.take());
                continue;
            }
            '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => {
                let before = word.take();
                // The number in `2>file` is not a word.
                let number = matches!(character, '<' | '>')
                    && before.as_ref().is_some_and(|word| word.text.bytes().all(|byte| byte.is_ascii_digit()));
                tokens.extend(before.filter(|_| !number));
                let mut operator = Token { text: character.into(), operator: true, span: at..end };
                while let Some((at, next)) = characters
                    .next_if(|(_, next)| *next == character && character != '\n' || (character == '>' && *next == '&'))
                {
                    operator.text.push(next);
                    operator.span.end = at + 1;
                }
                tokens.push(operator);
                continue;
            }
            '#' if word.is_none() => {
                characters.by_ref().find(|(_, next)| *next == '\n');
                tokens.push(Token { text: "#".into(), operator: true, span: at..end });
                continue;
            }
            '\'' => single_quoted(&mut characters)?,
            '"' => double_quoted(&mut characters)?,
            '\\' => {
                let (at, next) = characters.next()?;
                (next.into(), at + next.len_utf8())
            }
            other => (other.into(), end),
        };
        let word = word.get_or_insert_with(|| Token { text: String::new(), operator: false, span: at..end });
        word.text.push_str(&part.0);
        word.span.end = part.1;
    }
    tokens.extend(word);
    Some(tokens)
}

/// The text up to the closing single quote, and where it ends.
fn single_quoted(characters: &mut Peekable<CharIndices>) -> Option<(String, usize)> {
    let mut inside = String::new();
    loop {
        match characters.next()? {
            (at, '\'') => return Some((inside, at + 1)),
            (_, next) => inside.push(next),
        }
    }
}

/// The text up to the closing double quote, and where it ends.
fn double_quoted(characters: &mut Peekable<CharIndices>) -> Option<(String, usize)> {
    let mut inside = String::new();
    loop {
        match characters.next()? {
            (at, '"') => return Some((inside, at + 1)),
            (_, '\\') => match characters.next()?.1 {
                next @ ('$' | '`' | '"' | '\\') => inside.push(next),
                '\n' => {}
                next => inside.extend(['\\', next]),
            },
            (_, next) => inside.push(next),
        }
    }
}

/// Text as one word, whatever it holds.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(command: &str) -> Option<Vec<String>> {
        Some(split(command)?.into_iter().map(|token| token.text).collect())
    }

    #[test]
    fn words_as_the_shell_reads_them() {
        let words = |command: &str| texts(command).unwrap();
        assert_eq!(words(r#"a 'b c'"d \"e\" \x"f\ g"#), ["a", r#"b cd "e" \xf g"#]);
        assert_eq!(
            words("[ ! -x '/a b' ] || exec '/a b' hook"),
            ["[", "!", "-x", "/a b", "]", "||", "exec", "/a b", "hook"]
        );
        assert_eq!(words("a >/dev/null 2>&1; b& # c"), ["a", ">", "/dev/null", ">&", "1", ";", "b", "&", "#"]);
        assert_eq!(words(&quote("it's $x")), ["it's $x"]);
        assert_eq!((texts("a 'b"), texts("a \"b"), texts("a \\")), (None, None, None));
        assert_eq!(words("''"), [""]);
    }

    #[test]
    fn spans_of_words_include_their_quotes() {
        let command = "é 'b c'\"d\" x";
        let spans: Vec<&str> = split(command).unwrap().iter().map(|token| &command[token.span.clone()]).collect();
        assert_eq!(spans, ["é", "'b c'\"d\"", "x"]);
    }
}
