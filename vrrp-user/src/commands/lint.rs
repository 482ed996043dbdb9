//! `vrrpwatch lint`: keepalived's configuration by itself, and against a capture.

use std::io::Write as _;

use super::{Failure, Outcome, ask_settings, complain, read_conf, say};
use crate::{
    cli::LintArgs,
    keepalived_conf::lint,
    observer::Observer,
    replay::{Input, Item, Replay},
};

pub(super) fn run(args: &LintArgs) -> Result<Outcome, Failure> {
    let settings = ask_settings(&[])?;
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
    say(|out| out.write_all(text.as_bytes()))?;
    Ok(if unreadable {
        Outcome::Unreadable
    } else if remarks.is_empty() {
        Outcome::Fine
    } else {
        Outcome::Findings
    })
}
