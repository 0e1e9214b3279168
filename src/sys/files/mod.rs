//! Files and folders: bounded reads, atomic private writes, locks on folders.

mod directory;
mod leftovers;
mod lock;
mod meta;
mod path;
mod read;
#[cfg(test)]
pub(crate) mod steps;
mod write;

pub use directory::{Folder, is_remote, make_folders, remove_empty_folder, remove_folder};
pub use lock::{Lock, Locking};
pub use meta::{FileId, Kind, Meta, exists, is_folder, is_writable, link_metadata, metadata};
pub use path::{canonical, is_plain_name, is_too_long, make_temporary_folder, read_link, resolve, temporary_folder};
pub use read::{Links, Pieces, read, read_no_link, read_own, read_start, read_with_meta};
pub use write::{PRIVATE, Staged, set_mode};
