//! A JSON object taken apart without decoding it: a field of an unexpected type costs that field, not the whole.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::json_scanner;
use super::time::parse_time;

/// An object as it stands: names and the JSON text of their values, in order. Nothing in it is decoded but what is asked
/// for.
pub(crate) struct RawObject<'a>(pub(crate) Vec<(Cow<'a, str>, &'a str)>);

impl<'a> RawObject<'a> {
    /// Takes an object apart.
    ///
    /// # Errors
    /// The message of serde_json if the bytes are not a JSON object.
    pub(crate) fn parse(bytes: &'a [u8]) -> serde_json::Result<RawObject<'a>> {
        let mut pairs = Vec::with_capacity(40);
        if plain(bytes, |name, value| pairs.push((Cow::Borrowed(name), value))).is_none() {
            pairs.clear();
            by_serde(bytes, &mut |name, value| pairs.push((name, value)))?;
        }
        Ok(RawObject(pairs))
    }
}

/// Calls `visit` with each field of an object as it stands; again from the first one where that turns out not to be
/// plain.
///
/// # Errors
/// The message of serde_json if the bytes are not a JSON object.
pub(crate) fn each_field<'a>(bytes: &'a [u8], mut visit: impl FnMut(&str, &'a str)) -> serde_json::Result<()> {
    match plain(bytes, &mut visit) {
        Some(()) => Ok(()),
        None => by_serde(bytes, &mut |name, value| visit(&name, value)),
    }
}

fn plain<'a>(bytes: &'a [u8], visit: impl FnMut(&'a str, &'a str)) -> Option<()> {
    json_scanner::each(std::str::from_utf8(bytes).ok()?, visit)
}

#[cold]
fn by_serde<'a>(bytes: &'a [u8], visit: &mut dyn FnMut(Cow<'a, str>, &'a str)) -> serde_json::Result<()> {
    struct Fields<'f, 'de>(&'f mut dyn FnMut(Cow<'de, str>, &'de str));
    impl<'de> Visitor<'de> for Fields<'_, 'de> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }
        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
            while let Some(name) = map.next_key::<Name<'de>>()? {
                (self.0)(name.0, map.next_value::<&RawValue>()?.get());
            }
            Ok(())
        }
    }
    let mut reader = serde_json::Deserializer::from_str(utf8(bytes)?);
    reader.deserialize_map(Fields(visit))?;
    reader.end()
}

fn utf8(bytes: &[u8]) -> serde_json::Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| serde::de::Error::custom("not UTF-8"))
}

/// `serde_json::from_slice`, by the reader of texts, so that the program contains only that one.
///
/// # Errors
/// The message of serde_json if the bytes are not JSON of this type.
pub(crate) fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> serde_json::Result<T> {
    serde_json::from_str(utf8(bytes)?)
}

/// A time.
pub(crate) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let Name(text) = Name::deserialize(deserializer)?;
    parse_time(&text).ok_or_else(|| serde::de::Error::custom("not a time"))
}

/// A name that is borrowed where it holds no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The first `max` bytes of a text, or some fewer: of what is shown in part only, and may be long.
pub(crate) fn text_start(raw: &str, max: usize) -> Option<String> {
    if raw.len() <= max {
        return text(raw);
    }
    let start = raw.get(..raw.floor_char_boundary(max))?;
    // The cut may go through an escape, or through a pair of them: of the last bytes nothing is taken from an escape on.
    let sure = start.floor_char_boundary(start.len().saturating_sub(12));
    let whole = start.get(sure..)?.find('\\').map_or(start.len(), |at| sure + at);
    let up_to = |end: usize| {
        let mut text = text(&[start.get(..end)?, "\""].concat())?;
        // Half of a pair.
        text.truncate(text.trim_end_matches('\u{fffd}').len());
        Some(text)
    };
    // That backslash may be one that the one before it stands for.
    up_to(whole).or_else(|| up_to(whole.saturating_sub(1)))
}

/// A text. If the value is not a text, serde_json would spend a microsecond on an error that is not used.
pub(crate) fn text(raw: &str) -> Option<String> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(inner.to_owned());
    }
    serde_json::from_str(raw).ok().or_else(|| serde_json::from_str(&paired(raw)).ok())
}

