//! Commands for a tmux server: which windows there are, and opening one.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::session::event::Outcome;
use crate::session::id::SessionId;
use crate::session::tmux_window::TmuxWindow;
use crate::store::active::LOCK_TIMEOUT;
use crate::store::lifecycle;
use crate::sys::process;

/// How long tmux may take to answer.
const TMUX_LIMIT: Duration = Duration::from_secs(5);

/// A tmux server.
pub(super) struct Tmux {
    program: PathBuf,
    /// `None`: the default socket, or the one that `TMUX` names.
    socket: Option<String>,
}

impl Tmux {
    /// The server with this socket.
    ///
    /// # Errors
    /// If tmux is not installed.
    pub(super) fn at(socket: Option<&str>, doing: &'static str) -> Result<Tmux> {
        let program = process::find_program("tmux").ok_or_else(|| Error::new(doing, "tmux", "not in PATH"))?;
        Ok(Tmux { program, socket: socket.map(str::to_owned) })
    }

    /// Runs a command of tmux; its output without the last line end, or `None` if it failed.
    pub(super) fn ask(&self, words: &[&str]) -> Option<String> {
        // -u: names are UTF-8, whatever the locale says.
        let server = self.socket.iter().flat_map(|socket| ["-S", socket]);
        let words: Vec<&OsStr> =
            ["-u"].into_iter().chain(server).chain(words.iter().copied()).map(OsStr::new).collect();
        let output = process::run(&self.program, &words, &[], Path::new("/"), TMUX_LIMIT).ok()?;
        output.success.then(|| String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
    }

    /// The window of a pane.
    pub(super) fn window_of(&self, pane: &str) -> Option<TmuxWindow> {
        let named = "#{?automatic-rename,,=#{window_name}}";
        let place = "#{window_index} #{session_name}";
        let answer = self.ask(&["display-message", "-p", "-t", pane, &format!("{named}\n{place}")])?;
        let (name, place) = answer.split_once('\n')?;
        let (index, session) = place.split_once(' ')?;
        let name = name.strip_prefix('=').map(str::to_owned);
        Some(TmuxWindow { session: session.to_owned(), index: index.parse().ok()?, name })
    }
}

/// The job that records the tmux window of a session, see [`record_window`].
pub(super) const RECORD_WINDOW: &str = "tmux-window";

/// Records the tmux window of a session that started. The arguments are the socket of the server, the pane and the id of
/// the session.
///
/// # Errors
/// If the manifest cannot be written.
pub(super) fn record_window(context: &Context, arguments: &[String]) -> Result<()> {
    let [socket, pane, id] = arguments else { return Ok(()) };
    let (Some(id), Ok(tmux)) = (SessionId::parse(id), Tmux::at(Some(socket), "recording a tmux window")) else {
        return Ok(());
    };
    let Some(window) = tmux.window_of(pane) else { return Ok(()) };
    lifecycle::change(context.root()?, &id, LOCK_TIMEOUT, |manifest, known| {
        let is_there = manifest.tmux_pane.as_ref() == Some(pane) && manifest.tmux_socket.as_ref() == Some(socket);
        if !known || !is_there || manifest.tmux_window.as_deref() == Some(&window) {
            return Ok((Outcome::Ignore, ()));
        }
        manifest.tmux_window = Some(Box::new(window));
        Ok((Outcome::Keep, ()))
    })
}

/// A window of a server, as [`Windows`] sees it.
struct Place {
    /// `$3`: the id of its session, which no name can be taken for.
    session: String,
    index: u32,
    name: String,
}

impl Place {
    const FORMAT: &'static str = "#{session_id} #{window_index} #{session_name}";

    fn parse(line: &str) -> Option<Place> {
        let mut words = line.splitn(3, ' ');
        let (session, index, name) = (words.next()?, words.next()?, words.next()?);
        Some(Place { session: session.to_owned(), index: index.parse().ok()?, name: name.to_owned() })
    }
}

/// The windows of a server, for opening more of them.
pub(super) struct Windows<'a> {
    tmux: &'a Tmux,
    /// The session of tmux that the command runs in.
    current: String,
    places: Vec<Place>,
    /// Sessions of tmux that were created here: the name that was asked for, and the id. tmux may change a name.
    created: Vec<(String, String)>,
}

