//! The language of formats: literal text, `{token}` or `{token:20}` (at most 20 cells), `[group]` that vanishes if all its
//! tokens are empty, `\` before a literal brace, bracket or backslash, `\n` for a new line where there may be several. A bound holds for names; numbers are never cut. Runs
//! of spaces become one, and there are none at the ends.
//!
//! A format is read in one pass and never turned into a tree: reading it again while drawing costs less than the
//! allocations of a tree would.

use std::fmt;

use super::width;
use crate::error::{Error, Exit, edits};

/// The default format of a prompt: `aiterm main 45m Implementing session coordination ⚠2`.
pub const PROMPT: &str =
    "[{project} ][{branch}[|{operation}] ][{elapsed}][ {waiting}][ {task}][ {conflict}][ {moved}][{elsewhere}]";

/// The default of Claude Code's status line. It does not show that the session waits: its reader sees that.
pub const STATUS_LINE: &str = "[{project} ][{branch}[|{operation}] ][({worktree}) ][{elapsed}][ {task}][ {conflict}][ {moved}][ {hooks}]\
     [ | {model}][ | {context}][ | {cost}][ | {lines}][ | {limits}]";

/// The default of a segment about all sessions.
pub const ALL_SESSIONS: &str = "[{count} live][ {waiting}][ {conflict}]";

/// How deep groups may be nested.
pub(crate) const MAX_DEPTH: usize = 8;

/// A token of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// The name of the project.
    Project,
    /// The branch.
    Branch,
    /// A git operation in progress.
    Operation,
    /// The linked worktree.
    Worktree,
    /// How long the session has been running.
    Elapsed,
    /// The task of the session.
    Task,
    /// The state of the session as a word.
    State,
    /// The state of the session as an icon.
    Icon,
    /// The session that has waited longest, and how long.
    Waiting,
    /// What it waits for.
    WaitingFor,
    /// How many sessions can hurt each other here.
    Conflict,
    /// How many sessions are live.
    Count,
    /// The folder.
    Path,
    /// The session's id, shortened.
    Session,
    /// Where another session moved HEAD of this tree.
    Moved,
    /// The session elsewhere that is blocked, where no session works.
    Elsewhere,
    /// A warning if hooks do not run.
    Hooks,
    /// The model's name.
    Model,
    /// How much of the context is used.
    Context,
    /// The cost of the session.
    Cost,
    /// Lines added and removed.
    Lines,
    /// How much of the limits is used.
    Limits,
    /// `*` if the tree has changes, as a hook last saw it.
    Dirty,
    /// How many commits the branch is ahead of its upstream, as a hook last counted them.
    Ahead,
    /// How many it is behind.
    Behind,
    /// How many stashes the repository has.
    Stash,
    /// Name of the session.
    Name,
    /// Output style, unless it is the default.
    OutputStyle,
    /// Effort of the model.
    Effort,
    /// `thinking` if that is on.
    Thinking,
    /// Vim mode.
    Vim,
    /// Name of the agent.
    Agent,
    /// Version of Claude Code.
    Version,
    /// Tokens sent in this session.
    TokensIn,
    /// Tokens received in this session.
    TokensOut,
    /// Used context as a bar of ten cells.
    ContextBar,
    /// Dollars per hour.
    CostRate,
    /// Time until the limits are reset.
    Resets,
    /// Time until the prompt cache is cold.
    Cache,
    /// Time spent waiting for the model.
    ApiTime,
    /// How many folders were added.
    Dirs,
    /// Number of the pull request.
    Pr,
    /// The worst state of other sessions, and how many are in it.
    Others,
    /// Separator in the colours of both sides.
    Arrow,
    /// Spaces up to the width of the line.
    Fill,
}

