//! `ait guard`: what happens before a session writes a file that another one wrote within the hour.

use serde::Serialize;

use super::fleet::current_folder;
use super::page::{Page, put_path};
use super::{Output, fleet};
use crate::error::{Error, Exit, Result};
use crate::render::json;
use crate::store::guard::{Guard as Word, Settings};
use crate::store::place::Place;

/// `ait guard`
#[derive(Clone, Debug)]
pub struct Guard {
    /// off, tell, ask, deny; none shows what counts.
    pub word: Option<String>,
    /// For every repository that has no word of its own.
    pub user: bool,
    /// JSON.
    pub json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    guard: &'a str,
    repository: Option<String>,
    source: &'a str,
}

/// Shows what counts here, or sets it.
///
/// # Errors
/// Where the word is none of the four, or the setting cannot be read or written.
pub fn run(request: &Guard) -> Result<Output> {
    let settings = Settings::read()?;
    let place = if request.user { None } else { Some(Place::of(&current_folder()?)) };
    let repository = place.as_ref().and_then(|place| place.repository.as_deref());
    if let Some(text) = &request.word {
        let word = Word::parse(text).ok_or_else(|| {
            Error::new("reading the command line", text, "none of off, tell, ask, deny").exit(Exit::NotFound)
        })?;
        if repository.is_none() && !request.user {
            return Err(Error::new("setting the guard", fleet::current_folder()?.display(), "in no repository")
                .next(format!("type: ait guard {} --user", word.as_str())));
        }
        settings.set(repository, word)?;
    }
    let settings = Settings::read()?;
    let counts = settings.of(repository);
    let source = match (repository.and_then(|repository| settings.own(Some(repository))), settings.own(None)) {
        (Some(_), _) => "repository",
        (None, Some(_)) => "user",
        (None, None) => "default",
    };
    if request.json {
        let repository = repository.map(|repository| repository.to_string_lossy().into_owned());
        let shown = Shown { guard: counts.as_str(), repository, source };
        return Ok(Output::data(json::object(&shown).unwrap_or_default()));
    }
    let mut text = String::new();
    Page::plain().line(&mut text, |line| {
        line.own(format_args!("{}: {}, ", counts.as_str(), meaning(counts)));
        match (source, &place) {
            ("repository", Some(place)) => {
                line.literal("in every tree of ");
                line.text(&place.project());
                line.literal(" (");
                put_path(line, &place.root);
                line.literal(")");
            }
            ("user", _) => line.literal("in every repository without a word of its own"),
            _ => line.literal("because nothing else was set"),
        }
    });
    Ok(Output::data(text))
}

fn meaning(word: Word) -> &'static str {
    match word {
        Word::Off => "nothing is said",
        Word::Tell => "Claude is told before it writes what another session wrote within the hour",
        Word::Ask => "you are asked before a session writes what another wrote within the hour",
        Word::Deny => "a session may not write what another wrote within the hour",
    }
}
