//! The segment in fish.

use crate::common::tools::needs;
use ait::render::dialect::Dialect;

use super::{TestEnv, both_edges, render_text};

#[test]
fn fish_shows_it_before_the_users_right_prompt() {
    needs!("tmux", "fish");
    let env = TestEnv::new();
    let init = env.init("fish", false);
    env.answer(&render_text("api $(touch pwned) (touch pwned)", Dialect::Fish));
    let theirs =
        "function fish_prompt; echo -n \"<$status> \"; end\nfunction fish_right_prompt; echo \"theirs $status\"; end";
    let fish = env.shell("fish", &format!("{theirs}\n{init}\n{init}\n"));
    fish.wait_for_last(&both_edges("<0>", "theirs 0", 0));
    env.start_session();
    fish.type_line("false");
    fish.wait_for_last(&both_edges("<1>", "api $(touch pwned) (touch pwned) theirs 1", 0));
    env.end_session();
    fish.type_line("");
    fish.wait_for_last(&both_edges("<1>", "theirs 1", 0));
    assert!(!env.path("pwned").exists());
}