/// A text with U+FFFD for each surrogate that has no partner: JavaScript writes one where it cut a text within an emoji.
#[cold]
fn paired(raw: &str) -> String {
    let unit = |at: usize| u16::from_str_radix(raw.get(at..)?.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(next) = rest.find('\\') {
        let at = raw.len() - rest.len() + next;
        let (length, lone) = match (unit(at), unit(at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, false),
            (Some(0xd800..=0xdfff), _) => (6, true),
            (Some(_), _) => (6, false),
            (None, _) => (2, false),
        };
        let (before, from) = rest.split_at(next);
        let Some((escape, after)) = from.split_at_checked(length) else { break };
        out.push_str(before);
        out.push_str(if lone { "\\ufffd" } else { escape });
        rest = after;
    }
    out + rest
}

/// A whole number, or a text that holds one: the client's own registry writes start times as text.
pub(crate) fn number(raw: &str) -> Option<u64> {
    raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(raw).parse().ok()
}

/// The JSON text of each item of a list.
pub(crate) fn items(raw: &str) -> Option<Vec<&str>> {
    let items: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
    Some(items.into_iter().map(RawValue::get).collect())
}

/// True or false.
pub(crate) fn truth(raw: &str) -> Option<bool> {
    raw.parse().ok()
}

/// Puts a value that was read into its field; false if it could not be read.
pub(crate) fn take<T>(field: &mut T, value: Option<T>) -> bool {
    match value {
        Some(value) => {
            *field = value;
            true
        }
        None => false,
    }
}

/// As [`take`], for a field that may be `null`.
pub(crate) fn take_some<T>(field: &mut Option<T>, value: Option<T>, is_null: bool) -> bool {
    let taken = is_null || value.is_some();
    if taken {
        *field = value;
    }
    taken
}

/// A JSON object whose values are JSON text already, in the order in which they were put.
#[derive(Clone, Debug, Default)]
pub(crate) struct JsonFields(Vec<(String, Box<RawValue>)>);

impl JsonFields {
    /// Sets a field; one of that name is replaced where it stands.
    pub(crate) fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        let Ok(raw) = serde_json::value::to_raw_value(value) else { return };
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = raw,
            None => self.0.push((name.to_owned(), raw)),
        }
    }
}

impl FromIterator<(String, Box<RawValue>)> for JsonFields {
    fn from_iter<I: IntoIterator<Item = (String, Box<RawValue>)>>(fields: I) -> Self {
        JsonFields(fields.into_iter().collect())
    }
}

impl Serialize for JsonFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surrogate_without_its_partner_costs_one_letter() {
        for (raw, wanted) in [
            (r#""a\ud83d""#, "a\u{fffd}"),
            (r#""\ud83db\ude00\n""#, "\u{fffd}b\u{fffd}\n"),
            (r#""\ud83d\ude00 \ud83d \\ud83d é\u00e9""#, "\u{1f600} \u{fffd} \\ud83d éé"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
        ] {
            assert_eq!(text(raw).as_deref(), Some(wanted), "{raw}");
        }
        for raw in [r#""\ud83"#, r#""\"#, r#""\u12"#, r#""\x""#, r#""é\ud83dé"#] {
            assert_eq!(text(raw), None, "{raw}");
        }
    }

    #[test]
    fn the_start_of_a_text_ends_with_a_whole_letter() {
        for letter in ["a", "é", "\u{1f600}", "\\n", "\\u00e9", "\\ud83d\\ude00", "\\\\", "\\\""] {
            let raw = format!("\"{}\"", letter.repeat(100));
            let whole = text(&raw).unwrap();
            for max in 20..raw.len() + 2 {
                let start = text_start(&raw, max).unwrap();
                assert!(whole.starts_with(&start), "{letter} {max}: {start}");
                assert!(
                    start.len() + 12 * 2 >= whole.len() * max.min(raw.len()) / raw.len(),
                    "{letter} {max}: {start}"
                );
            }
        }
    }
}
