//! The fields of a JSON object, found by one walk over its bytes.
//!
//! Every hook takes its payload, a manifest and a record apart, and looks at a dozen of their fields. `serde_json` spends
//! thirty instructions on each byte of that, most of them on values that are not used; finding where they end takes
//! three. What is not plain (a name with escapes, nesting beyond `DEEPEST`, anything that is no JSON) is left to
//! `serde_json`, and so are all errors: `fuzz/fuzz_targets/fields.rs` compares the two.

/// Nesting that is followed; payloads have four levels at most.
const DEEPEST: u32 = 64;

/// Calls `visit` with the name of each field, and its value as it stands. `None`: the text is not plain, or no JSON
/// object; what was visited until then says nothing.
pub fn each<'a>(text: &'a str, mut visit: impl FnMut(&'a str, &'a str)) -> Option<()> {
    let bytes = text.as_bytes();
    let mut at = after_space(bytes, 0);
    at = after(bytes, at, b'{')?;
    let mut next = after_space(bytes, at);
    if after(bytes, next, b'}').is_none() {
        loop {
            let (name, value) = name(text, next)?;
            at = value_end(bytes, value)?;
            visit(name, text.get(value..at)?);
            at = after_space(bytes, at);
            match after(bytes, at, b',') {
                Some(comma) => next = after_space(bytes, comma),
                None => break,
            }
        }
        next = at;
    }
    let end = after_space(bytes, after(bytes, next, b'}')?);
    (end == bytes.len()).then_some(())
}

/// The name of a field that begins at `at`, and where its value does.
fn name(text: &str, at: usize) -> Option<(&str, usize)> {
    let bytes = text.as_bytes();
    let start = after(bytes, at, b'"')?;
    let end = special(bytes, start);
    // At an escape the name is not plain.
    let value = after_colon(bytes, after(bytes, end, b'"')?)?;
    Some((text.get(start..end)?, value))
}

fn after_colon(bytes: &[u8], at: usize) -> Option<usize> {
    Some(after_space(bytes, after(bytes, after_space(bytes, at), b':')?))
}

fn after_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

fn after(bytes: &[u8], at: usize, wanted: u8) -> Option<usize> {
    (*bytes.get(at)? == wanted).then_some(at + 1)
}

/// Where the value that begins at `at` ends. What it holds is followed without recursion: a bit for each level says
/// whether it is an object.
fn value_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut objects: u64 = 0;
    let mut depth = 0;
    'value: loop {
        at = match *bytes.get(at)? {
            b'"' => string_end(bytes, at)?,
            bracket @ (b'{' | b'[') => {
                let is_object = bracket == b'{';
                let inside = after_space(bytes, at + 1);
                match after(bytes, inside, if is_object { b'}' } else { b']' }) {
                    Some(end) => end,
                    None if depth == DEEPEST => return None,
                    None => {
                        depth += 1;
                        objects = objects << 1 | u64::from(is_object);
                        at = if is_object { after_colon(bytes, string_end(bytes, inside)?)? } else { inside };
                        continue;
                    }
                }
            }
            b't' => word_end(bytes, at, b"true")?,
            b'f' => word_end(bytes, at, b"false")?,
            b'n' => word_end(bytes, at, b"null")?,
            _ => number_end(bytes, at)?,
        };
        while depth > 0 {
            let is_object = objects & 1 == 1;
            at = after_space(bytes, at);
            if let Some(comma) = after(bytes, at, b',') {
                at = after_space(bytes, comma);
                if is_object {
                    at = after_colon(bytes, string_end(bytes, at)?)?;
                }
                continue 'value;
            }
            at = after(bytes, at, if is_object { b'}' } else { b']' })?;
            depth -= 1;
            objects >>= 1;
        }
        return Some(at);
    }
}

fn word_end(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    bytes.get(at..)?.starts_with(word).then_some(at + word.len())
}

fn number_end(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = |mut at: usize| {
        let start = at;
        while let Some(b'0'..=b'9') = bytes.get(at) {
            at += 1;
        }
        (at > start).then_some(at)
    };
    let at = after(bytes, at, b'-').unwrap_or(at);
    let mut end = after(bytes, at, b'0').or_else(|| digits(at))?;
    if let Some(point) = after(bytes, end, b'.') {
        end = digits(point)?;
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let sign = end + 1;
        end = digits(after(bytes, sign, b'-').or_else(|| after(bytes, sign, b'+')).unwrap_or(sign))?;
    }
    Some(end)
}

