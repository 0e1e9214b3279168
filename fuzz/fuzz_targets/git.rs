//! Any bytes as git's files: HEAD, a `.git` file, a line of a reflog, `packed-refs`, and what `git status` says. No name of
//! a ref leads out of the folder of the refs.
#![no_main]

use std::fs::write;
use std::path::PathBuf;
use std::sync::OnceLock;

use ait::git::{self, RefTarget, Tree};
use libfuzzer_sys::fuzz_target;

/// A repository: its root.
fn repository() -> &'static PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let root = ait_fuzz::folder();
        for below in ["refs/heads", "objects", "logs"] {
            std::fs::create_dir_all(root.join(".git").join(below)).expect("a folder");
        }
        root
    })
}

fn put(below: &str, data: &[u8]) {
    write(repository().join(".git").join(below), data).expect("a file");
}

fuzz_target!(|data: &[u8]| {
    ait_fuzz::bounded(|| {
        if let Some(RefTarget::Symbolic(name)) = git::parse_ref(data) {
            assert!(
                name.starts_with("refs/") && name.split('/').all(|part| !matches!(part, "" | "." | "..")),
                "{name}"
            );
        }
        let _ = git::parse_git_file(data);
        let _ = git::parse_status(data);
        if let Some(moved) = git::parse_move(data) {
            let _ = moved.checkout();
        }
        put("HEAD", b"ref: refs/heads/main\n");
        put("packed-refs", data);
        put("logs/HEAD", data);
        let tree = Tree::find(repository()).expect("a tree");
        let _ = tree.head();
        let _ = git::last_move(&tree);
        let _ = git::has_branch(&repository().join(".git"), "main");
        put("HEAD", data);
        if let Some(tree) = Tree::find(repository()) {
            let _ = (tree.head(), tree.head_label(), tree.project());
        }
    })
});
