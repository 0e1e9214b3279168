//! The figures, and how they stand to the budgets.

use std::fmt;

/// What a row may cost, at most; the last column says whether it does.
#[derive(Clone, Copy)]
pub(crate) enum Budget {
    None,
    /// Times the floor; and what is aimed at.
    Floors {
        most: f64,
        aim: Option<f64>,
    },
    /// Times another row.
    OfItsOwn {
        most: f64,
        row: &'static str,
    },
    Microseconds(f64),
}

/// The times of a row, put together.
pub(crate) struct Figure {
    name: String,
    budget: Budget,
    median: f64,
    p95: f64,
}

impl Figure {
    pub(crate) fn new(name: String, budget: Budget, mut times: Vec<f64>) -> Figure {
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        Figure { name, budget, median: at(50), p95: at(95) }
    }
}

/// All of it, as it is printed. The first figure is the floor.
pub(crate) struct Table {
    pub(crate) figures: Vec<Figure>,
    /// What could not be measured, and why.
    pub(crate) missing: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) ended: usize,
    /// Bytes of the binary.
    pub(crate) size: u64,
}

const LARGEST: u64 = 1 << 20;

impl Table {
    /// The budget in words, and what is to be said of the figure.
    fn judge(&self, figure: &Figure) -> (String, &'static str) {
        let verdict = |kept| if kept { "ok" } else { "OVER" };
        let ratio = figure.median / self.figures[0].median;
        match figure.budget {
            Budget::None => (String::new(), ""),
            Budget::Floors { most, aim: None } => (format!("{most} x"), verdict(ratio <= most)),
            Budget::Floors { most, aim: Some(aim) } => {
                (format!("{most} x, aim {aim}"), if ratio <= aim { "ok, as aimed" } else { verdict(ratio <= most) })
            }
            Budget::OfItsOwn { most, row } => {
                let other = self.figures.iter().find(|figure| figure.name == row).map_or(f64::NAN, |row| row.median);
                (format!("{most} x at 20"), verdict(figure.median / other <= most))
            }
            Budget::Microseconds(most) => (format!("{most} us"), verdict(figure.median <= most)),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.figures.iter().map(|figure| figure.name.chars().count()).max().unwrap_or(0);
        let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
        writeln!(f, "{} rounds, {} ended sessions in history, {processors} processors", self.rounds, self.ended)?;
        writeln!(f, "{:width$}  {:>9}  {:>9}  {:>8}  {:<15}  kept", "", "median us", "p95 us", "x floor", "budget")?;
        for figure in &self.figures {
            let (budget, kept) = self.judge(figure);
            let ratio = figure.median / self.figures[0].median;
            let line = format!(
                "{:width$}  {:>9.1}  {:>9.1}  {ratio:>8.2}  {budget:<15}  {kept}",
                figure.name, figure.median, figure.p95
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        let kept = if self.size <= LARGEST { "ok" } else { "OVER" };
        writeln!(f, "binary: {} bytes, budget {LARGEST}: {kept}", self.size)?;
        for missing in &self.missing {
            writeln!(f, "not measured: {missing}")?;
        }
        Ok(())
    }
}