/// Every token: its name and what it shows.
pub const TOKENS: [(&str, Token, &str); 45] = [
    ("project", Token::Project, "name of the project"),
    ("branch", Token::Branch, "branch; without a branch, the commit"),
    ("operation", Token::Operation, "git operation in progress: rebase or bisect"),
    ("worktree", Token::Worktree, "name of the linked worktree; empty in the main one"),
    ("elapsed", Token::Elapsed, "how long the session has been running: 45m"),
    ("task", Token::Task, "task of the session"),
    ("state", Token::State, "idle, working, waiting, finished, stopped, error or unknown"),
    ("icon", Token::Icon, "the state as an icon; empty when idle or unknown"),
    ("waiting", Token::Waiting, "how long the session has been waiting for you"),
    ("waiting_for", Token::WaitingFor, "what it waits for: permission, question, input"),
    ("conflict", Token::Conflict, "how many sessions share this tree or wrote the same file"),
    ("count", Token::Count, "how many sessions are live"),
    ("path", Token::Path, "folder of the session"),
    ("session", Token::Session, "first eight characters of the session's id"),
    ("moved", Token::Moved, "old and new HEAD, if another session moved it"),
    ("elsewhere", Token::Elsewhere, "without a session here: the one that waits elsewhere"),
    ("hooks", Token::Hooks, "a warning if hooks do not run"),
    ("model", Token::Model, "name of the model (status line)"),
    ("context", Token::Context, "share of the context that is used (status line)"),
    ("cost", Token::Cost, "what the session has cost, in dollars (status line)"),
    ("lines", Token::Lines, "lines added and removed (status line)"),
    ("limits", Token::Limits, "share of the five-hour and seven-day limits used"),
    ("dirty", Token::Dirty, "`*` if the tree has changes, as a hook last saw it"),
    ("ahead", Token::Ahead, "commits that the branch is ahead of its upstream"),
    ("behind", Token::Behind, "commits that the branch is behind its upstream"),
    ("stash", Token::Stash, "how many stashes the repository has (status line)"),
    ("name", Token::Name, "name of the session (status line)"),
    ("output_style", Token::OutputStyle, "output style, unless it is the default (status line)"),
    ("effort", Token::Effort, "effort of the model (status line)"),
    ("thinking", Token::Thinking, "`thinking` if that is on (status line)"),
    ("vim", Token::Vim, "vim mode (status line)"),
    ("agent", Token::Agent, "name of the agent (status line)"),
    ("version", Token::Version, "version of Claude Code (status line)"),
    ("tokens_in", Token::TokensIn, "tokens sent in this session (status line)"),
    ("tokens_out", Token::TokensOut, "tokens received in this session (status line)"),
    ("context_bar", Token::ContextBar, "used context as a bar of ten cells (status line)"),
    ("cost_rate", Token::CostRate, "dollars per hour (status line)"),
    ("resets", Token::Resets, "time until the limits are reset"),
    ("cache", Token::Cache, "time until the prompt cache is cold (status line)"),
    ("api_time", Token::ApiTime, "time spent waiting for the model (status line)"),
    ("dirs", Token::Dirs, "how many folders were added (status line)"),
    ("pr", Token::Pr, "number of the pull request (status line)"),
    ("others", Token::Others, "worst state of other sessions, and how many (status line)"),
    ("arrow", Token::Arrow, "separator in the colours of both sides"),
    ("fill", Token::Fill, "spaces up to the width of the line"),
];

impl Token {
    fn named(name: &str) -> Option<Token> {
        TOKENS.iter().find(|(known, ..)| *known == name).map(|(_, token, _)| *token)
    }
}

/// A format without mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format<'a> {
    source: &'a str,
}

/// A mistake in a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// Where it is, in characters from 1.
    pub column: usize,
    /// The mistake.
    pub what: String,
    /// What to write instead, if known.
    pub hint: Option<String>,
    source: String,
}

/// A piece of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Literal(&'a str),
    /// A token, and the most cells it may take.
    Token(Token, usize),
    Open,
    Close,
}

