//! Texts as a whole: every help text, and the lists. After an intended change: `INSTA_UPDATE=always cargo test -- snapshots`.

use argh::CommandInfoWithArgs;
use serde_json::json;

use crate::common::{Client, TestEnv, ago};

#[test]
fn every_help_text() {
    fn add(text: &mut String, env: &TestEnv, path: &str, command: &CommandInfoWithArgs) {
        let help = env.run(&format!("{path} --help")).success();
        text.push_str(&format!("$ ait {path} --help\n{help}\n"));
        for inner in &command.commands {
            add(text, env, format!("{path} {}", inner.name).trim(), &inner.command);
        }
    }
    let mut text = String::new();
    add(&mut text, &TestEnv::new(), "", &ait::cli::description());
    insta::assert_snapshot!(text);
}

#[test]
fn lists_of_a_busy_home() {
    let env = TestEnv::new();
    let clients: Vec<Client> = (0..3).map(|_| Client::new()).collect();
    let shop = env.repository("shop");
    let fields = |task: &str, state: &str, minutes: i64| {
        json!({"task": task, "state": state, "state_since": ago(minutes * 60), "started": ago(45 * 60 + 20),
            "tree": shop, "repository": shop.join(".git"), "git_branch": "main", "updated": ago(60)})
    };
    env.write_manifest("aaaaaaaa-1", clients[0].pid(), &shop, fields("Implement the cart", "working", 5));
    env.write_manifest("bbbbbbbb-2", clients[1].pid(), &shop, fields("Write tests for the cart", "waiting", 3));
    let blog = env.create_dir("blog");
    env.write_manifest("cccccccc-3", clients[2].pid(), &blog, json!({"project": "blog", "started": ago(90)}));
    env.write_history_manifest(
        "2025-12-26",
        "dddddddd-4",
        "2025-12-26T15:00:00Z",
        json!({"started": "2025-12-26T14:00:00Z", "worked_seconds": 600}),
    );
    let mut text = String::new();
    for command in ["live", "conflicts", "next", "resume", "history --date 2025-12-26"] {
        let output = env.ait().env("AIT_WIDTH", "80").run(&format!("sessions {command}"));
        text.push_str(&format!("$ ait sessions {command}\n{}{}\n", output.stdout, output.stderr));
    }
    insta::assert_snapshot!(text);
}
