//! What `ait setup` created, so that `ait uninstall` removes that and nothing else: `~/.config/ait/created`, a line each,
//! `file` or `folder`, a tab, and the absolute path. Without the file nothing counts as created.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::sys::files::{self, Folder};

const NAME: &str = "created";
const LIMIT: usize = 1 << 20;

/// Files and folders that did not exist before.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) files: Vec<PathBuf>,
    /// Those above come before those below.
    pub(super) folders: Vec<PathBuf>,
}

impl Record {
    /// The record in the configuration folder of ait; empty if there is none.
    pub(super) fn read(folder: &Path) -> Record {
        let mut record = Record::default();
        let bytes = files::read(&folder.join(NAME), LIMIT).unwrap_or_default();
        for (kind, path) in String::from_utf8_lossy(&bytes).lines().filter_map(|line| line.split_once('\t')) {
            let path = PathBuf::from(path);
            match kind {
                "file" if path.is_absolute() => record.add_file(&path),
                "folder" if path.is_absolute() => record.add_folder(path),
                _ => {}
            }
        }
        record
    }

    /// Notes the folders above a path that do not exist yet, up to the home folder.
    pub(super) fn add_missing_folders(&mut self, path: &Path, home: &Path) {
        let above = path.ancestors().skip(1).take_while(|folder| folder.starts_with(home) && *folder != home);
        let missing: Vec<&Path> = above.take_while(|folder| !files::exists(folder)).collect();
        missing.into_iter().rev().for_each(|folder| self.add_folder(folder.to_owned()));
    }

    /// Notes a file.
    pub(super) fn add_file(&mut self, path: &Path) {
        if !self.files.iter().any(|known| known == path) {
            self.files.push(path.to_owned());
        }
    }

    fn add_folder(&mut self, path: PathBuf) {
        if !self.folders.contains(&path) {
            self.folders.push(path);
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// If the folder or the file cannot be written.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let line = |kind: &str, path: &PathBuf| format!("{kind}\t{}\n", path.display());
        let files = self.files.iter().map(|path| line("file", path));
        let text: String = files.chain(self.folders.iter().map(|path| line("folder", path))).collect();
        let opened = Folder::open_or_make(folder);
        opened
            .and_then(|folder| folder.replace(NAME, text.as_bytes(), files::PRIVATE))
            .map_err(|why| Error::new("setting up", folder.join(NAME).display(), why))
    }
}
