//! Any bytes as a JSON object that is taken apart by one walk: what the walk takes, serde_json takes apart the same; what
//! it does not take is no object to serde_json either, but for escapes in names and deep nesting.
#![no_main]

use std::fmt;

use ait::session::json_scanner;
use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Names and values, in order.
struct Pairs(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Pairs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Pairs, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(All)
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let expected = serde_json::from_str::<Pairs>(text).ok();
    ait_fuzz::bounded(|| {
        let mut found = Vec::new();
        let taken = json_scanner::each(text, |name, value| found.push((name, value)));
        match (taken, &expected) {
            (Some(()), Some(Pairs(expected))) => {
                let expected = expected.iter().map(|(name, value)| (name.as_str(), value.get()));
                assert!(found.into_iter().eq(expected), "taken apart otherwise: {text}");
            }
            (Some(()), None) => panic!("serde_json does not take {text}"),
            (None, Some(_)) => {
                let is_plain = !text.contains('\\') && text.matches(['[', '{']).count() < 60;
                assert!(!is_plain, "not taken: {text}");
            }
            (None, None) => {}
        }
    })
});
