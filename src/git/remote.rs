//! A bare repository of ait's own, and the remote that it shares with a clone of the user.
//!
//! The clone itself is only asked for its configuration (git-config(1)): the URL of the remote and how to reach it. The
//! bare repository ignores every other setting of the user: no hooks, no templates, no background maintenance. git never
//! asks for a password or a passphrase here, uses only the protocols that git itself has, and ends at a time limit.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::sys::env;
use crate::sys::process::{Output, Run, find_program};

/// What is taken from a clone: how to reach a remote, the user's name, and how the user signs.
const KEYS: &str = r"^(remote\..*\.(url|pushurl|proxy|proxyauthmethod|uploadpack|receivepack)|url\..*|core\.sshcommand|ssh\.variant|credential\..*|http\..*|user\.(name|signingkey)|gpg\..*|extensions\.objectformat)$";
/// How long git may take to read its configuration.
const CONFIG_LIMIT: Duration = Duration::from_secs(5);
/// The name of the remote in the bare repository.
pub const REMOTE: &str = "ait";

/// Settings of every call. Values are strings of git-config(1).
const OWN_SETTINGS: [(&str, &str); 17] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.logAllRefUpdates", "false"),
    // A large blob of someone else is streamed, never held in memory.
    ("core.bigFileThreshold", "1m"),
    ("core.deltaBaseCacheLimit", "16m"),
    ("pack.threads", "1"),
    ("pack.windowMemory", "16m"),
    ("gc.auto", "0"),
    ("gc.autoDetach", "false"),
    // A bitmap says what a commit reaches. When a shallow log gets deeper, git goes by the old one, and prune deletes
    // entries of the file `shallow` that are still needed: prune_shallow() in git's shallow.c.
    ("repack.writeBitmaps", "false"),
    ("maintenance.auto", "false"),
    ("fetch.fsckObjects", "true"),
    ("fetch.writeCommitGraph", "false"),
    ("credential.interactive", "false"),
    ("advice.graftFileDeprecated", "false"),
    ("push.gpgSign", "false"),
    // Nobody is known in advance: the first key that is seen is remembered.
    ("gpg.ssh.allowedSignersFile", "/dev/null"),
];

/// The settings of a clone that concern a remote, in their order.
#[derive(Clone, Debug, Default)]
pub struct Settings(Vec<(String, String)>);

impl Settings {
    /// Asks git for the settings that are in force in a folder.
    ///
    /// # Errors
    /// If git is missing or does not answer.
    pub fn of_clone(folder: &Path) -> Result<Settings> {
        let failed = |why: io::Error| Error::new("reading the configuration of git", folder.display(), why);
        let git = find_git().map_err(failed)?;
        let arguments = ["config", "-z", "--includes", "--get-regexp", KEYS].map(OsStr::new);
        let output = Run {
            program: &git,
            arguments: &arguments,
            variables: &[("GIT_OPTIONAL_LOCKS", "0"), ("LC_ALL", "C")],
            without: super::ask::is_removed,
            folder,
            limit: CONFIG_LIMIT,
            enough: |_| false,
            max_output: 4 << 20,
        };
        let output = output.run().map_err(failed)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let pairs = text.split('\0').filter_map(|entry| entry.split_once('\n'));
        Ok(Settings(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()))
    }

    /// The last value of a key. The section and the last part of a key are in lower case.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// The names of the remotes that have a URL.
    pub fn remotes(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for (key, _) in &self.0 {
            let name = key.strip_prefix("remote.").and_then(|rest| rest.strip_suffix(".url"));
            names.extend(name.filter(|name| !names.contains(name)));
        }
        names
    }

