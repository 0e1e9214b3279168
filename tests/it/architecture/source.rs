//! The source of `src/` as tokens, without comments and unit tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A token and the first line on which it stands.
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
}

/// One file of `src/`.
pub(super) struct Source {
    /// Its path below `src/`, such as `commands/hook.rs`.
    pub(super) name: String,
    /// Its whole text.
    pub(super) text: String,
    /// Its tokens, without documentation and without items under `#[cfg(test)]`.
    pub(super) tokens: Vec<Token>,
    /// The lines on which these tokens stand: the lines of code.
    code_lines: BTreeSet<usize>,
    /// Name, line and length in lines of code of each function.
    pub(super) functions: Vec<(String, usize, usize)>,
}

impl Source {
    pub(super) fn new(name: &str, text: &str) -> Source {
        let mut source = Source {
            name: name.to_owned(),
            text: text.to_owned(),
            tokens: Vec::new(),
            code_lines: BTreeSet::new(),
            functions: Vec::new(),
        };
        source.add(text.parse().unwrap());
        source
    }

    /// The layer: the folder, or the file at the top.
    pub(super) fn layer(&self) -> &str {
        self.name.split('/').next().unwrap().trim_end_matches(".rs")
    }

    pub(super) fn code_lines(&self) -> usize {
        self.code_lines.len()
    }

    fn add(&mut self, stream: TokenStream) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while at < trees.len() {
            let skipped = skipped_by_attribute(&trees[at..]);
            if skipped > 0 {
                at += skipped;
                continue;
            }
            self.add_function(&trees[at..]);
            match &trees[at] {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    self.push(open.to_owned(), group.span_open().start().line, group.span_open().start().line);
                    self.add(group.stream());
                    self.push(close.to_owned(), group.span_close().start().line, group.span_close().start().line);
                }
                tree => self.push(tree.to_string(), tree.span().start().line, tree.span().end().line),
            }
            at += 1;
        }
    }

    fn push(&mut self, text: String, first: usize, last: usize) {
        self.code_lines.extend(first..=last);
        self.tokens.push(Token { text, line: first });
    }

    /// Notes the length of a function that begins here.
    fn add_function(&mut self, trees: &[TokenTree]) {
        let (Some(TokenTree::Ident(word)), Some(TokenTree::Ident(name))) = (trees.first(), trees.get(1)) else {
            return;
        };
        if word != "fn" {
            return;
        }
        let signature = trees.iter().take_while(|tree| tree.to_string() != ";");
        let body = signature.filter_map(|tree| match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
            _ => None,
        });
        let Some(body) = body.into_iter().next() else { return };
        let first = word.span().start().line;
        let mut inner = Source::new(&self.name, "");
        inner.add(body.stream());
        inner.code_lines.extend(first..=body.span_open().start().line);
        inner.code_lines.insert(body.span_close().start().line);
        self.functions.push((name.to_string(), first, inner.code_lines.len()));
    }

    /// The positions at which this sequence of tokens begins, such as `std::fs` or `.unwrap()`.
    pub(super) fn positions(&self, wanted: &str) -> Vec<usize> {
        let wanted = Source::new("", wanted).tokens;
        let matches = |at: &usize| {
            let found = &self.tokens[*at..];
            found.len() >= wanted.len() && found.iter().zip(&wanted).all(|(a, b)| a.text == b.text)
        };
        (0..self.tokens.len()).filter(matches).collect()
    }

    /// Where any of these sequences stands, as `src/FILE:LINE: SEQUENCE`.
    pub(super) fn uses(&self, wanted: &[&str]) -> Vec<String> {
        let place = |at: usize, wanted: &str| format!("src/{}:{}: {wanted}", self.name, self.tokens[at].line);
        wanted.iter().flat_map(|wanted| self.positions(wanted).into_iter().map(|at| place(at, wanted))).collect()
    }

    /// The module path: `["commands", "hook"]`; for `mod.rs` that of its folder.
    pub(super) fn module(&self) -> Vec<String> {
        let name = self.name.trim_end_matches(".rs");
        let name = name.strip_suffix("/mod").unwrap_or(name);
        name.split('/').map(str::to_owned).collect()
    }

    /// The paths of this crate that are named here, from the root of the crate, with their lines. `children` are the
    /// modules declared in this file.
    pub(super) fn crate_paths(&self, children: &BTreeSet<String>) -> Vec<(usize, Vec<String>)> {
        let mut found = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let follows = at >= 2 && self.tokens[at - 1].text == ":" && self.tokens[at - 2].text == ":";
            let leads = self.text_at(at + 1) == ":" && self.text_at(at + 2) == ":";
            if follows || !leads {
                continue;
            }
            let mut base = self.module();
            let mut next = at;
            match token.text.as_str() {
                "crate" => (base, next) = (Vec::new(), at + 3),
                "self" => next = at + 3,
                "super" => {
                    while self.text_at(next) == "super" {
                        base.pop();
                        next += 3;
                    }
                }
                child if children.contains(child) => {}
                _ => continue,
            }
            self.expand(next, base, &mut found);
        }
        found
    }

    fn text_at(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    /// Adds each path of a tree like `a::{b, c::d}` that begins at `at`; returns the position behind it.
    fn expand(&self, mut at: usize, mut base: Vec<String>, found: &mut Vec<(usize, Vec<String>)>) -> usize {
        let line = self.tokens.get(at).map_or(0, |token| token.line);
        loop {
            if self.text_at(at) == "{" {
                at += 1;
                while !matches!(self.text_at(at), "}" | "") {
                    at = self.expand(at, base.clone(), found);
                    at += usize::from(self.text_at(at) == ",");
                }
                return at + 1;
            }
            base.push(self.text_at(at).to_owned());
            at += 1;
            if self.text_at(at) != ":" || self.text_at(at + 1) != ":" {
                found.push((line, base));
                return at;
            }
            at += 2;
        }
    }
}

