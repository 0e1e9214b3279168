//! (skeleton)

pub mod init;
