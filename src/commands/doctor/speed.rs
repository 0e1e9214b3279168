//! How long a prompt takes, and what fast commands wrote to the log.

use std::ffi::OsStr;
use std::path::PathBuf;

use jiff::Timestamp;

use super::check::{Check, Findings, PROMPTS, SLOW, Status, TOO_SLOW};
use crate::claude::settings;
use crate::commands::hooks;
use crate::context::Context;
use crate::render::elapsed;
use crate::render::format::{self, Format};
use crate::render::theme::Icons;
use crate::session::order::sort_by;
use crate::session::time::{parse_time, seconds_between};
use crate::store::event_log;
use crate::store::root::Root;
use crate::sys::{clock, process};

/// Makes a prompt, some times over.
pub(super) fn of_prompt(context: &Context, paths: &hooks::InstallPaths) -> Check {
    let mut findings = Findings::default();
    for (name, what) in [("AIT_FORMAT", "the segment"), ("AIT_STATUSLINE_FORMAT", "the status line")] {
        let Some(format) = context.variable(name) else { continue };
        if let Err(mistake) = Format::parse(&format) {
            let detail =
                format!("{name}: {}; {what} uses the default format", format::FormatError::to_string(&mistake));
            findings.add(Status::Warn, detail, Some(&format!("ait prompt --format {}", settings::quote(&format))));
        }
    }
    if let Some(Err(why)) = context.variable("AIT_ICONS").map(|name| name.parse::<Icons>()) {
        findings.add(Status::Warn, format!("AIT_ICONS: {why}"), None);
    }
    let this = context.program().unwrap_or_else(|| paths.ait.clone());
    let folder = paths.folder.clone().unwrap_or_else(|| PathBuf::from("/"));
    let words: Vec<&OsStr> = ["prompt", "--for", "plain"].iter().map(OsStr::new).collect();
    let mut times = Vec::new();
    for _ in 0..PROMPTS {
        let (done, took) = clock::timed(|| process::run(&this, &words, &[], &folder, TOO_SLOW * 4));
        match done {
            Ok(output) if output.success => times.push(took),
            Ok(output) => {
                findings.add(Status::Fail, format!("`ait prompt` exits with {:?}", output.code), None);
                break;
            }
            Err(why) => {
                findings.add(Status::Fail, format!("`ait prompt`: {why}"), None);
                break;
            }
        }
    }
    sort_by(&mut times, Ord::cmp);
    let middle = times.get(times.len() / 2).copied().unwrap_or_default();
    let took = format!("a prompt here takes {}.{:01} ms", middle.as_millis(), middle.subsec_micros() % 1000 / 100);
    if middle >= TOO_SLOW {
        let detail = format!("{took}; shells stop waiting after half a second");
        findings.add(Status::Fail, detail, Some("check for a slow disk: compare with ait prompt --dir /"));
    } else if middle >= SLOW {
        findings.add(Status::Warn, took.clone(), Some("check for a slow disk: compare with ait prompt --dir /"));
    }
    findings.check("prompt", took)
}

/// The mistakes in the configuration file.
pub(super) fn of_config(context: &Context, paths: &hooks::InstallPaths) -> Check {
    let mut findings = Findings::default();
    let config = context.config();
    for mistake in config.mistakes() {
        findings.add(Status::Warn, mistake.to_string(), Some("ait config edit"));
    }
    let fine = match &config.path {
        Some(path) if config.exists => format!("{}: no mistakes", paths.show(path)),
        _ => "no configuration file".to_owned(),
    };
    findings.check("config", fine)
}

/// The errors that fast commands wrote to the log.
pub(super) fn of_log(root: &Root, paths: &hooks::InstallPaths, now: Timestamp) -> Check {
    let mut findings = Findings::default();
    let lines = event_log::read_log(root);
    let at = |line: &String| parse_time(line.split(' ').next()?);
    let lately = lines.iter().filter(|line| at(line).is_some_and(|at| seconds_between(at, now) < 86_400)).count();
    let log = root.cache().join("log");
    if let Some(last) = lines.last().filter(|_| lately > 0) {
        let detail = format!("{lately} errors in the last day, latest: {last}");
        findings.add(Status::Warn, detail, Some(&format!("tail {}", settings::quote(&log.to_string_lossy()))));
    }
    let fine = match lines.last().and_then(at) {
        Some(last) => {
            format!(
                "{}: no error in the last day, latest {}",
                paths.show(&log),
                elapsed::Ago(seconds_between(last, now))
            )
        }
        None => "no errors of hooks, prompts or the status line".to_owned(),
    };
    findings.check("log", fine)
}
