//! The figures as text: milliseconds or microseconds first, then ratios, then the budget and whether it holds.

/// The median and the 95th percentile of some times.
#[derive(Clone, Copy)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) p95: f64,
}

impl Summary {
    pub(crate) fn of(mut times: Vec<f64>) -> Summary {
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        Summary { median: at(50), p95: at(95) }
    }
}

/// The word in the last column.
pub(crate) fn verdict(holds: bool) -> String {
    if holds { "ok" } else { "OVER" }.to_owned()
}

/// Aligns the columns of a table: the first and the last two to the left, numbers to the right.
pub(crate) fn align(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            if column == 0 || column + 2 >= columns {
                line.push_str(&format!("{cell:width$}  "));
            } else {
                line.push_str(&format!("{cell:>width$}  "));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
