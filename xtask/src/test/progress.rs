//! How far the tests are, by what cargo and the test programs print.

use std::{fmt::Write as _, time::Duration};

/// Reads the lines of `cargo test`, and gives back what there is to print in their place.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// How many test programs there will be.
    programs: usize,
    begun: usize,
    /// The one that runs now.
    program: String,
    /// How many of its tests there are and how many are done.
    tests: usize,
    done: usize,
    totals: Totals,
    failed: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Progress {
    pub(crate) fn new(programs: usize) -> Self {
        Self {
            programs,
            ..Self::default()
        }
    }

    /// Takes a line in.
    pub(crate) fn read(&mut self, line: &str) -> Option<String> {
        if let Some(program) = program(line) {
            self.program = program;
            self.begun += 1;
            return None;
        }
        if let Some(tests) = announced(line) {
            (self.tests, self.done) = (tests, 0);
            let plural = if tests == 1 { "" } else { "s" };
            let line = format!(
                "{}/{} {}: {tests} test{plural}",
                self.begun, self.programs, self.program
            );
            return Some(line);
        }
        let Some((test, result)) = result(line) else {
            return Some(line.to_owned());
        };
        self.done += 1;
        match result {
            "ok" => self.totals.passed += 1,
            "FAILED" => {
                self.totals.failed += 1;
                self.failed.push(format!("{}: {test}", self.program));
            }
            _ => self.totals.ignored += 1,
        }
        Some(format!("[{}/{}] {line}", self.done, self.tests))
    }

    /// What failed, and one line of totals.
    pub(crate) fn summary(&self, took: Duration) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        for test in &self.failed {
            let _: std::fmt::Result = writeln!(text, "failed: {test}");
        }
        let Totals {
            passed,
            failed,
            ignored,
        } = self.totals;
        let (minutes, seconds) = (took.as_secs() / 60, took.as_secs() % 60);
        let _: std::fmt::Result = write!(
            text,
            "{passed} passed, {failed} failed, {ignored} ignored in {minutes} min {seconds} s"
        );
        text
    }
}

/// `Running live/main.rs (target/debug/deps/live-0123456789abcdef)`: the name in the last part.
fn program(line: &str) -> Option<String> {
    let (_, file) = line
        .trim_start()
        .strip_prefix("Running ")?
        .strip_suffix(')')?
        .rsplit_once('(')?;
    let (_, name) = file.rsplit_once('/')?;
    let (name, _) = name.rsplit_once('-')?;
    Some(name.to_owned())
}

/// `running 3 tests`.
fn announced(line: &str) -> Option<usize> {
    let rest = line.strip_prefix("running ")?;
    let count = rest
        .strip_suffix(" tests")
        .or_else(|| rest.strip_suffix(" test"))?;
    count.parse().ok()
}

/// `test name ... ok`.
fn result(line: &str) -> Option<(&str, &str)> {
    let (test, result) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let known = result == "ok" || result == "FAILED" || result.starts_with("ignored");
    known.then_some((test, result))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "     Running live/main.rs (target/debug/deps/live-0123abcd)

running 3 tests
test output::a ... ok
said by a test
test output::b ... FAILED
test output::c ... ignored, it takes long
failures:

     Running unittests src/main.rs (target/debug/deps/xtask-4567cdef)

running 1 test
test tidy::good_files_pass ... ok
";

    #[test]
    fn each_program_and_each_test_is_counted() {
        let mut progress = Progress::new(2);
        let lines: Vec<String> = OUTPUT
            .lines()
            .filter_map(|line| progress.read(line))
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(
            lines,
            [
                "1/2 live: 3 tests",
                "[1/3] test output::a ... ok",
                "said by a test",
                "[2/3] test output::b ... FAILED",
                "[3/3] test output::c ... ignored, it takes long",
                "failures:",
                "2/2 xtask: 1 test",
                "[1/1] test tidy::good_files_pass ... ok",
            ]
        );
        assert_eq!(
            progress.summary(Duration::from_secs(61)),
            "failed: live: output::b\n2 passed, 1 failed, 1 ignored in 1 min 1 s"
        );
    }
}
