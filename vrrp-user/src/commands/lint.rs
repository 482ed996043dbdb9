//! `vrrpwatch lint`: keepalived's configuration by itself, and against a capture.

use std::io::{self, Write as _};

use super::{Failure, Outcome, complain, fresh_key, read_conf};
use crate::{
    cli::LintArgs,
    keepalived_conf::lint,
    observer::{ArpMode, Observer, Settings},
    replay::{Input, Item, Replay},
};

pub(super) fn run(args: &LintArgs) -> Result<Outcome, Failure> {
    let settings = Settings {
        key: fresh_key()?,
        arp: ArpMode::Watched,
        watched: Vec::new(),
        observer: None,
    };
    let conf = read_conf(&args.conf, &settings)?;
    let mut remarks = lint::by_itself(&conf);
    let mut unreadable = false;
    if let Some(capture) = &args.capture {
        let mut observer = Observer::new(settings);
        let mut replay = Replay::open(vec![Input::File(capture.clone())])?;
        while let Some(item) = replay.next_item() {
            match item {
                Ok(Item::Frame(frame)) => {
                    observer.handle_frame(&frame);
                }
                Ok(Item::Loss { time, lost }) => observer.handle_loss(time, &lost),
                Err(error) => {
                    complain(&error);
                    unreadable = true;
                }
            }
            // Only what the observer learns counts here.
            while observer.poll_output().is_some() {}
        }
        remarks.extend(lint::against(&conf, observer.analyst().tracker()));
    }
    let mut text = String::new();
    for remark in &remarks {
        text += remark;
        text += "\n";
    }
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Write(error)),
        _ if unreadable => Ok(Outcome::Unreadable),
        _ if remarks.is_empty() => Ok(Outcome::Fine),
        _ => Ok(Outcome::Findings),
    }
}
