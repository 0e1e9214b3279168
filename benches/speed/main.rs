//! What `ait` costs: in interactive shells, and as a whole process beside the floor and its peers, all in one run.
//!
//! ```text
//! cargo bench                        200 rounds
//! cargo bench -- --rounds 50
//! cargo bench -- --quick             20 rounds, a tenth of the history
//! cargo bench -- --only shells       or: --only processes
//! AIT_BENCH_BINARY=./ait cargo bench
//! sh benches/peers.sh                installs the peers
//! ```
//! In each round every row is measured once. Budgets are compared with medians of the same run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measurement that fails must stop, and it uses the system itself"
)]

mod command;
mod home;
mod lab;
mod processes;
mod programs;
mod random;
mod shells;
mod table;
mod terminal;

use lab::Lab;
use processes::Processes;
use shells::Shells;

/// Processes that stand for clients: as many as the largest home has live sessions.
const CLIENTS: usize = 1000;
/// The most bytes that the binary may have.
const LARGEST: u64 = 2 << 20;

fn main() {
    let options = Options::parse(std::env::args().skip(1));
    let lab = Lab::new(CLIENTS, options.archived);
    let ait = programs::ait(&lab.path(""));

    let cores = std::thread::available_parallelism().map_or(1, |count| count.get());
    println!("{} rounds, {} archived sessions, {cores} processor cores", options.rounds, options.archived);
    let size = std::fs::metadata(&ait.program).expect("the binary").len();
    println!(
        "binary: {:.2} MiB, budget {} MiB: {}\n",
        size as f64 / (1 << 20) as f64,
        LARGEST >> 20,
        table::verdict(size <= LARGEST)
    );
    if options.measures("shells") {
        println!("{}", Shells::new(&lab, &ait.program).measure(options.rounds));
    }
    if options.measures("processes") {
        println!("{}", Processes::new(&lab, &ait).measure(options.rounds));
    }
}

struct Options {
    rounds: usize,
    /// Sessions in history.
    archived: usize,
    /// The only part to measure.
    only: Option<String>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Options {
        let mut options = Options { rounds: 200, archived: 100_000, only: None };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                // Passed by cargo.
                "--bench" => {}
                "--quick" => (options.rounds, options.archived) = (20, 10_000),
                "--rounds" => {
                    let rounds = arguments.next().and_then(|rounds| rounds.parse().ok());
                    options.rounds = rounds.filter(|rounds| *rounds > 0).expect("--rounds takes a number");
                }
                "--only" => {
                    let part = arguments.next().filter(|part| part == "shells" || part == "processes");
                    options.only = Some(part.expect("--only takes: shells, processes"));
                }
                other => panic!("{other}: unknown option; there are --rounds N, --quick and --only PART"),
            }
        }
        options
    }

    fn measures(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }
}
