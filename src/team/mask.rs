//! Hides text that looks like a secret: keys and tokens in branch names and tasks.
//!
//! A second line of defence only. The rules are the formats that services have published for secret scanners (such as
//! <https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns>), and four
//! general ones: a value after `password=` and the like, a password in a URL, a private key, and long runs of mixed
//! letters and digits. Considered: the `regex` crate, which makes the binary 200 KiB larger, ten times as much as this.

use crate::session::order::sort_by;
use std::borrow::Cow;

/// What a secret is replaced by.
const MASK: &str = "***";

/// Beginnings of tokens, and how many characters (letters, digits, `_`, `-`, `.`) follow at least.
const PREFIXES: [(&str, usize); 61] = [
    // Amazon, Google, Azure, DigitalOcean, Databricks
    ("AKIA", 16),
    ("ASIA", 16),
    ("ABIA", 16),
    ("ACCA", 16),
    ("AIza", 30),
    ("ya29.", 20),
    ("GOCSPX-", 20),
    ("dop_v1_", 32),
    ("doo_v1_", 32),
    ("dapi", 32),
    // GitHub, GitLab, Bitbucket, Atlassian
    ("ghp_", 30),
    ("gho_", 30),
    ("ghu_", 30),
    ("ghs_", 30),
    ("ghr_", 30),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("gldt-", 16),
    ("glrt-", 16),
    ("glptt-", 16),
    ("glcbt-", 16),
    ("ATATT3", 20),
    ("ATBB", 20),
    // Model providers
    ("sk-ant-", 16),
    ("sk-proj-", 16),
    ("sk-or-", 16),
    ("sk-", 20),
    ("hf_", 20),
    ("gsk_", 20),
    ("r8_", 20),
    // Chat, mail, payment
    ("xoxb-", 10),
    ("xoxa-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("SG.", 20),
    ("xkeysib-", 20),
    ("key-", 32),
    ("sk_live_", 10),
    ("sk_test_", 10),
    ("rk_live_", 10),
    ("rk_test_", 10),
    ("whsec_", 16),
    ("sq0atp-", 16),
    ("sq0csp-", 16),
    ("shpat_", 16),
    ("shpss_", 16),
    ("shpca_", 16),
    // Registries, infrastructure, tools
    ("npm_", 30),
    ("pypi-", 16),
    ("rubygems_", 32),
    ("dckr_pat_", 16),
    ("glsa_", 20),
    ("hvs.", 16),
    ("hvb.", 16),
    ("lin_api_", 20),
    ("figd_", 20),
    ("ntn_", 20),
    ("secret_", 20),
    ("AGE-SECRET-KEY-1", 20),
];

/// Words for a secret, in lower case: what follows them after `=` or `:` is one.
const NAMES: [&str; 10] =
    ["password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "api-key", "accountkey", "credential"];

/// A run of letters and digits of this length, with all kinds of them, is a key and not a word.
const MIXED_RUN: usize = 20;
/// So is a run of hexadecimal digits.
const HEX_RUN: usize = 32;

/// The text with `***` for everything in it that looks like a secret.
pub fn mask(text: &str) -> Cow<'_, str> {
    let mut spans = Vec::new();
    prefixed(text, &mut spans);
    assigned(text, &mut spans);
    in_urls(text, &mut spans);
    runs(text, &mut spans);
    if let Some(start) = text.find("-----BEGIN ").filter(|_| text.contains("PRIVATE KEY")) {
        spans.push((start, text.len()));
    }
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    sort_by(&mut spans, Ord::cmp);
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for (start, end) in spans {
        if start >= done {
            out.push_str(text.get(done..start).unwrap_or_default());
            out.push_str(MASK);
        }
        done = done.max(end);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// The end of the characters from `start` on that belong to a run.
fn run_end(text: &str, start: usize, belongs: impl Fn(char) -> bool) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    start + rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

fn prefixed(text: &str, spans: &mut Vec<(usize, usize)>) {
    for (prefix, length) in PREFIXES {
        for (start, _) in text.match_indices(prefix) {
            let begins = !text.get(..start).unwrap_or_default().ends_with(|c: char| c.is_ascii_alphanumeric());
            let end = run_end(text, start + prefix.len(), is_token);
            if begins && end - start >= prefix.len() + length {
                spans.push((start, end));
            }
        }
    }
    // JSON Web Tokens: two objects in base64, `{"` each.
    for (start, _) in text.match_indices("eyJ") {
        let end = run_end(text, start, is_token);
        if text.get(start..end).is_some_and(|token| token.contains(".eyJ")) {
            spans.push((start, end));
        }
    }
}

/// `password=hunter2`, `API_KEY: 12345678`, `Bearer abcdef...`
fn assigned(text: &str, spans: &mut Vec<(usize, usize)>) {
    let lower = text.to_ascii_lowercase();
    for (at, name) in NAMES.iter().flat_map(|name| lower.match_indices(name)) {
        // `secret_access_key` has more before its sign.
        let sign = run_end(text, at + name.len(), |c| is_token(c) || matches!(c, '"' | '\''));
        let rest = text.get(sign..).unwrap_or_default();
        let spaces = rest.len() - rest.trim_start().len();
        let is_equals = rest.trim_start().starts_with('=');
        if !is_equals && !rest.trim_start().starts_with(':') {
            continue;
        }
        let value = sign + spaces + 1;
        let start = run_end(text, value, |c| c.is_whitespace() || matches!(c, '"' | '\'' | '='));
        let end = run_end(text, start, |c| !c.is_whitespace() && !matches!(c, '"' | '\''));
        // After a colon there may be a sentence.
        let is_word = |value: &str| value.chars().all(|c| c.is_alphabetic() || c.is_ascii_punctuation());
        if text.get(start..end).is_some_and(|value| value.len() >= 4 && (is_equals || !is_word(value))) {
            spans.push((start, end));
        }
    }
    for (at, name) in lower.match_indices("bearer ") {
        let start = at + name.len();
        let end = run_end(text, start, |c| is_token(c) || matches!(c, '+' | '/' | '='));
        if end - start >= 16 {
            spans.push((start, end));
        }
    }
}

/// `https://user:password@host`, also a token alone: `https://token@host`.
fn in_urls(text: &str, spans: &mut Vec<(usize, usize)>) {
    for (at, sign) in text.match_indices("://") {
        let start = at + sign.len();
        let end = run_end(text, start, |c| !c.is_whitespace() && !matches!(c, '/' | '?' | '#'));
        let user = text.get(start..end).and_then(|host| host.rfind('@'));
        if let Some(length) = user.filter(|length| text.get(start..start + length) != Some("git")) {
            spans.push((start, start + length));
        }
    }
}

/// Long runs without a service's prefix.
fn runs(text: &str, spans: &mut Vec<(usize, usize)>) {
    let mut start = 0;
    while start < text.len() {
        let end = run_end(text, start, |c| c.is_ascii_alphanumeric() || matches!(c, '+' | '='));
        let run = text.get(start..end).unwrap_or_default();
        let count = |is: fn(char) -> bool| run.chars().filter(|c| is(*c)).count();
        let digits = count(|c| c.is_ascii_digit());
        let is_mixed = count(|c| c.is_ascii_uppercase()) >= 3 && count(|c| c.is_ascii_lowercase()) >= 3 && digits >= 2;
        let is_hex = run.len() >= HEX_RUN && digits >= 2 && run.chars().all(|c| c.is_ascii_hexdigit());
        if run.len() >= MIXED_RUN && is_mixed || is_hex {
            spans.push((start, end));
        }
        start = run_end(text, end, |c| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '=')));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_the_text_around_them_stays() {
        let random = "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cD1fG3hJ5";
        for (prefix, _) in PREFIXES {
            let text = format!("fix/{prefix}{random} now");
            assert_eq!(mask(&text), "fix/*** now", "{text}");
        }
        for (text, wanted) in [
            ("use password=hunter2 here", "use password=*** here"),
            ("AWS_SECRET_ACCESS_KEY = \"wJalrXUtnFEMI/K7MDENG\"", "AWS_SECRET_ACCESS_KEY = \"***\""),
            ("token: 8f14e45fceea", "token: ***"),
            ("push to https://me:pw@host/x", "push to https://***@host/x"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "***"),
            ("d41d8cd98f00b204e9800998ecf8427e", "***"),
            ("jwt eyJhbGciOiJI.eyJzdWIiOiIx.abc end", "jwt *** end"),
            ("Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer ***"),
        ] {
            assert_eq!(mask(text), wanted);
        }
    }

    #[test]
    fn ordinary_text_is_not_masked() {
        for text in [
            "feature/PROJ-1234-refactor-the-token-parser",
            "Fixing login bug: password reset sends no mail",
            "token: refresh it before it expires",
            "task-list/sk-learn-upgrade",
            "Upgrade to https://example.org/a@b",
            "ssh://git@host/x",
            "release/2026.11.27-rc1",
            "ImplementSessionCoordination",
            "日本語のタスク名 😀",
            "",
        ] {
            assert_eq!(mask(text), text);
        }
    }
}
