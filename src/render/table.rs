//! stub
use super::dialect::Line;
/// x
pub struct Table(String);
impl Table {
    /// x
    pub fn new(t: &str) -> Table {
        Table(format!("{t}\n"))
    }
    /// x
    pub fn row(&mut self, l: Line) {
        self.0.push_str(&l.finish());
        self.0.push('\n');
    }
    /// x
    pub fn gap(&mut self) {
        self.0.push('\n');
    }
    /// x
    pub fn finish(self) -> String {
        self.0
    }
}
