//! `ait prompt`: the segment of this folder's session. One of the fast three.

use super::Output;

/// `ait prompt`
#[derive(Clone, Debug)]
pub struct Prompt {
    /// zsh, bash, fish, tmux, starship, ansi, plain.
    pub dialect: Option<String>,
    /// The format; `AIT_FORMAT` where it is not given.
    pub format: Option<String>,
    /// The folder to speak of.
    pub dir: Option<String>,
    /// unicode, nerd, ascii.
    pub icons: Option<String>,
    /// always, never, auto.
    pub color: Option<String>,
    /// In terminal cells.
    pub max_width: Option<usize>,
}

/// Prints the segment.
pub fn run(_request: &Prompt) -> Output {
    Output::nothing()
}