    /// The settings for a remote, under the name [`REMOTE`]: that of the clone with this name, else a URL. Relative
    /// paths are those of `folder`.
    fn for_remote(&self, remote: &str, folder: &Path) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let prefix = format!("remote.{remote}.");
        for (key, value) in &self.0 {
            match key.strip_prefix(&prefix) {
                Some(name @ ("url" | "pushurl")) => {
                    pairs.push((format!("remote.{REMOTE}.{name}"), absolute(value, folder)));
                }
                Some(name) => pairs.push((format!("remote.{REMOTE}.{name}"), value.clone())),
                None if key.starts_with("remote.") => {}
                None => pairs.push((key.clone(), value.clone())),
            }
        }
        if !self.remotes().contains(&remote) {
            pairs.push((format!("remote.{REMOTE}.url"), absolute(remote, folder)));
        }
        pairs
    }

    /// The URL of a remote as git uses it; `None` if `remote` is neither the name of one nor a URL or path.
    pub fn url(&self, remote: &str, folder: &Path) -> Option<String> {
        let first = format!("remote.{remote}.url");
        let named = self.0.iter().find(|(key, _)| *key == first).map(|(_, url)| url.as_str());
        let url = named.or_else(|| Some(remote).filter(|url| url.contains(['/', ':']) && !url.starts_with('-')))?;
        Some(absolute(&self.expanded(url), folder))
    }

    /// A URL after the rule of `url.BASE.insteadOf` with the longest prefix, see git-config(1).
    fn expanded(&self, url: &str) -> String {
        let rules = self.0.iter().filter_map(|(key, prefix)| {
            let base = key.strip_prefix("url.")?.strip_suffix(".insteadof")?;
            Some((prefix.len(), base, url.strip_prefix(prefix.as_str())?))
        });
        let longest = rules.max_by_key(|(length, ..)| *length);
        longest.map_or_else(|| url.to_owned(), |(_, base, rest)| base.to_owned() + rest)
    }
}

/// A URL, or the absolute path for one that is relative: git resolves it from the tree's root.
fn absolute(url: &str, folder: &Path) -> String {
    let is_path = match url.split_once(':') {
        // `host:path` of ssh has no slash before its colon.
        Some((before, _)) => before.contains('/'),
        None => true,
    };
    match is_path && !url.starts_with(['/', '~']) {
        true => folder.join(url).to_string_lossy().into_owned(),
        false => url.to_owned(),
    }
}

fn find_git() -> io::Result<PathBuf> {
    find_program("git").ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "git is not in PATH"))
}

/// A bare repository of ait, with the settings of a clone.
#[derive(Clone, Debug)]
pub struct Bare {
    git: PathBuf,
    folder: PathBuf,
    settings: Vec<(String, String)>,
    ssh: Option<String>,
    is_local: bool,
}

/// One call of git.
pub struct Call<'a> {
    /// Its arguments.
    pub arguments: &'a [&'a str],
    /// Its standard input.
    pub input: &'a [u8],
    /// More variables, such as the author of a commit.
    pub variables: &'a [(&'a str, &'a str)],
    /// Its time limit.
    pub limit: Duration,
    /// The maximum size of its output in bytes; more is an error.
    pub max_output: usize,
}

impl Bare {
    /// The repository in a folder. It need not exist yet, see [`Bare::create`].
    ///
    /// # Errors
    /// If git is not in `PATH`.
    pub fn new(folder: PathBuf) -> io::Result<Bare> {
        Ok(Bare { git: find_git()?, folder, settings: Vec::new(), ssh: None, is_local: false })
    }

    /// Lets it reach a remote of a clone, whose tree is in `folder`, and sign as its user does.
    pub fn reach(&mut self, settings: &Settings, remote: &str, folder: &Path) {
        self.settings = settings.for_remote(remote, folder);
        let ssh = env::text("GIT_SSH_COMMAND").or_else(|| settings.get("core.sshcommand").map(str::to_owned));
        // Other programs (plink) have other options; without a terminal they cannot ask either.
        let is_ssh = |command: &str| {
            let program = command.split_whitespace().next().unwrap_or_default();
            matches!(program.rsplit('/').next(), Some("ssh" | "ssh.exe"))
        };
        let ssh = ssh.or_else(|| env::text("GIT_SSH").is_none().then(|| "ssh".to_owned()));
        self.ssh = ssh.map(|ssh| match is_ssh(&ssh) {
            true => ssh + " -o BatchMode=yes -o ConnectTimeout=10 -o ControlMaster=no",
            false => ssh,
        });
        self.is_local = settings.url(remote, folder).is_some_and(|url| is_file(&url));
    }

