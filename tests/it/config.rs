//! The configuration file: what it changes, what goes before it, what a mistake costs, and `ait config`.

use std::fs;
use std::path::PathBuf;

use crate::common::{Client, TestEnv};
use serde_json::json;

const ID: &str = "6425757d-2548-4fb2-9ce2-2c43e134d597";

/// A home with a session in `project`, and a configuration file.
struct Stage {
    env: TestEnv,
    client: Client,
}

impl Stage {
    fn new(config: &str) -> Stage {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("project");
        env.write_manifest(ID, client.pid(), &folder, json!({}));
        let stage = Stage { env, client };
        stage.write(config);
        stage
    }

    fn file(&self) -> PathBuf {
        self.env.path(".config/ait/config.toml")
    }

    fn write(&self, config: &str) {
        fs::create_dir_all(self.file().parent().unwrap()).unwrap();
        fs::write(self.file(), config).unwrap();
    }

    /// Runs a command in the folder of the session, with these variables.
    #[track_caller]
    fn shows(&self, variables: &[(&str, &str)], words: &[&str]) -> String {
        let ait = self.env.ait().current_dir(&self.env.path("project"));
        variables.iter().fold(ait, |ait, (name, value)| ait.env(name, value)).run_args(words).success()
    }

    fn status_line(&self, words: &[&str]) -> String {
        let payload = json!({"session_id": ID, "cwd": self.env.path("project"), "model": {"display_name": "Opus"}});
        let words = [&["statusline", "--color", "never"], words].concat();
        self.env.ait().run_with_input(&words, payload.to_string().as_bytes()).success()
    }
}

#[test]
fn each_place_has_a_format_of_its_own() {
    let stage = Stage::new(
        "prompt.format = 'P {task:5}'\ntmux.format = 'T {count}'\nstatusline.format = 'S {model}'\n[prompt]\nmax_width = 6\n",
    );
    assert_eq!(stage.shows(&[], &["prompt"]), "P Imp…");
    assert_eq!(stage.shows(&[], &["prompt", "--for", "tmux"]), "P Imp…");
    assert_eq!(stage.shows(&[], &["prompt", "--all"]), "T 1");
    assert_eq!(stage.status_line(&[]), "S Opus\n");
}

#[test]
fn an_option_goes_before_the_environment_and_this_before_the_file() {
    let stage = Stage::new("icons = 'ascii'\nprompt.format = 'file {icon}{conflict}'\nlists.width = 30\n");
    let utf8 = ("LC_ALL", "C.UTF-8");
    assert_eq!(stage.shows(&[utf8], &["prompt"]), "file");
    assert_eq!(stage.shows(&[utf8, ("AIT_FORMAT", "variable")], &["prompt"]), "variable");
    assert_eq!(stage.shows(&[utf8, ("AIT_FORMAT", "variable")], &["prompt", "--format", "option"]), "option");
    stage.write("icons = 'ascii'\nprompt.format = '{task:9}'");
    assert_eq!(stage.shows(&[utf8], &["prompt"]), "Implem...");
    assert_eq!(stage.shows(&[utf8, ("AIT_ICONS", "unicode")], &["prompt"]), "Implemen…");
    assert_eq!(stage.shows(&[utf8], &["prompt", "--icons", "unicode"]), "Implemen…");
}

#[test]
fn the_lesser_width_of_the_option_and_the_file_holds() {
    let stage = Stage::new("prompt = { format = '{task}', max_width = 9 }");
    assert_eq!(stage.shows(&[], &["prompt", "--max-width", "40"]), "Implemen…");
    assert_eq!(stage.shows(&[], &["prompt", "--max-width", "5"]), "Impl…");
}

