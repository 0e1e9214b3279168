//! Text for people: lines whose colours and width fit the reader of standard output.

use std::borrow::Cow;
use std::path::Path;

use super::line::Line;
use super::style::Palette;
use super::table::Table;
use super::theme::{Icons, Role};
use super::width::{cells, pad};

/// How to write for the reader of standard output.
#[derive(Clone, Debug, Default)]
pub struct Ui {
    /// Use colours.
    pub color: bool,
    /// The width of the terminal in cells; `None` if output is piped.
    pub width: Option<usize>,
    /// The colours.
    pub palette: Palette,
    /// The set of marks.
    pub icons: Icons,
    /// The home folder, which paths show as `~`.
    pub home: Option<String>,
    /// The home folder with its symlinks resolved, as the paths in manifests have them.
    pub real_home: Option<String>,
}

impl Ui {
    /// Appends one line: what `write` puts into it, without anything that could move a cursor.
    pub fn line(&self, out: &mut String, write: impl FnOnce(&mut Line)) {
        self.line_of(out, None, write);
    }

    /// The same, cut to the width of the terminal.
    pub fn cut_line(&self, out: &mut String, write: impl FnOnce(&mut Line)) {
        self.line_of(out, self.width, write);
    }

    fn line_of(&self, out: &mut String, limit: Option<usize>, write: impl FnOnce(&mut Line)) {
        let mut write = Some(write);
        self.put_line(out, limit, &mut |line| {
            if let Some(write) = write.take() {
                write(line);
            }
        });
    }

    /// Compiled once for all lines.
    fn put_line(&self, out: &mut String, limit: Option<usize>, write: &mut dyn FnMut(&mut Line)) {
        let mut line = Line::row(std::mem::take(out), self.color, self.icons, limit);
        line.palette(self.palette);
        write(&mut line);
        *out = line.finish();
        out.push('\n');
    }

    /// Appends a sentence after its label. On a terminal it is wrapped, and continued below itself; in a pipe it is one
    /// line.
    pub fn sentence(&self, out: &mut String, label: &str, text: &str) {
        let width = self.width.unwrap_or(usize::MAX);
        // A label that takes the room of the words stands above them.
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

    /// A list with a title: in a box on a terminal, plain lines in a pipe.
    pub fn table(&self, title: &str) -> Table {
        Table::new(title, self.color, self.icons, self.width).with_palette(self.palette)
    }

    /// A path for people, with `~` for the home folder.
    pub fn path(&self, path: &Path) -> String {
        let path = path.to_string_lossy();
        let short = with_tilde(&path, self.home.as_deref());
        if short != path {
            return short.into_owned();
        }
        with_tilde(&path, self.real_home.as_deref()).into_owned()
    }

    /// Puts a path into a line.
    pub fn put_path(&self, line: &mut Line, path: &Path) {
        put(line, Role::Dim, &self.path(path));
    }
}

/// Puts text from outside into a line, in the style of a role.
pub fn put(line: &mut Line, role: Role, text: &str) {
    line.role(role);
    line.text(text);
    line.role(Role::Plain);
}

/// A path with the home folder as `~`.
pub fn with_tilde<'a>(path: &'a str, home: Option<&str>) -> Cow<'a, str> {
    let home = home.map(|home| home.trim_end_matches('/')).filter(|home| !home.is_empty());
    match home.and_then(|home| path.strip_prefix(home)) {
        Some("") => Cow::Borrowed("~"),
        Some(rest) if rest.starts_with('/') => Cow::Owned(["~", rest].concat()),
        _ => Cow::Borrowed(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(width: Option<usize>) -> String {
        let mut out = String::new();
        Ui { width, ..Ui::default() }.sentence(&mut out, "Risk:", "one of them loses everything it has");
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

    #[test]
    fn home_is_a_tilde() {
        for (path, home, wanted) in [
            ("/home/dev/x", Some("/home/dev"), "~/x"),
            ("/home/dev", Some("/home/dev/"), "~"),
            ("/home/developer", Some("/home/dev"), "/home/developer"),
            ("/home/dev/x", None, "/home/dev/x"),
            ("/x", Some("/"), "/x"),
        ] {
            assert_eq!(with_tilde(path, home), wanted);
        }
    }
}