    /// Creates the repository if it does not exist. Its object format must be that of the remote.
    ///
    /// # Errors
    /// If git fails.
    pub fn create(&self) -> io::Result<()> {
        let format = self.settings.iter().find(|(key, _)| key == "extensions.objectformat");
        let object_format = format.map_or("sha1", |(_, format)| format);
        let folder = self.folder.to_string_lossy().into_owned();
        let format = format!("--object-format={object_format}");
        let arguments = ["init", "--quiet", "--bare", "--template=", "--initial-branch=none", &format, &folder];
        let output = self.call(&Call {
            arguments: &arguments,
            input: b"",
            variables: &[],
            limit: CONFIG_LIMIT,
            max_output: 1 << 16,
        })?;
        if output.success { Ok(()) } else { Err(io::Error::other(complaint(&output.stderr))) }
    }

    /// Whether the user signs commits with a key that is configured: `gpg.format` and `user.signingKey`.
    pub fn signs(&self) -> bool {
        let has = |name: &str| self.settings.iter().any(|(key, value)| key == name && !value.is_empty());
        has("gpg.format") && has("user.signingkey")
    }

    /// Runs git in the repository.
    ///
    /// # Errors
    /// If it cannot be started, or exceeds a limit. A failure of git itself is in the output.
    pub fn call(&self, call: &Call<'_>) -> io::Result<Output> {
        let git_dir = format!("--git-dir={}", self.folder.display());
        let mut arguments = vec![OsStr::new("--no-pager")];
        // `init` names its folder itself.
        if call.arguments.first() != Some(&"init") {
            arguments.push(OsStr::new(&git_dir));
        }
        arguments.extend(call.arguments.iter().map(OsStr::new));
        let own = OWN_SETTINGS.iter().map(|(key, value)| (*key, *value));
        let all: Vec<(&str, &str)> =
            self.settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).chain(own).collect();
        let numbered: Vec<(String, &str)> = (0..)
            .zip(&all)
            .flat_map(|(at, (key, value))| {
                [(format!("GIT_CONFIG_KEY_{at}"), *key), (format!("GIT_CONFIG_VALUE_{at}"), *value)]
            })
            .collect();
        let count = all.len().to_string();
        let mut variables = vec![
            ("LC_ALL", "C"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_COUNT", &count),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ASKPASS", "false"),
            ("SSH_ASKPASS", "false"),
            ("SSH_ASKPASS_REQUIRE", "never"),
            ("GCM_INTERACTIVE", "never"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh"),
        ];
        // `safe.directory` for a repository of someone else on this machine is in the user's own file.
        if !self.is_local {
            variables.push(("GIT_CONFIG_GLOBAL", "/dev/null"));
        }
        variables.extend(self.ssh.as_deref().map(|ssh| ("GIT_SSH_COMMAND", ssh)));
        variables.extend(numbered.iter().map(|(name, value)| (name.as_str(), *value)));
        variables.extend(call.variables);
        Run {
            program: &self.git,
            arguments: &arguments,
            variables: &variables,
            without: is_removed,
            folder: Path::new("/"),
            limit: call.limit,
            enough: |_| false,
            max_output: call.max_output,
        }
        .run_with_input(call.input)
    }
}

fn is_file(url: &str) -> bool {
    url.starts_with(['/', '~']) || url.starts_with("file:")
}

/// Whether a variable is removed: all of git's own, except those that locate git and say which ssh to use.
fn is_removed(name: &OsStr) -> bool {
    let kept =
        matches!(name.as_encoded_bytes(), b"GIT_EXEC_PATH" | b"GIT_SSH" | b"GIT_SSH_VARIANT" | b"GIT_CONFIG_GLOBAL");
    name.as_encoded_bytes().starts_with(b"GIT_") && !kept
}

/// The line in which git says why it failed.
pub fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let begins = |start: &'static str| text.lines().map(str::trim).find(|line| line.starts_with(start));
    // ssh says why first, git only that it cannot read.
    let by_ssh = text.lines().find(|line| line.contains(": Permission denied (") || line.starts_with("Host key verif"));
    let found =
        [" !", "!", "fatal:", "error:", "remote: fatal:", "remote: error:", "ssh:"].into_iter().find_map(begins);
    let line = by_ssh.or(found).or_else(|| text.lines().find(|line| !line.trim().is_empty())).unwrap_or("git failed");
    let line = line.trim_start_matches("fatal:").trim_start_matches("error:");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
