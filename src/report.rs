//! The result of a command: data that is written as JSON or as text, remarks, and an exit code. Only `main` writes it.

use crate::error::{Error, Exit, on_one_line};
use crate::render::ui::Ui;

/// The data of a report. It can be shown to people, and most of it as JSON.
pub trait Data {
    /// The text for standard output, complete with its last newline.
    fn text(&self, ui: &Ui) -> String;

    /// One JSON object with `schema_version` and a final newline; `None` if the command has no JSON form.
    fn json(&self) -> Option<String> {
        None
    }
}

impl Data for String {
    fn text(&self, _ui: &Ui) -> String {
        self.clone()
    }
}

/// The result of a command.
pub struct Report {
    data: Box<dyn Data>,
    remarks: Vec<String>,
    /// How the process ends.
    pub exit: Exit,
}

impl Report {
    /// Data, and success.
    pub fn new(data: impl Data + 'static) -> Report {
        Report { data: Box::new(data), remarks: Vec::new(), exit: Exit::Done }
    }

    /// Text that is the same for every reader.
    pub fn text(text: impl Into<String>) -> Report {
        Report::new(text.into())
    }

    /// Nothing at all, and success.
    pub fn nothing() -> Report {
        Report::text("")
    }

    /// Adds a remark for standard error. Characters in it that would move the cursor are replaced.
    #[must_use]
    pub fn remark(mut self, remark: impl AsRef<str>) -> Report {
        let lines: Vec<String> = remark.as_ref().split('\n').map(on_one_line).collect();
        self.remarks.push(lines.join("\n"));
        self
    }

    /// Adds several remarks.
    #[must_use]
    pub fn remarks<T: AsRef<str>>(self, remarks: impl IntoIterator<Item = T>) -> Report {
        remarks.into_iter().fold(self, Report::remark)
    }

    /// Replaces the exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Report {
        self.exit = exit;
        self
    }

    /// The text for standard output: JSON if it is wanted and there is any, else text.
    pub fn stdout(&self, ui: &Ui, json: bool) -> String {
        let json = if json { self.data.json() } else { None };
        json.unwrap_or_else(|| self.data.text(ui))
    }

    /// The remarks alone, for a command that runs another one.
    pub fn into_remarks(self) -> Vec<String> {
        self.remarks
    }

    /// The text for standard error.
    pub fn stderr(&self) -> String {
        self.remarks.iter().map(|remark| format!("ait: {remark}\n")).collect()
    }
}

impl From<Error> for Report {
    fn from(error: Error) -> Report {
        Report::nothing().remark(error.to_string()).exit(error.code())
    }
}
