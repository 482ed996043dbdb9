//! Running `vrrpwatch replay`.

use std::{
    ffi::OsStr,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use vrrp_tests::lab;
use vrrp_user::record::{Record, RunId};

use crate::cases;

/// A call of `vrrpwatch replay` that is being put together.
pub(crate) struct Replay {
    command: Command,
    input: Vec<u8>,
}

impl Replay {
    /// On the recording of a case.
    pub(crate) fn of(case: &str) -> Self {
        Self::file(&cases::recording(case))
    }

    /// On a file.
    pub(crate) fn file(path: &Path) -> Self {
        let program = lab::vrrpwatch().expect("the program is built");
        let mut command = Command::new(program);
        command
            .arg("replay")
            .arg(path)
            .env("TZ", "UTC")
            .env_remove("NO_COLOR");
        Self {
            command,
            input: Vec::new(),
        }
    }

    /// On standard input.
    pub(crate) fn stdin(input: Vec<u8>) -> Self {
        Self {
            input,
            ..Self::file(Path::new("-"))
        }
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Runs it, whatever comes of it.
    pub(crate) fn output(mut self) -> Output {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("vrrpwatch starts");
        let mut stdin = child.stdin.take().expect("piped");
        let input = self.input;
        // It may end before it read everything, and its output may fill the pipe meanwhile.
        let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().expect("vrrpwatch ends");
        feeder.join().expect("feeding does not panic");
        output
    }

    /// What it prints when it reads everything there is.
    pub(crate) fn text(self) -> String {
        let output = self.output();
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{}: {complaints}",
            output.status
        );
        assert_eq!(complaints, "");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// The records it prints, read back.
    pub(crate) fn records(self) -> Vec<Record> {
        let text = self.args(["--format", "json"]).text();
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a record"))
            .collect()
    }
}

/// A record without what is another in each run: which run it is, and as which of its records it came.
pub(crate) fn without_run(record: Record) -> Record {
    Record {
        run: RunId::default(),
        seq: 0,
        emitted: None,
        ..record
    }
}