/// Where the string that begins with the quote at `at` ends.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = after(bytes, at, b'"')?;
    loop {
        at = special(bytes, at);
        match *bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match *bytes.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                b'u' if bytes.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
                _ => return None,
            },
            // A control character.
            _ => return None,
        }
    }
}

/// The next byte that is not simply part of a string; eight are looked at in one step.
fn special(bytes: &[u8], mut at: usize) -> usize {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*eight);
        let less_than = |word: u64, limit: u64| word.wrapping_sub(EACH * limit) & !word;
        let is = |byte: u8| less_than(word ^ (EACH * u64::from(byte)), 1);
        // The lowest of these bits is right; a higher one may come of borrowing from it.
        let found = (less_than(word, 0x20) | is(b'"') | is(b'\\')) & (EACH << 7);
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at)
        && is_plain(*byte)
    {
        at += 1;
    }
    at
}

/// Whether a byte stands for itself in a string.
pub(crate) fn is_plain(byte: u8) -> bool {
    !matches!(byte, b'"' | b'\\' | 0..0x20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Option<Vec<(&str, &str)>> {
        let mut fields = Vec::new();
        each(text, |name, value| fields.push((name, value)))?;
        Some(fields)
    }

    #[test]
    fn values_are_given_as_they_stand() {
        let text = "\u{20}{ \"a\" : \"x\\\"y\\\\\" ,\n\"bé\":[1, {\"c\": []}, {}],\"\":-0.5e+7,\"n\":null,\"t\":true,\
                    \"f\":false,\"u\":\"\\u00e9 a longer text, of more than eight bytes\"}\r\n\t";
        let wanted = [
            ("a", r#""x\"y\\""#),
            ("bé", r#"[1, {"c": []}, {}]"#),
            ("", "-0.5e+7"),
            ("n", "null"),
            ("t", "true"),
            ("f", "false"),
            ("u", r#""\u00e9 a longer text, of more than eight bytes""#),
        ];
        assert_eq!(fields(text).as_deref(), Some(&wanted[..]));
        assert_eq!(fields("{}"), Some(vec![]));
        assert_eq!(fields(" { } "), Some(vec![]));
    }

    /// It accepts only what serde_json accepts; and what it rejects is not JSON, or not plain.
    #[test]
    fn takes_what_serde_json_takes() {
        let is_json = |text: &str| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok();
        let values = [
            "1",
            "-1",
            "0",
            "01",
            "-",
            "+1",
            ".5",
            "1.",
            "1.5",
            "1e5",
            "1e",
            "1E-",
            "1E-3",
            "0x1",
            "1 2",
            "tru",
            "true",
            "nul",
            "null",
            "falsey",
            "\"",
            "\"a\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\\u1234\"",
            "\"\t\"",
            "\"\u{1}\"",
            "\"\u{7f}\"",
            "[",
            "]",
            "[]",
            "[1,]",
            "[,1]",
            "[1 1]",
            "[1,2]",
            "[1}",
            "{}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":1]",
            "{\"a\":[{\"b\":{}}]}",
            "\"0123456\n89\"",
            "\"01234567\\\"\"",
            "\"01234567\\\"",
            "'a'",
            "",
            " ",
            "//",
            "\"é\u{202e}\"",
            "NaN",
        ];
        for value in values {
            for text in [
                format!("{{\"k\":{value}}}"),
                format!("{{\"k\":[{value}]}}"),
                format!("{{\"k\":{{\"l\":{value}}},\"m\":0}}"),
                format!("{{\"k\":{value},\"m\":{value}}}"),
                format!("{{\"k\":{value}"),
                format!("{{\"k\" {value}}}"),
                format!("{{{value}}}"),
                format!("{{{value}:1}}"),
                format!("{{}}{value}"),
                value.to_owned(),
            ] {
                // A name with an escape is not plain.
                let plain = !(text.ends_with(":1}") && value.contains('\\'));
                if plain || fields(&text).is_some() {
                    assert_eq!(fields(&text).is_some(), is_json(&text), "{text}");
                }
            }
        }
    }

    #[test]
    fn deep_nesting_is_left_alone() {
        let nested = |depth: usize| format!("{{\"k\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(fields(&nested(64)).is_some());
        assert!(fields(&nested(66)).is_none());
        assert!(fields(&nested(1_000_000)).is_none());
        assert!(fields(&"{\"k\":".repeat(1000)).is_none());
    }

    #[test]
    fn a_piece_of_an_object_is_none() {
        let text = r#"{"a":"b\"c","d":[1,{"e":-1.5e3}],"f":null}"#;
        assert!((0..text.len()).all(|end| fields(&text[..end]).is_none()));
    }
}
