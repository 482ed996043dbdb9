//! `vrrpwatch explain`: what a finding means, in the words of docs/findings.md.

use std::io::{self, Write as _};

use super::{Failure, Outcome};
use crate::{cli::ExplainArgs, explain};

/// Columns of the text: what every terminal has.
const WIDTH: usize = 80;

pub(super) fn explain(args: &ExplainArgs) -> Result<Outcome, Failure> {
    let text = match args.code {
        Some(code) => explain::text(code, WIDTH),
        None => explain::list().to_string(),
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Write(error)),
        Ok(()) | Err(_) => Ok(Outcome::Fine),
    }
}