#[test]
fn the_file_is_where_the_environment_says() {
    let stage = Stage::new("prompt.format = 'home'");
    stage.env.write_file("x/ait/config.toml", "prompt.format = 'xdg'");
    stage.env.write_file("own.toml", "prompt.format = 'own'");
    let (xdg, own) = (stage.env.path("x"), stage.env.path("own.toml"));
    let (xdg, own) = (xdg.to_str().unwrap(), own.to_str().unwrap());
    assert_eq!(stage.shows(&[], &["prompt"]), "home");
    assert_eq!(stage.shows(&[("XDG_CONFIG_HOME", xdg)], &["prompt"]), "xdg");
    assert_eq!(stage.shows(&[("XDG_CONFIG_HOME", "relative")], &["prompt"]), "home");
    assert_eq!(stage.shows(&[("XDG_CONFIG_HOME", xdg), ("AIT_CONFIG", own)], &["prompt"]), "own");
    assert!(stage.shows(&[("AIT_CONFIG", "/dev/null")], &["prompt"]).starts_with("aiterm main 45m"));
}

#[test]
fn a_mistake_costs_a_log_line_and_the_default_of_its_key_only() {
    let stage = Stage::new("icons = 'fancy'\nprompt.format = '{brnch}'\ntmux.format = 'T {count}'\nlists.width = 'x\n");
    assert!(stage.shows(&[], &["prompt"]).starts_with("aiterm main 45m"));
    assert_eq!(stage.shows(&[], &["prompt", "--all"]), "T 1");
    assert!(stage.status_line(&[]).ends_with("| Opus\n"));
    let log = stage.env.log_lines();
    assert_eq!(log.len(), 3, "{log:?}");
    assert!(log[0].contains("prompt: reading the configuration: "), "{log:?}");
    assert!(
        log[2].ends_with(
            "config.toml: line 1, column 9: icons: expected \"unicode\", \"nerd\" or \"ascii\" (and 2 more); type: ait config check"
        ),
        "{log:?}"
    );
    let doctor = stage.env.ait().run_args(&["doctor", "--json"]);
    assert!(doctor.stdout.contains("line 2, column 19: prompt.format: unknown token `brnch`"), "{}", doctor.stdout);
}

#[test]
fn a_file_of_any_kind_and_content_costs_no_prompt() {
    let stage = Stage::new("");
    let shown = stage.shows(&[], &["prompt"]);
    assert!(shown.starts_with("aiterm main 45m"));
    let huge = "#".repeat(70_000);
    for content in [&b"\xff\xfe"[..], b"a = [[[[[[[[[[[[[[[[", b"\0", b"[", huge.as_bytes(), &b"[".repeat(60_000)] {
        fs::write(stage.file(), content).unwrap();
        assert_eq!(stage.shows(&[], &["prompt"]), shown);
        let check = stage.env.ait().run_args(&["config", "check"]);
        assert_eq!(check.exit_code, Some(1), "{check:?}");
    }
    fs::remove_file(stage.file()).unwrap();
    fs::create_dir(stage.file()).unwrap();
    assert_eq!(stage.shows(&[], &["prompt"]), shown);
    fs::remove_dir(stage.file()).unwrap();
    assert!(stage.env.ait().command("mkfifo").arg(stage.file()).status().unwrap().success());
    assert_eq!(stage.shows(&[], &["prompt"]), shown);
    fs::remove_file(stage.file()).unwrap();
    assert_eq!(stage.shows(&[("AIT_CONFIG", "/does/not/exist")], &["prompt"]), shown);
    assert!(stage.env.log_lines().last().unwrap().contains("/does/not/exist: the file does not exist"));
}

