//! Slow work in a detached process: `ait job`.

use crate::common::TestEnv;

#[test]
fn a_job_that_is_unknown_or_without_a_name_is_refused() {
    let env = TestEnv::new();
    env.run("job").failure(2, "starting a job: its name is missing");
    env.run("job dance one").failure(2, "starting a job: dance: unknown job");
    assert!(!env.run("--help").success().contains("job"));
}
