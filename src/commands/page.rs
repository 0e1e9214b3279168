//! Text for people: lines whose colours and width fit what standard output goes to.

use std::path::Path;

use crate::error::{Error, Exit, Result};
use crate::render::dialect::Line;
use crate::render::theme::{ColorChoice, Icons, Role, use_color};
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
        let width = if is_terminal { terminal::width().or_else(columns).or(Some(80)) } else { None };
        Ok(Page { color, width })
    }

    /// A line without colours, for whatever reads it.
    pub(crate) fn plain() -> Page {
        Page { color: false, width: None }
    }

    /// Writes one line: what `say` puts into it, cleaned of everything that could move a cursor.
    pub(crate) fn line(self, out: &mut String, say: impl FnOnce(&mut Line)) {
        out.push_str(&self.row(say).finish());
        out.push('\n');
    }

    /// A line to be put into a box.
    pub(crate) fn row(self, say: impl FnOnce(&mut Line)) -> Line {
        let mut line = Line::row(self.color, Icons::Unicode, None);
        say(&mut line);
        line
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
    match env::home().as_deref().and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}
impl Page {
    pub(crate) fn table(self, t: &str) -> crate::render::table::Table {
        crate::render::table::Table::new(t)
    }
}