#[test]
fn config_lists_each_value_with_its_source() {
    let stage = Stage::new("# mine\nguard = 'ask'\n");
    let ait = || stage.env.ait().env("AIT_FORMAT", "{task}");
    let text = ait().run_args(&["config"]).success();
    assert!(text.starts_with("~/.config/ait/config.toml: no mistakes\n"), "{text}");
    for line in [
        "guard                 ask  (line 2)",
        "prompt.format         {task}  (AIT_FORMAT)",
        "report.days           1  (default)",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
    let json = ait().run_args(&["config", "--json"]).json();
    let of =
        |key: &str| json["settings"].as_array().unwrap().iter().find(|setting| setting["key"] == key).unwrap().clone();
    assert_eq!(of("guard"), json!({"key": "guard", "value": "ask", "source": "file", "variable": null, "line": 2}));
    assert_eq!(of("prompt.format")["variable"], "AIT_FORMAT");
    assert_eq!(
        of("icons"),
        json!({"key": "icons", "value": null, "source": "default", "variable": null, "line": null})
    );
    assert_eq!(json["mistakes"], json!([]));
}

#[test]
fn the_variable_of_the_palette_goes_before_the_file_and_a_mistake_in_it_costs_a_log_line() {
    let stage = Stage::new("palette = 'deutan'\n");
    let prompt = |variables: &[(&str, &str)]| {
        stage.shows(variables, &["prompt", "--for", "ansi", "--color", "always", "--format", "{project}"])
    };
    let of_file = prompt(&[]);
    let tritan = prompt(&[("AIT_PALETTE", "tritan")]);
    assert!(of_file.contains("38;5;74") && tritan.contains("38;5;44"), "{of_file:?} {tritan:?}");
    assert_eq!(prompt(&[("AIT_PALETTE", "")]), of_file);
    stage.write("");
    let default = prompt(&[]);
    fs::remove_file(stage.file()).unwrap();
    assert_eq!(prompt(&[("AIT_PALETTE", "tritan")]), tritan, "without a file");
    assert_eq!(stage.env.log_lines(), [""; 0]);
    assert_eq!(prompt(&[("AIT_PALETTE", "gold")]), default);
    let log = stage.env.log_lines();
    assert!(log.last().unwrap().contains("AIT_PALETTE: expected default, deutan, tritan, mono"), "{log:?}");
    let ait = || stage.env.ait().env("AIT_PALETTE", "gold");
    let check = ait().run_args(&["config", "check"]);
    assert_eq!(check.exit_code, Some(1));
    assert!(check.stdout.contains("AIT_PALETTE: expected default"), "{}", check.stdout);
    let shown = ait().run_args(&["config"]).success();
    assert!(shown.contains("gold  (AIT_PALETTE)"), "{shown}");
}

#[test]
fn config_check_exits_with_1_and_names_line_column_and_what_is_allowed() {
    let stage = Stage::new("guard = 'ask'\n");
    stage.env.ait().run_args(&["config", "check"]).stdout_is("~/.config/ait/config.toml: no mistakes\n");
    stage.write("guard = ask\n\n[prompt]\nformat = '{task'\n");
    let check = stage.env.ait().run_args(&["config", "check"]);
    assert_eq!(check.exit_code, Some(1));
    assert_eq!(
        check.stdout,
        "~/.config/ait/config.toml: 2 mistakes\n  line 1, column 9: guard: expected \"off\", \"tell\", \"ask\" or \"deny\"\n  \
         line 4, column 11: prompt.format: this `{` has no matching `}`; write `\\{`\n"
    );
    let check = stage.env.ait().run_args(&["config", "check", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&check.stdout).unwrap();
    assert_eq!((json["mistakes"][1]["line"].as_u64(), json["mistakes"][1]["column"].as_u64()), (Some(4), Some(11)));
    fs::remove_file(stage.file()).unwrap();
    stage
        .env
        .ait()
        .run_args(&["config", "check"])
        .stdout_is("~/.config/ait/config.toml: does not exist; to create it, type: ait config edit\n");
}

#[test]
fn config_edit_creates_the_file_runs_the_editor_and_checks_the_result() {
    let env = TestEnv::new();
    let editor = "sh -c 'echo \"project = 7\" >> \"$1\"' -";
    let edit = |variables: &[(&str, &str)]| {
        variables.iter().fold(env.ait(), |ait, (name, value)| ait.env(name, value)).run_args(&["config", "edit"])
    };
    edit(&[("VISUAL", "true"), ("EDITOR", "false")]).stdout_is("~/.config/ait/config.toml: no mistakes\n");
    let file = env.path(".config/ait/config.toml");
    let template = fs::read_to_string(&file).unwrap();
    assert!(template.contains("# guard = \"tell\""), "{template}");
    let edited = edit(&[("EDITOR", editor)]);
    assert_eq!(edited.exit_code, Some(1), "{edited:?}");
    assert!(edited.stdout.contains("style.project: expected a text in quotes"), "{edited:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), template + "project = 7\n");
    edit(&[("EDITOR", "false")]).failure(1, "running the editor: false: exit code 1; set VISUAL or EDITOR");
}

#[test]
fn the_guard_of_the_file_is_the_last_resort_before_the_default() {
    let stage = Stage::new("guard = 'deny'\n");
    let guard = || stage.env.ait().run_args(&["guard", "--json"]).json();
    assert_eq!((guard()["guard"].as_str(), guard()["source"].as_str()), (Some("deny"), Some("configuration")));
    stage.env.ait().run_args(&["guard", "ask", "--user"]).success();
    assert_eq!((guard()["guard"].as_str(), guard()["source"].as_str()), (Some("ask"), Some("user")));
}

#[test]
fn a_report_groups_as_the_file_says() {
    let stage = Stage::new("report = { by = 'branch', days = 3 }\n");
    assert_eq!(stage.env.ait().run_args(&["report", "--json"]).json()["by"], "branch");
    assert_eq!(stage.env.ait().run_args(&["report", "--by", "day", "--json"]).json()["by"], "day");
    let days = |words: &[&str]| {
        let json = stage.env.ait().run_args(&[&["report", "--json"], words].concat()).json();
        json["from"] == json["to"]
    };
    assert!(!days(&[]) && days(&["--days", "1"]) && days(&["--from", "today"]));
}

/// The conditions of a segment: the configuration that must not be changed, and the revisions.
fn conditions(stage: &Stage) -> (Option<String>, Vec<String>) {
    let answer = stage.shows(&[("AIT_PROMPT_REUSE", "1"), ("XDG_RUNTIME_DIR", "")], &["prompt", "--for", "zsh"]);
    let unchanged = answer.lines().find(|line| line.starts_with("unchanged\t")).map(str::to_owned);
    (unchanged, answer.lines().filter(|line| line.contains("/revision\t")).map(str::to_owned).collect())
}

#[test]
fn a_segment_is_not_reused_after_the_file_was_changed() {
    let stage = Stage::new("icons = 'ascii'");
    let (unchanged, first) = conditions(&stage);
    let home = stage.env.path("");
    let home = home.to_str().unwrap().trim_end_matches('/');
    let wanted = format!("unchanged\t{home}/.config/ait/config.toml\t{home}/.cache/ait/revision");
    assert_eq!(unchanged.as_deref(), Some(wanted.as_str()));
    let set_modified = |seconds: i64| {
        let at = std::time::SystemTime::now();
        let ago = std::time::Duration::from_secs(seconds.unsigned_abs());
        let at = if seconds < 0 { at - ago } else { at + ago };
        fs::File::options().write(true).open(stage.file()).unwrap().set_modified(at).unwrap();
    };
    set_modified(-100);
    assert_eq!(conditions(&stage), (Some(wanted.clone()), first.clone()), "nothing was changed");
    // Newer than the revision, as after an edit: the revision is made newer than it, once.
    std::thread::sleep(std::time::Duration::from_millis(20));
    set_modified(0);
    let (unchanged, second) = conditions(&stage);
    assert_eq!(unchanged.as_deref(), Some(wanted.as_str()));
    assert_ne!(first, second);
    // No revision could be newer than that.
    set_modified(1000);
    assert_eq!(conditions(&stage), (None, second));
    fs::remove_file(stage.file()).unwrap();
    assert_eq!(conditions(&stage).0, None);
}

#[test]
fn a_palette_and_styles_colour_the_segment_in_each_dialect() {
    let stage = Stage::new(
        "palette = 'mono'\nprompt.format = '{project} {branch} {task:4}'\n[style]\nbranch = 'bright-blue on #102030'\ntask = '208'\n",
    );
    let shown = |dialect: &str| {
        stage.shows(&[("LC_ALL", "C.UTF-8")], &["prompt", "--for", dialect, "--color", "always"]).replace('\u{1b}', "^")
    };
    assert_eq!(shown("ansi"), "^[1maiterm^[22m ^[48;2;16;32;48;94mmain^[39;49m ^[38;5;208mImp…^[39m");
    assert_eq!(shown("zsh"), "%Baiterm%b %F{12}%K{#102030}main%f%k %F{208}Imp…%f");
    let tmux = "#[bold]aiterm#[nobold] #[fg=brightblue,bg=#102030]main#[fg=default,bg=default] #[fg=colour208]Imp…#[fg=default]";
    assert_eq!(shown("tmux"), tmux);
    stage.write("palette = 'sunset'\nstyle.branch = 'blod'\nstyle.brnch = 'bold'\nthresholds.context = [90, 70]\n");
    let check = stage.env.ait().run_args(&["config", "check"]).stdout;
    for wanted in [
        "line 1, column 11: palette: expected \"default\", \"deutan\", \"tritan\" or \"mono\"",
        "line 2, column 16: style.branch: `blod` is not a style; write words such as bold, dim,",
        "line 3, column 1: style.brnch: no such token; did you mean `branch`?",
        "line 4, column 22: thresholds.context: expected two percentages, the lower first, as in [70, 90]",
    ] {
        assert!(check.contains(wanted), "{wanted}\n{check}");
    }
}

#[test]
fn single_icons_are_replaced_escaped_and_checked() {
    let stage =
        Stage::new("icons = 'ascii'\nprompt.format = '{icon} {conflict}'\n[icon]\nwaiting = '%#$`'\nconflict = '日'\n");
    let blocked = json!({"state": "waiting", "waiting_for": "permission", "state_since": "2025-12-01T00:00:00Z"});
    stage.env.write_manifest(ID, stage.client.pid(), &stage.env.path("project"), blocked);
    let other = stage.env.write_manifest("other", stage.client.pid(), &stage.env.path("project"), json!({}));
    let shown = |dialect: &str| {
        let words = ["prompt", "--for", dialect, "--color", "never"];
        stage.shows(&[("LC_ALL", "C.UTF-8")], &words)
    };
    assert_eq!(shown("plain"), "%#$` 日2");
    assert_eq!(shown("zsh"), "%%#$%{%}' 日2");
    assert_eq!(shown("tmux"), "%###[]$` 日2");
    drop(other);
    let text = stage.shows(&[], &["config"]);
    assert!(text.contains("\nicon.waiting          %#$`  (line 4)\n"), "{text}");
    let json = stage.env.ait().run_args(&["config", "--json"]).json();
    let last = json["settings"].as_array().unwrap().last().unwrap();
    assert_eq!(last, &json!({"key": "icon.conflict", "value": "日", "source": "file", "variable": null, "line": 5}));
    stage.write("[icon]\nwating = 'x'\nerror = \"\\u001b[31m\"\nmoved = ''\nahead = 'abcde'\nbehind = 1\nworking = '\u{202e}'\n");
    let check = stage.env.ait().run_args(&["config", "check"]).stdout;
    let refused = "expected a text of 1 to 4 visible characters in quotes";
    assert!(
        check.contains("line 2, column 1: icon.wating: no such icon; one of conflict, waiting, working,"),
        "{check}"
    );
    for (line, column, name) in
        [(3, 9, "error"), (4, 9, "moved"), (5, 9, "ahead"), (6, 10, "behind"), (7, 11, "working")]
    {
        let wanted = format!("line {line}, column {column}: icon.{name}: {refused}");
        assert!(check.contains(&wanted), "{wanted}\n{check}");
    }
}

#[test]
fn the_published_looks_have_no_mistakes_and_make_a_line() {
    let stage = Stage::new("");
    let looks = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/looks");
    let files = fs::read_dir(looks).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|file| file.extension().is_some_and(|kind| kind == "toml")).collect();
    assert_eq!(files.len(), 3);
    for file in files {
        fs::copy(&file, stage.file()).unwrap();
        stage.env.ait().run_args(&["config", "check"]).stdout_is("~/.config/ait/config.toml: no mistakes\n");
        assert!(stage.status_line(&[]).contains("Opus"), "{}", file.display());
    }
}
