//! Any bytes as a hook payload: an event comes of them or an error, the event happens to a session, and the manifest that
//! is left can be read again.
#![no_main]

use ait::claude::payload::HookPayload;
use ait::session::event::EventContext;
use ait::session::id::SessionId;
use ait::session::manifest::{Manifest, ProcessStamp};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fn event_context(payload: &HookPayload) -> EventContext {
    EventContext {
        now: Timestamp::UNIX_EPOCH,
        process: Some(ProcessStamp { pid: 7, start: Some(8) }),
        boot_id: None,
        pid_namespace: None,
        tmux_pane: None,
        tmux_socket: None,
        start_options: Vec::new(),
        is_overtaken: false,
        user: None,
        host: None,
        folder: payload.folder.clone().unwrap_or_default(),
        tree: payload.folder.clone(),
        repository: payload.folder.clone(),
        wrote: None,
        overlaps: Vec::new(),
        is_headless: false,
        report: None,
        silent_change: None,
        project: "project".to_owned(),
        branch: Some("main".to_owned()),
        head: None,
        dirty: None,
        title: payload.title.clone(),
        scheduled_prompts: None,
        last_prompt_failed: false,
        transcript_path: payload.transcript_path.clone(),
        from_subagent: payload.agent_id.is_some(),
    }
}

fuzz_target!(|data: &[u8]| {
    ait_fuzz::bounded(|| {
        let Ok(payload) = HookPayload::parse(data) else { return };
        if let Some(id) = SessionId::parse(&payload.session_id) {
            let name = id.file_name();
            assert!(!name.starts_with('.') && !name.contains(['/', '\0', '\n']) && name.len() < 256, "{name}");
        }
        let mut manifest = Manifest::default();
        payload.happened().apply(&mut manifest, &event_context(&payload), |_| true);
        let written = manifest.to_bytes();
        let read = Manifest::parse(&written).expect("what was written can be read");
        assert_eq!(read.to_bytes(), written);
        assert!(read.task.is_none_or(|task| !task.contains('\n')));
    })
});