/// How many trees to skip: documentation, or an item under `#[cfg(test)]`.
fn skipped_by_attribute(trees: &[TokenTree]) -> usize {
    if trees[0].to_string() != "#" {
        return 0;
    }
    let inner = usize::from(trees.get(1).is_some_and(|tree| tree.to_string() == "!"));
    let Some(TokenTree::Group(attribute)) = trees.get(1 + inner) else { return 0 };
    let attribute = attribute.stream().to_string().replace(' ', "");
    if attribute.starts_with("doc=") {
        return 2 + inner;
    }
    if attribute != "cfg(test)" {
        return 0;
    }
    let ends = |tree: &TokenTree| match tree {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        tree => tree.to_string() == ";",
    };
    trees.iter().position(ends).map_or(trees.len(), |end| end + 1)
}

/// A path below the repository.
pub(super) fn repository(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// All files below a folder, sorted.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// All Rust files of `src/`.
pub(super) fn sources() -> Vec<Source> {
    let root = repository("src");
    let is_rust = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "rs");
    let source = |file: PathBuf| {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap();
        Source::new(name, &fs::read_to_string(&file).unwrap())
    };
    let sources: Vec<Source> = files(&root).into_iter().filter(is_rust).map(source).collect();
    assert!(sources.len() > 40, "only {} files found", sources.len());
    sources
}

/// The files that each module path stands for: several with `#[path]` under `#[cfg]`.
pub(super) fn modules(sources: &[Source]) -> BTreeMap<Vec<String>, Vec<String>> {
    let mut modules: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for source in sources {
        modules.entry(source.module()).or_default().push(source.name.clone());
        let attributes =
            source.positions("path =").into_iter().filter(|at| *at > 0 && source.tokens[at - 1].text == "[");
        for at in attributes {
            let file = source.tokens[at + 2].text.trim_matches('"').to_owned();
            let name = source.tokens[at..].iter().skip_while(|token| token.text != "mod").nth(1).unwrap();
            let folder = source.name.rsplit_once('/').map_or("", |(folder, _)| folder);
            let mut module = source.module();
            module.push(name.text.clone());
            modules.entry(module).or_default().push(format!("{folder}/{file}"));
        }
    }
    modules
}

#[test]
fn comments_strings_and_unit_tests_are_not_code() {
    let source = Source::new(
        "store/live.rs",
        r####"//! use crate::store;
/// crate::no
fn f<'a>(x: &'a str) -> char { let _ = ("crate::no", r#"unwrap "quoted""#, '\'', '"'); 'x' } // panic!()

#[cfg(test)]
use crate::render::x;
#[cfg(test)]
mod tests { fn g() { x.unwrap(); } }
use crate::error::{Error, sub::{a, b}};
fn h() {
    super::super::git::x();

    crate::{claude::y, session}; super::near();
}
"####,
    );
    let paths: Vec<String> =
        source.crate_paths(&BTreeSet::new()).into_iter().map(|(_, path)| path.join("::")).collect();
    assert_eq!(
        paths,
        ["error::Error", "error::sub::a", "error::sub::b", "git::x", "claude::y", "session", "store::near"]
    );
    assert_eq!(source.uses(&["panic!", ".unwrap()", "quoted"]), [""; 0]);
    assert_eq!(source.uses(&["fn h"]), ["src/store/live.rs:10: fn h"]);
    assert_eq!(source.functions, [("f".to_owned(), 3, 1), ("h".to_owned(), 10, 4)]);
    assert_eq!(source.code_lines(), 6);
    assert_eq!(source.layer(), "store");
}
