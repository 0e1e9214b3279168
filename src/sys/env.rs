//! The environment: variables, home, the current folder, this program.
#![expect(clippy::disallowed_methods, reason = "this is the place where the environment is read")]

use std::convert::Infallible;
use std::ffi::OsString;
use std::ops::Deref;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A variable that is set and not empty.
pub fn var(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A variable that is set, even if it is empty.
pub fn set(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// A variable as text; what is not UTF-8 is replaced.
pub fn text(name: &str) -> Option<String> {
    var(name).map(|value| value.to_string_lossy().into_owned())
}

/// A variable as a path.
pub fn path(name: &str) -> Option<PathBuf> {
    var(name).map(PathBuf::from)
}

/// The arguments after the program's name. Bytes that are not UTF-8 are escaped, see [`PathArgument`].
pub fn arguments() -> Vec<String> {
    std::env::args_os().skip(1).map(|argument| escaped(argument.as_bytes())).collect()
}

/// A path on the command line. Paths are bytes, but the parser of the command line takes only text, so [`arguments`]
/// writes each byte 0x80 to 0xFF that is not UTF-8 as a character of the private use area, U+10FF80 to U+10FFFF, and this
/// type reads it back. These characters themselves are escaped byte by byte too, so every argument comes back unchanged.
#[derive(Clone, Debug)]
pub struct PathArgument(PathBuf);

impl FromStr for PathArgument {
    type Err = Infallible;

    fn from_str(argument: &str) -> Result<Self, Infallible> {
        Ok(PathArgument(PathBuf::from(OsString::from_vec(unescaped(argument)))))
    }
}

impl Deref for PathArgument {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

/// Whether an argument is not UTF-8: then only an option that takes a path can use it.
pub fn is_escaped(argument: &str) -> bool {
    argument.contains(is_escape)
}

/// An argument for a message, with what is not UTF-8 replaced.
pub fn shown(argument: &str) -> String {
    String::from_utf8_lossy(&unescaped(argument)).into_owned()
}

/// U+10FF00; the lower byte of an escape is the byte that it stands for.
const ESCAPE: u32 = 0x10_ff00;

fn is_escape(c: char) -> bool {
    u32::from(c) >= ESCAPE + 0x80
}

fn escaped(argument: &[u8]) -> String {
    let mut text = String::with_capacity(argument.len());
    let escape = |text: &mut String, bytes: &[u8]| {
        text.extend(bytes.iter().filter_map(|byte| char::from_u32(ESCAPE + u32::from(*byte))));
    };
    for chunk in argument.utf8_chunks() {
        for c in chunk.valid().chars() {
            match is_escape(c) {
                true => escape(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes()),
                false => text.push(c),
            }
        }
        escape(&mut text, chunk.invalid());
    }
    text
}

fn unescaped(argument: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(argument.len());
    for c in argument.chars() {
        match u8::try_from(u32::from(c).wrapping_sub(ESCAPE)) {
            Ok(byte) if is_escape(c) => bytes.push(byte),
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// The home folder, from `HOME` alone: looking it up in the user database would load libraries at start-up.
pub fn home() -> Option<PathBuf> {
    path("HOME").filter(|home| home.is_absolute())
}

/// The folder for configuration: `$XDG_CONFIG_HOME` if that is an absolute path, else `~/.config`. `None` without a home
/// folder.
pub fn config_home() -> Option<PathBuf> {
    let config = path("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    config.or_else(|| Some(home()?.join(".config")))
}

/// The folder for temporary files: `TMPDIR`, else the system's own.
pub fn temporary_folder() -> PathBuf {
    std::env::temp_dir()
}

/// The current folder, as the kernel sees it (symlinks resolved).
pub fn current_dir() -> Option<PathBuf> {
    std::env::current_dir().ok()
}

/// The path of this program.
pub fn this_program() -> Option<PathBuf> {
    std::env::current_exe().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_any_bytes_come_back_unchanged() {
        let private = "\u{10ff80}\u{10ffff}\u{10ff7f}\u{f8ff}";
        for bytes in [&b""[..], b"plain", "日本".as_bytes(), b"\xff\xfe/a\xc3", b"\xf4\x8f", private.as_bytes()] {
            let text = escaped(bytes);
            assert_eq!(unescaped(&text), bytes, "{text:?}");
        }
        assert_eq!(escaped("日本".as_bytes()), "日本");
        assert!(!is_escaped("日本") && is_escaped(&escaped(b"a\xff")));
        assert_eq!(shown(&escaped(b"a\xff")), "a\u{fffd}");
    }
}
