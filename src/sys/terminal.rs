//! The terminal that standard output goes to, if it is one.

use std::io;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::termios::{self, InputModes, LocalModes, OptionalActions, Termios};

use super::{fd, ffi};

/// Whether standard output is a terminal.
pub fn stdout_is_terminal() -> bool {
    rustix::termios::isatty(rustix::stdio::stdout())
}

/// Whether standard input is a terminal.
pub fn stdin_is_terminal() -> bool {
    rustix::termios::isatty(rustix::stdio::stdin())
}

/// The columns and rows of the terminal behind standard output.
pub fn size() -> Option<(u16, u16)> {
    let size = termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    Some((size.ws_col, size.ws_row))
}

/// The width of the terminal behind standard output, in cells.
pub fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    (size.ws_col > 0).then(|| usize::from(size.ws_col))
}

/// Whether standard error is a terminal.
pub fn stderr_is_terminal() -> bool {
    rustix::termios::isatty(rustix::stdio::stderr())
}

/// Shows text on the current line of the terminal behind standard error, in place of what was there; `""` clears it.
pub fn show_progress(text: &str) {
    let _ = fd::write_stderr(format!("\r\x1b[K{text}").as_bytes());
}

/// Writes to the terminal that a process of this user has as its standard input.
///
/// # Errors
/// If it has none, or that cannot be told: on Linux only `/proc` names it.
pub fn write_to_terminal_of(pid: u32, bytes: &[u8]) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let terminal = rustix::fs::open(format!("/proc/{pid}/fd/0"), flags, Mode::empty())?;
    if !termios::isatty(&terminal) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    // At once or not at all: a terminal that is stopped must not stop a hook.
    rustix::io::write(&terminal, bytes)?;
    Ok(())
}

/// The whole screen of the terminal, given back as it was when dropped.
///
/// Keys come one by one and are not shown; Ctrl-C is one of them, and no signal, so that leaving is always the same. A
/// signal from elsewhere that asks this program to end is noted, and told by [`Screen::wait`].
#[derive(Debug)]
pub struct Screen {
    before: Termios,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The time is up.
    TimeUp,
    /// q, Ctrl-C, Ctrl-D, or the terminal is gone.
    Leave,
    /// A signal asks this program to end: [`end_by`] is for when the screen is given back.
    Signal(i32),
}

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Letter(char),
    /// Return.
    Enter,
    /// Escape.
    Escape,
    /// Backspace.
    Backspace,
    /// Ctrl-U.
    Clear,
    /// The arrow key, or Ctrl-P.
    Up,
    /// The arrow key, or Ctrl-N.
    Down,
    /// Ctrl-C or Ctrl-D.
    Leave,
}

/// What a wait for keys brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// These keys.
    Keys(Vec<Key>),
    /// The time is up.
    TimeUp,
    /// The terminal is gone.
    Gone,
    /// A signal asks this program to end.
    Signal(i32),
}

/// Ends this program by the signal that asked for it.
pub fn end_by(signal: i32) {
    ffi::end_by(signal);
}

/// Shows a text with a question on standard error, and reads a line. `true` if it is yes.
///
/// # Errors
/// If standard input is closed or standard error cannot be written.
pub fn ask(text: &str) -> io::Result<bool> {
    fd::write_stderr(text.as_bytes())?;
    let mut line = Vec::with_capacity(64);
    while !line.ends_with(b"\n") && line.len() < 64 {
        if rustix::io::read(rustix::stdio::stdin(), rustix::buffer::spare_capacity(&mut line))? == 0 {
            break;
        }
    }
    Ok(matches!(line.trim_ascii().to_ascii_lowercase().as_slice(), b"y" | b"yes"))
}

impl Screen {
    /// Takes the screen. Fails where standard input and output are not one.
    pub fn open() -> io::Result<Screen> {
        if !stdin_is_terminal() || !stdout_is_terminal() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "not a terminal"));
        }
        // From now on a signal must restore the terminal before it ends this program.
        ffi::record_end_signals();
        let before = termios::tcgetattr(rustix::stdio::stdin())?;
        let mut now = before.clone();
        // Ctrl-S would hold up what puts the screen back.
        now.input_modes -= InputModes::IXON;
        now.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        termios::tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, &now)?;
        let screen = Screen { before };
        // The other screen, without a cursor; what is too long for a line ends with it.
        fd::write_stdout(b"\x1b[?1049h\x1b[?25l\x1b[?7l")?;
        Ok(screen)
    }

    /// Shows a text in place of the one before: as many of its lines as fit, and how many more there are.
    pub fn show(&self, text: &str) -> io::Result<()> {
        // No rows: the size of the terminal is unknown.
        let height = size().map(|(_, rows)| usize::from(rows)).filter(|rows| *rows > 0).unwrap_or(24);
        let all = text.lines().count();
        let shown = if all > height { height - 1 } else { all };
        let mut lines: Vec<&str> = text.lines().take(shown).collect();
        let more = format!("… {} more lines; make the terminal taller, or press q to quit", all - shown);
        if all > shown {
            lines.push(&more);
        }
        // A line is cleared before it is written: afterwards, the cursor can still be on its last cell.
        let rest = if lines.len() < height { "\r\n\x1b[J" } else { "" };
        fd::write_stdout(format!("\x1b[H\x1b[K{}{rest}", lines.join("\r\n\x1b[K")).as_bytes())
    }

    /// Waits until the user wants to leave, but not longer than `limit`.
    pub fn wait(&self, limit: Duration) -> Waited {
        let deadline = Instant::now() + limit;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            match self.keys(left) {
                Typed::Keys(keys) => {
                    let leaves = |key: &Key| matches!(key, Key::Leave | Key::Letter('q' | 'Q'));
                    if keys.iter().any(leaves) {
                        return Waited::Leave;
                    }
                }
                Typed::TimeUp => break,
                Typed::Gone => return Waited::Leave,
                Typed::Signal(signal) => return Waited::Signal(signal),
            }
        }
        ffi::end_signal().map_or(Waited::TimeUp, Waited::Signal)
    }

    /// Waits for keys, but not longer than `limit`.
    pub fn keys(&self, limit: Duration) -> Typed {
        let deadline = Instant::now() + limit;
        let input = rustix::stdio::stdin();
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            // One that comes between here and the poll is seen at the end of `limit`.
            if let Some(signal) = ffi::end_signal() {
                return Typed::Signal(signal);
            }
            let left = Timespec { tv_sec: left.as_secs().try_into().unwrap_or(1), tv_nsec: left.subsec_nanos().into() };
            match rustix::event::poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&left)) {
                Ok(0) => break,
                Ok(_) => {
                    let mut bytes = Vec::with_capacity(64);
                    match rustix::io::read(input, rustix::buffer::spare_capacity(&mut bytes)) {
                        Ok(0) => return Typed::Gone,
                        Ok(_) => {
                            read_rest_of_key(&mut bytes);
                            return Typed::Keys(keys_of(&bytes));
                        }
                        Err(Errno::INTR | Errno::AGAIN) => {}
                        Err(_) => return Typed::Gone,
                    }
                }
                Err(Errno::INTR) => {}
                Err(_) => return Typed::Gone,
            }
        }
        ffi::end_signal().map_or(Typed::TimeUp, Typed::Signal)
    }
}