impl<'a> Format<'a> {
    /// Reads a format; the mistake says at which character it is.
    pub fn parse(source: &'a str) -> Result<Format<'a>, FormatError> {
        // For each open group: where it began, and whether a token is in it.
        let mut groups = [(0, false); MAX_DEPTH];
        let mut depth = 0;
        let mut pieces = Pieces { source, at: 0 };
        loop {
            let at = pieces.at;
            let Some(piece) = pieces.read() else { break };
            match piece.map_err(|fault| fault.into_error(source))? {
                Piece::Literal(_) => {
                    let open = groups.iter().take(depth).next_back();
                    let is_broken = || source.get(at..pieces.at).is_some_and(|written| line_end(written).is_some());
                    if let Some((open, _)) = open.filter(|_| is_broken()) {
                        let what = "a group ends on its line";
                        return Err(Fault::new(*open, what).hint("write `]` before `\\n`").into_error(source));
                    }
                }
                Piece::Token(..) => groups.iter_mut().take(depth).for_each(|(_, token)| *token = true),
                Piece::Open => {
                    let Some(group) = groups.get_mut(depth) else {
                        return Err(Fault::new(at, "groups are nested too deep").into_error(source));
                    };
                    *group = (at, false);
                    depth += 1;
                }
                Piece::Close => match depth.checked_sub(1).and_then(|last| Some((last, groups.get(last)?))) {
                    None => {
                        return Err(Fault::new(at, "`]` without a `[` before it")
                            .hint(r"write `\]`")
                            .into_error(source));
                    }
                    Some((_, (open, false))) => {
                        return Err(Fault::new(*open, "a group without a token would never show")
                            .hint(r"write `\[` and `\]`")
                            .into_error(source));
                    }
                    Some((last, _)) => depth = last,
                },
            }
        }
        match groups.iter().take(depth).next_back() {
            Some((open, _)) => {
                Err(Fault::new(*open, "this `[` has no matching `]`").hint(r"write `\[`").into_error(source))
            }
            None => Ok(Format { source }),
        }
    }

    /// The lines, which `\n` or a newline separates.
    pub fn lines(self) -> impl Iterator<Item = Format<'a>> {
        let mut rest = Some(self.source);
        std::iter::from_fn(move || {
            let source = rest.take()?;
            let (line, after) = match line_end(source) {
                Some((end, after)) => (source.get(..end)?, source.get(after..)),
                None => (source, None),
            };
            rest = after;
            Some(Format { source: line })
        })
    }

    /// Whether it may contain a token: its text has this in it.
    pub fn mentions(self, name: &str) -> bool {
        self.source.contains(name)
    }

    /// Whether it has this text.
    pub fn is(self, source: &str) -> bool {
        self.source == source
    }

    /// The pieces, in order.
    pub(crate) fn pieces(self) -> impl Iterator<Item = Piece<'a>> + Clone {
        let mut pieces = Pieces { source: self.source, at: 0 };
        std::iter::from_fn(move || pieces.read()?.ok())
    }
}

/// Where a line of a format ends, and where the next one begins.
fn line_end(source: &str) -> Option<(usize, usize)> {
    memchr::memchr2(b'\\', b'\n', source.as_bytes())?;
    let mut bytes = source.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\n' => return Some((at, at + 1)),
            b'\\' => {
                if let Some((_, b'n')) = bytes.next() {
                    return Some((at, at + 2));
                }
            }
            _ => {}
        }
    }
    None
}

/// Reads a format piece by piece.
#[derive(Clone)]
struct Pieces<'a> {
    source: &'a str,
    /// Bytes read so far.
    at: usize,
}

impl<'a> Pieces<'a> {
    fn read(&mut self) -> Option<Result<Piece<'a>, Fault>> {
        let at = self.at;
        let rest = self.source.get(at..).filter(|rest| !rest.is_empty())?;
        let special = |character: char| matches!(character, '{' | '}' | '[' | ']' | '\\');
        let (piece, taken) = match rest.as_bytes().first()? {
            b'[' => (Piece::Open, 1),
            b']' => (Piece::Close, 1),
            b'}' => return Some(Err(Fault::new(at, "`}` without a matching `{`").hint(r"write `\}`"))),
            b'\\' => match rest.chars().nth(1) {
                // A place for one line has a space there.
                Some('n') => (Piece::Literal(" "), 2),
                Some(escaped) if special(escaped) => (Piece::Literal(rest.get(1..2)?), 2),
                Some(other) => {
                    let what = format!("unknown escape `\\{other}`");
                    return Some(Err(Fault::new(at, what).hint(r"write `\\` for a backslash")));
                }
                None => return Some(Err(Fault::new(at, "`\\` at the end of the format").hint(r"write `\\`"))),
            },
            b'{' => {
                let Some(end) = rest.find('}') else {
                    return Some(Err(Fault::new(at, "this `{` has no matching `}`").hint(r"write `\{`")));
                };
                match token(rest.get(1..end)?, at + 1) {
                    Ok(piece) => (piece, end + 1),
                    Err(fault) => return Some(Err(fault)),
                }
            }
            _ => {
                let end = rest.find(special).unwrap_or(rest.len());
                (Piece::Literal(rest.get(..end)?), end)
            }
        };
        self.at += taken;
        Some(Ok(piece))
    }
}

