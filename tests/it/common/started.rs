//! One session in a repository, with its client and the client's own record.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Client, TestEnv};

/// The id of the session.
pub(crate) const ID: &str = "6425757d-2548-4fb2-9ce2-2c43e134d597";

/// A session in a repository, and its client.
pub(crate) struct Started {
    pub(crate) env: TestEnv,
    pub(crate) folder: PathBuf,
    pub(crate) client: Client,
}

impl Started {
    pub(crate) fn new() -> Started {
        let env = TestEnv::new();
        let folder = env.repository("repo");
        let client = Client::new();
        env.start_session(&client, ID, &folder).no_output();
        Started { env, folder, client }
    }

    pub(crate) fn event(&self, event: &str, more: Value) {
        self.env.send_event(&self.client, event, ID, &self.folder, more).success();
    }

    /// Writes the client's own record, with a status since so many milliseconds before now.
    pub(crate) fn record(&self, status: &str, waiting_for: Option<&str>, age: i64) {
        let record = json!({
            "pid": self.client.pid(), "sessionId": ID, "cwd": self.folder,
            "procStart": self.client.start_time().to_string(), "version": "2.1.332", "kind": "interactive",
            "status": status, "waitingFor": waiting_for,
            "statusUpdatedAt": jiff::Timestamp::now().as_millisecond() - age,
        });
        self.env.write_file(&format!(".claude/sessions/{}.json", self.client.pid()), &record.to_string());
    }
}
