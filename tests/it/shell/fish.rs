//! The segment in fish.

use ait::render::dialect::Dialect;

use super::{World, both_edges, render_text};

#[test]
fn fish_shows_it_before_the_users_right_prompt() {
    let world = World::new();
    let init = world.init("fish", false);
    world.answer(&render_text("api $(touch pwned) (touch pwned)", Dialect::Fish));
    let theirs =
        "function fish_prompt; echo -n \"<$status> \"; end\nfunction fish_right_prompt; echo \"theirs $status\"; end";
    let fish = world.shell("fish", &format!("{theirs}\n{init}\n{init}\n"));
    fish.wait_for_last(&both_edges("<0>", "theirs 0", 0));
    world.start_session();
    fish.type_line("false");
    fish.wait_for_last(&both_edges("<1>", "api $(touch pwned) (touch pwned) theirs 1", 0));
    world.end_session();
    fish.type_line("");
    fish.wait_for_last(&both_edges("<1>", "theirs 1", 0));
    assert!(!world.path("pwned").exists());
}
