//! Sessions of other profiles: a shell asks if one of them may be live, and starts no process otherwise.

use std::fs;

use super::typed::Typed;
use super::{SHELLS, TestEnv};
use crate::common::tools::{installed, needs};

/// A home in which hooks have remembered the profile in `the other`, with a folder of live sessions.
fn two_profiles() -> TestEnv {
    let env = TestEnv::new();
    fs::create_dir_all(env.path("the other/sessions/active")).unwrap();
    fs::create_dir_all(env.path(".cache/ait")).unwrap();
    let roots = format!("{0}/gone/sessions\n{0}/the other/sessions\n", env.path("").display()).replace("//", "/");
    fs::write(env.path(".cache/ait/roots"), roots).unwrap();
    env
}

#[test]
fn with_two_profiles_and_nothing_live_no_process_is_started() {
    needs!("strace");
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = two_profiles();
        let trace = env.path("trace");
        let tracer = format!("strace -o {} -e trace=clone,clone3,fork,vfork,execve", trace.display());
        let mut typed = Typed::open(&env, shell, &tracer);
        let started = || {
            let text = fs::read_to_string(&trace).unwrap();
            text.lines().filter(|line| line.contains('(') && !line.contains("CLONE_THREAD")).count()
        };
        let before = started();
        assert!(before > 0);
        for _ in 0..3 {
            assert!(typed.terminal.tmux(&["send-keys", "-N", "10", "Enter"]).status.success());
        }
        typed.count += 30;
        assert_eq!(typed.segment(), "", "{shell}");
        assert_eq!(started() - before, 0, "{shell}: {}", fs::read_to_string(&trace).unwrap());
    }
}

#[test]
fn a_session_of_another_profile_is_asked_about_unless_a_folder_is_set_explicitly() {
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = two_profiles();
        let mut typed = Typed::open(&env, shell, "");
        assert_eq!(typed.line(""), "", "{shell}");
        fs::write(env.path("the other/sessions/active/one.json"), "{}").unwrap();
        assert_eq!(typed.line(""), "SEGMENT", "{shell}");
        let own = typed.export("AIT_SESSIONS_DIR", env.path("own").to_str().unwrap());
        assert_eq!(typed.line(&own), "", "{shell}");
        let (own, cache) = (typed.export("AIT_SESSIONS_DIR", ""), typed.export("XDG_CACHE_HOME", "/nowhere"));
        assert_eq!(typed.line(&format!("{own}; {cache}")), "", "{shell}");
        let cache = typed.export("XDG_CACHE_HOME", "relative");
        assert_eq!(typed.line(&cache), "SEGMENT", "{shell}: a relative folder does not count");
    }
}

#[test]
fn a_session_of_the_default_profile_is_asked_about_under_another_one() {
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = TestEnv::new();
        let mut typed = Typed::open(&env, shell, "");
        let other = typed.export("CLAUDE_CONFIG_DIR", env.path("other").to_str().unwrap());
        assert_eq!(typed.line(&other), "", "{shell}");
        env.start_session();
        assert_eq!(typed.line(""), "SEGMENT", "{shell}");
    }
}

#[test]
fn a_roots_file_of_any_kind_does_no_harm() {
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = two_profiles();
        let roots = env.path(".cache/ait/roots");
        let mut typed = Typed::open(&env, shell, "");
        fs::write(&roots, b"\0\xff\n*\n$(exit 3)\n\n").unwrap();
        assert_eq!(typed.line("cd /"), "", "{shell}");
        fs::remove_file(&roots).unwrap();
        fs::create_dir(&roots).unwrap();
        assert_eq!(typed.line(""), "", "{shell}");
        fs::remove_dir(&roots).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&roots).status().unwrap().success());
        assert_eq!(typed.line(""), "", "{shell}");
    }
}