/// Reads the text between braces, which begins at `at`.
fn token<'a>(inside: &str, at: usize) -> Result<Piece<'a>, Fault> {
    let (name, bound) = match inside.split_once(':') {
        Some((name, bound)) => (name, Some(bound)),
        None => (inside, None),
    };
    let Some(token) = Token::named(name) else {
        if name.is_empty() {
            return Err(Fault::new(at, "a token without a name").hint(r"write `\{` for a brace"));
        }
        let fault = Fault::new(at, format!("unknown token `{name}`"));
        return Err(match nearest(name) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint(format!("the tokens are {}", TOKENS.map(|(name, ..)| name).join(", "))),
        });
    };
    let Some(bound) = bound else { return Ok(Piece::Token(token, usize::MAX)) };
    match bound.parse::<u16>() {
        Ok(cells @ 1..) => Ok(Piece::Token(token, usize::from(cells))),
        _ => Err(Fault::new(at + name.len() + 1, format!("`{bound}` is not a width"))
            .hint(format!("write a number of cells from 1 to {}, as in `{{{name}:20}}`", u16::MAX))),
    }
}

/// A mistake whose column is not known yet.
struct Fault {
    /// In bytes from 0.
    at: usize,
    what: String,
    hint: Option<String>,
}

impl Fault {
    fn new(at: usize, what: impl Into<String>) -> Fault {
        Fault { at, what: what.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Fault {
        self.hint = Some(hint.into());
        self
    }

    fn into_error(self, source: &str) -> FormatError {
        let column = source.char_indices().take_while(|(byte, _)| *byte < self.at).count() + 1;
        FormatError { column, what: self.what, hint: self.hint, source: source.to_owned() }
    }
}

impl FormatError {
    /// The format, and below it a caret under the mistake, for a terminal. Two lines without a final newline.
    pub fn pointer(&self) -> String {
        // Character by character, so that what is not shown still has its place above the caret.
        let (mut shown, mut before) = (String::with_capacity(self.source.len()), 0);
        for (index, character) in self.source.chars().enumerate() {
            let visible = match width::visible(character.encode_utf8(&mut [0; 4])) {
                text if text.is_empty() => char::REPLACEMENT_CHARACTER.to_string(),
                text => text,
            };
            if index + 1 < self.column {
                before += width::cells(&visible);
            }
            shown.push_str(&visible);
        }
        format!("{shown}\n{:before$}^", "")
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.what)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

impl From<FormatError> for Error {
    fn from(mistake: FormatError) -> Error {
        let error = Error::new("reading the format", format_args!("column {}", mistake.column), mistake.what);
        match mistake.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
        .exit(Exit::Failed)
    }
}

/// The token whose name is nearest to `written`, if it is near enough.
fn nearest(written: &str) -> Option<&'static str> {
    if written.len() > 20 {
        return None;
    }
    let near = TOKENS.iter().map(|(name, ..)| (edits(written, name), *name)).min()?;
    (near.0 <= 1 + near.1.len() / 4).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_have_no_mistakes_and_every_token_reads() {
        for format in [PROMPT, STATUS_LINE, ALL_SESSIONS] {
            assert_eq!(Format::parse(format).map_err(|mistake| mistake.to_string()), Ok(Format { source: format }));
        }
        for (name, token, says) in TOKENS {
            let source = format!("{{{name}}}");
            assert_eq!(Format::parse(&source).unwrap().pieces().next(), Some(Piece::Token(token, usize::MAX)));
            assert!(!says.is_empty());
        }
    }

    #[test]
    fn reads_literals_tokens_groups_and_escapes() {
        let pieces: Vec<_> = Format::parse(r"a\{b[{task:20}[ {branch}]]\\").unwrap().pieces().collect();
        assert_eq!(
            pieces,
            [
                Piece::Literal("a"),
                Piece::Literal("{"),
                Piece::Literal("b"),
                Piece::Open,
                Piece::Token(Token::Task, 20),
                Piece::Open,
                Piece::Literal(" "),
                Piece::Token(Token::Branch, usize::MAX),
                Piece::Close,
                Piece::Close,
                Piece::Literal("\\"),
            ]
        );
    }

    #[test]
    fn a_newline_and_its_escape_separate_lines() {
        let lines = |source| Format::parse(source).unwrap().lines().map(|line| line.source).collect::<Vec<_>>();
        assert_eq!(lines(r"{task}\n{branch}"), ["{task}", "{branch}"]);
        assert_eq!(lines("a\n\\nb"), ["a", "", "b"]);
        assert_eq!(lines(r"a\\nb"), [r"a\\nb"]);
        assert_eq!(lines(""), [""]);
    }

    #[test]
    fn mistakes_point_at_the_character() {
        for (source, column, message) in [
            ("⚠ [x {brnch}]", 7, "unknown token `brnch`; did you mean `branch`?"),
            ("{task", 1, r"this `{` has no matching `}`; write `\{`"),
            ("a}", 2, r"`}` without a matching `{`; write `\}`"),
            ("日本]", 3, r"`]` without a `[` before it; write `\]`"),
            ("a[{task}[{branch}]", 2, r"this `[` has no matching `]`; write `\[`"),
            ("{task}[x]", 7, r"a group without a token would never show; write `\[` and `\]`"),
            (r"a\x", 2, r"unknown escape `\x`; write `\\` for a backslash"),
            ("[{task}\n]", 1, r"a group ends on its line; write `]` before `\n`"),
            (r"a[{task}\n]", 2, r"a group ends on its line; write `]` before `\n`"),
            (r"a\é", 2, r"unknown escape `\é`; write `\\` for a backslash"),
            (r"a\", 2, r"`\` at the end of the format; write `\\`"),
            ("{task:x}", 7, "`x` is not a width; write a number of cells from 1 to 65535, as in `{task:20}`"),
            ("{task:0}", 7, "`0` is not a width; write a number of cells from 1 to 65535, as in `{task:20}`"),
            ("{}", 2, r"a token without a name; write `\{` for a brace"),
            ("[[[[[[[[[{task}]]]]]]]]]", 9, "groups are nested too deep"),
        ] {
            let mistake = Format::parse(source).unwrap_err();
            assert_eq!(mistake.to_string(), format!("column {column}: {message}"), "{source}");
        }
        let far = Format::parse("{zzzzzz}").unwrap_err().to_string();
        assert!(far.contains("the tokens are project, branch, "), "{far}");
    }

    #[test]
    fn the_error_is_one_line_and_the_caret_stands_under_the_mistake() {
        let mistake = Format::parse("[{project} ]{brnch}").unwrap_err();
        assert_eq!(mistake.pointer(), "[{project} ]{brnch}\n             ^");
        assert_eq!(
            Error::from(mistake).to_string(),
            "reading the format: column 14: unknown token `brnch`; did you mean `branch`?"
        );
        assert_eq!(Format::parse("日\u{1b}]").unwrap_err().pointer(), "日\u{fffd}]\n   ^");
    }

    #[test]
    fn nothing_that_can_be_typed_is_too_much() {
        let letters = ["{", "}", "[", "]", "\\", ":", "task", "1", "é", " ", "\u{0}"];
        let mut seed = 7_u32;
        for _ in 0..20_000 {
            let mut source = String::new();
            for _ in 0..12 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                source.push_str(letters[usize::try_from(seed >> 16).unwrap() % letters.len()]);
            }
            match Format::parse(&source) {
                Ok(format) => _ = format.pieces().count(),
                Err(mistake) => assert!(mistake.column <= source.chars().count(), "{source:?}"),
            }
        }
    }
}