impl<'a> Windows<'a> {
    /// Asks which windows there are. `pane` is the one that the command runs in.
    ///
    /// # Errors
    /// If tmux does not answer.
    pub(super) fn of(tmux: &'a Tmux, pane: Option<&str>, doing: &'static str) -> Result<Windows<'a>> {
        let target = pane.map_or_else(Vec::new, |pane| vec!["-t", pane]);
        let words: Vec<&str> = ["display-message", "-p"].into_iter().chain(target).chain(["#{session_id}"]).collect();
        let current = tmux.ask(&words).filter(|id| !id.is_empty());
        let listed = tmux.ask(&["list-windows", "-a", "-F", Place::FORMAT]);
        let (Some(current), Some(listed)) = (current, listed) else {
            return Err(Error::new(doing, tmux.socket.as_deref().unwrap_or("tmux"), "tmux does not answer"));
        };
        let places = listed.lines().filter_map(Place::parse).collect();
        Ok(Windows { tmux, current, places, created: Vec::new() })
    }

    /// Opens a window in the background where one was: in the session of tmux with that name, which is created if there is
    /// none, and with that number, or the next free one if another window has it. `None` stands for the current session of
    /// tmux. Returns `session:number`; `None` if tmux refused.
    pub(super) fn open(&mut self, wanted: Option<&TmuxWindow>, command: &[&str]) -> Option<String> {
        let name = wanted.and_then(|wanted| wanted.name.as_deref()).filter(|name| !name.is_empty()).map(literal);
        let name: Vec<&str> = name.iter().flat_map(|name| ["-n", name.as_str()]).collect();
        let print = ["-d", "-P", "-F", Place::FORMAT];
        let session = match wanted {
            None => Some(self.current.clone()),
            Some(wanted) => self.session(&wanted.session),
        };
        let Some(session) = session else { return self.create(wanted?, &[&print, &*name, command].concat()) };
        let free = |index: &u32| !self.places.iter().any(|place| place.session == session && place.index == *index);
        let free = wanted.map(|wanted| wanted.index).filter(free);
        let numbered = free.map(|index| format!("{session}:{index}"));
        // Without a number the next free one; also if someone took that one meanwhile.
        let opened = numbered.into_iter().chain([format!("{session}:")]).find_map(|target| {
            self.tmux.ask(&[&["new-window"], &print[..], &["-t", &target], &*name, command].concat())
        });
        Some(self.remember(Place::parse(&opened?)?))
    }

    /// The id of the session of tmux with this name.
    fn session(&self, name: &str) -> Option<String> {
        let created = self.created.iter().find(|(wanted, _)| wanted == name).map(|(_, id)| id);
        created.or_else(|| Some(&self.places.iter().find(|place| place.name == name)?.session)).cloned()
    }

    fn create(&mut self, wanted: &TmuxWindow, words: &[&str]) -> Option<String> {
        let name = literal(&wanted.session);
        let opened = self.tmux.ask(&[&["new-session", "-s", &name], words].concat())?;
        let mut place = Place::parse(&opened)?;
        self.created.push((wanted.session.clone(), place.session.clone()));
        let [from, to] = [place.index, wanted.index].map(|index| format!("{}:{index}", place.session));
        if from != to && self.tmux.ask(&["move-window", "-s", &from, "-t", &to]).is_some() {
            place.index = wanted.index;
        }
        Some(self.remember(place))
    }

    fn remember(&mut self, place: Place) -> String {
        let shown = format!("{}:{}", place.name, place.index);
        self.places.push(place);
        shown
    }
}

/// A name as tmux takes it literally: its options expand formats, which can run commands. In front of a bracket `#` means
/// itself already.
fn literal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        let is_before_bracket = name.get(at..).is_some_and(|rest| rest.trim_start_matches('#').starts_with('['));
        if c == '#' && !is_before_bracket {
            out.push('#');
        }
        out.push(c);
    }
    out
}
