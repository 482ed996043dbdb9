//! The flags of `why-dropped`.

use std::time::Duration;

use clap::Args;

use super::words::word;
use crate::report::Format;

/// Arguments of `vrrpwatch why-dropped`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 nothing was dropped that a daemon here waits for or sends, 1 VRRP \
                  packets were, 2 wrong use, 3 missing \
                  rights or kernel support. While it counts, every packet that this machine drops \
                  costs a little more."
)]
pub struct WhyDroppedArgs {
    /// Interface that packets came in by or were to leave by, by name or pattern; may be repeated
    /// [default: all].
    #[arg(short, long = "interface", value_name = "NAME")]
    pub interfaces: Vec<String>,
    /// Count for this many seconds; Ctrl-C ends it early, with the answer.
    #[arg(
        long = "for",
        value_name = "SECONDS",
        default_value = "10",
        value_parser = super::seconds
    )]
    pub duration: Duration,
    /// Form of the output.
    #[arg(long, value_parser = word::<Format>(), default_value = "text")]
    pub format: Format,
}
