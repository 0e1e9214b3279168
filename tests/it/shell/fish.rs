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

/// tide draws its items in another process, which reads config.fish as well.
#[test]
fn fish_has_an_item_for_tide() {
    for (items, right) in [("git ait", "drawn"), ("git", "SEGMENT drawn")] {
        let env = TestEnv::new();
        env.start_session();
        let init = env.init("fish", false);
        let tide = "function _tide_print_item; echo -n item:$argv[1]:$argv[3]; end\n\
            function fish_right_prompt; echo drawn; end\nfunction fish_prompt; echo -n '> '; end\n";
        let fish = env.shell("fish", &format!("set -g tide_right_prompt_items {items}\n{tide}{init}\n{init}\n"));
        fish.wait_for_last(&both_edges(">", right, 0));
        fish.type_line("clear; fish -c _tide_item_ait; echo");
        fish.wait_until("the item", |screen| screen.starts_with("item:ait:SEGMENT\n"));
        env.end_session();
        env.answer("");
        fish.type_line("clear; fish -c _tide_item_ait; echo none");
        fish.wait_until("no item", |screen| screen.starts_with("none\n"));
    }
}
