//! Text for people: lines whose colours and width fit what standard output goes to.

use std::path::Path;
use std::sync::OnceLock;

use crate::error::{Error, Exit, Result};
use crate::render::dialect::Line;
use crate::render::table::{Table, with_tilde};
use crate::render::theme::{ColorChoice, Icons, Role, use_color};
use crate::render::width::{cells, pad};
use crate::sys::{env, terminal};

/// How to write for whoever reads standard output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    /// Colours are seen.
    pub(crate) color: bool,
    /// The width of the terminal in cells; `None` where output is piped.
    pub(crate) width: Option<usize>,
}

impl Page {
    /// By `--color` (always, never, auto), the usual variables, and the terminal.
    pub(crate) fn choose(color: Option<&str>) -> Result<Page> {
        let choice = color_choice(color)?;
        let is_terminal = terminal::stdout_is_terminal();
        let variable = |name| env::text(name);
        let (no_color, forced) = (variable("NO_COLOR"), variable("CLICOLOR_FORCE"));
        let color = use_color(choice, no_color.as_deref(), forced.as_deref(), is_terminal);
        // COLUMNS is what a shell exports for programs that ask in vain.
        let columns = || env::text("COLUMNS")?.parse().ok();
        let asked = env::text("AIT_WIDTH").and_then(|width| width.parse().ok()).filter(|width| *width > 0);
        let width = asked.or_else(|| is_terminal.then(|| terminal::width().or_else(columns).unwrap_or(80)));
        Ok(Page { color, width })
    }

    /// A line without colours, for whatever reads it.
    pub(crate) fn plain() -> Page {
        Page { color: false, width: None }
    }

    /// Writes one line: what `say` puts into it, cleaned of everything that could move a cursor.
    pub(crate) fn line(self, out: &mut String, say: impl FnOnce(&mut Line)) {
        let mut line = Line::row(std::mem::take(out), self.color, Icons::Unicode, None);
        say(&mut line);
        *out = line.finish();
        out.push('\n');
    }

    /// Writes a sentence of ours behind its label: on a terminal on as many lines as its width asks for, those after the
    /// first below the sentence; in a pipe on one.
    pub(crate) fn sentence(self, out: &mut String, label: &str, text: &str) {
        let width = self.width.unwrap_or(usize::MAX);
        // Where the label takes the room that words need, they stand below it.
        let indent = if cells(label) * 3 > width { 2 } else { cells(label) + 1 };
        out.push_str(label);
        let mut used = cells(label);
        for word in text.split_whitespace() {
            let taken = cells(word);
            if used + 1 + taken > width && used > indent {
                out.push('\n');
                pad(out, 0, indent);
                used = indent;
            } else {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used += taken;
        }
        out.push('\n');
    }

    /// A list under this title: in a box on a terminal, plain lines in a pipe.
    pub(crate) fn table(self, title: &str) -> Table {
        Table::new(title, self.color, Icons::Unicode, self.width)
    }
}

/// Reads `--color`.
///
/// # Errors
/// Where it is none of its three words.
pub(crate) fn color_choice(text: Option<&str>) -> Result<ColorChoice> {
    match text {
        None => Ok(ColorChoice::Auto),
        Some(text) => {
            text.parse().map_err(|why| Error::new("reading the command line", "--color", why).exit(Exit::NotFound))
        }
    }
}

/// Puts outside text into a line, in the style of a role.
pub(crate) fn put(line: &mut Line, role: Role, text: &str) {
    line.role(role);
    line.text(text);
    line.role(Role::Plain);
}

/// Puts a path into a line, `~` for home.
pub(crate) fn put_path(line: &mut Line, path: &Path) {
    put(line, Role::Dim, &under_home(path));
}

/// A path for people, `~` for home.
pub(crate) fn under_home(path: &Path) -> String {
    static HOME: OnceLock<Option<String>> = OnceLock::new();
    let home = HOME.get_or_init(|| env::text("HOME"));
    with_tilde(&path.to_string_lossy(), home.as_deref()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(width: Option<usize>) -> String {
        let mut out = String::new();
        Page { color: false, width }.sentence(&mut out, "Risk:", "one of them loses everything it has");
        out
    }

    #[test]
    fn a_sentence_is_as_wide_as_the_terminal() {
        assert_eq!(sentence(None), "Risk: one of them loses everything it has\n");
        assert_eq!(sentence(Some(41)), "Risk: one of them loses everything it has\n");
        assert_eq!(sentence(Some(40)), "Risk: one of them loses everything it\n      has\n");
        assert_eq!(sentence(Some(16)), "Risk: one of\n      them loses\n      everything\n      it has\n");
        assert_eq!(sentence(Some(1)), "Risk:\n  one\n  of\n  them\n  loses\n  everything\n  it\n  has\n");
    }
}
