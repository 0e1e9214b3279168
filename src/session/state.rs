//! What a session is doing.

/// What a session is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Its turn has ended; nothing runs.
    Idle,
    /// A turn is running.
    Working,
    /// It waits for its person.
    Waiting,
    /// The last turn ended with an error.
    Error,
    /// Nothing is known, and nothing is guessed.
    #[default]
    Unknown,
}