/// How long the rest of a key may take that came in parts, as over a slow line.
const KEY_LIMIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };

/// Reads on while the last key is incomplete and the rest follows at once.
fn read_rest_of_key(bytes: &mut Vec<u8>) {
    let input = rustix::stdio::stdin();
    while ends_within_a_key(bytes)
        && matches!(rustix::event::poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&KEY_LIMIT)), Ok(1..))
    {
        bytes.reserve(16);
        if !matches!(rustix::io::read(input, rustix::buffer::spare_capacity(bytes)), Ok(1..)) {
            break;
        }
    }
}

/// Whether more may belong to the last key: a sequence, or a character of several bytes.
fn ends_within_a_key(bytes: &[u8]) -> bool {
    let last = bytes.iter().rposition(|byte| *byte == 0x1b).map(|at| bytes.get(at + 1..).unwrap_or_default());
    let in_sequence = match last {
        Some([]) => true,
        Some([b'[' | b'O', rest @ ..]) => !rest.iter().any(|byte| matches!(byte, b'@'..=b'~')),
        _ => false,
    };
    in_sequence || std::str::from_utf8(bytes).is_err_and(|why| why.error_len().is_none())
}

/// The keys that one read brought. An escape alone is the key; with more behind it, it begins a sequence, of which only the
/// arrow keys are known.
fn keys_of(bytes: &[u8]) -> Vec<Key> {
    let text = String::from_utf8_lossy(bytes);
    let mut keys = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        keys.push(match letter {
            '\u{1b}' => match letters.next() {
                None => Key::Escape,
                // CSI or SS3: parameters, then the letter of the key.
                Some('[' | 'O') => match letters.by_ref().find(|letter| matches!(letter, '@'..='~')) {
                    Some('A') => Key::Up,
                    Some('B') => Key::Down,
                    _ => continue,
                },
                Some(_) => continue,
            },
            '\r' | '\n' => Key::Enter,
            '\u{7f}' | '\u{8}' => Key::Backspace,
            // Ctrl-C, Ctrl-D.
            '\u{3}' | '\u{4}' => Key::Leave,
            // Ctrl-P, Ctrl-N, Ctrl-U.
            '\u{10}' => Key::Up,
            '\u{e}' => Key::Down,
            '\u{15}' => Key::Clear,
            letter if letter.is_control() => continue,
            letter => Key::Letter(letter),
        });
    }
    keys
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = fd::write_stdout(b"\x1b[?7h\x1b[?25h\x1b[?1049l");
        let _ = termios::tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_came_in_parts_is_waited_for() {
        for whole in ["", "x", "\x1b[A", "\x1bOB", "\x1b[1;5A", "\x1bx", "ü日", "\x1b[Aq"] {
            assert!(!ends_within_a_key(whole.as_bytes()), "{whole:?}");
        }
        for part in [&b"\x1b"[..], b"\x1b[A\x1b", b"\x1b[", b"x\x1bO", b"\x1b[1;5", "日".as_bytes().get(..2).unwrap()]
        {
            assert!(ends_within_a_key(part), "{part:?}");
        }
    }

    #[test]
    fn keys_are_told_apart() {
        use Key::{Backspace, Clear, Down, Enter, Escape, Leave, Letter, Up};
        for (bytes, keys) in [
            (&b"\x1b"[..], vec![Escape]),
            (b"\x1b[A\x1bOB", vec![Up, Down]),
            (b"\x1b[1;5A\x1b[3~x", vec![Up, Letter('x')]),
            (b"\x1bx", vec![]),
            (b"\r\x7f\x15\x0e\x10\x03\x04", vec![Enter, Backspace, Clear, Down, Up, Leave, Leave]),
            ("ü日".as_bytes(), vec![Letter('ü'), Letter('日')]),
            (b"\0\x01", vec![]),
            (b"\x1b[", vec![]),
        ] {
            assert_eq!(keys_of(bytes), keys, "{bytes:?}");
        }
    }
}
