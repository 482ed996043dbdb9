//! `vrrpwatch lint`: keepalived's configuration by itself, and against a capture.

use std::io::Write as _;

use super::{Failure, Outcome, ask_settings, complain, config_id, say};
use crate::{
    cli::LintArgs,
    escape,
    input::{Input, News},
    keepalived_conf::{Conf, lint},
    observer::Observer,
    replay::{CaptureSource, Item, Replay},
};

pub(super) fn run(args: &LintArgs) -> Result<Outcome, Failure> {
    let settings = ask_settings(&[])?;
    let conf = Conf::read(&args.conf, &config_id(), &settings.key)?;
    let mut remarks = conf.notes.clone();
    remarks.extend(conf.mistakes.iter().cloned());
    remarks.extend(lint::by_itself(&conf));
    let mut unreadable = false;
    if let Some(capture) = &args.capture {
        let mut observer = Observer::new(settings);
        let mut replay = Replay::open(vec![CaptureSource::File(capture.clone())])?;
        while let Some(item) = replay.next_item() {
            match item {
                Ok(Item::Frame(frame)) => {
                    observer.handle(frame.time, &Input::from(News::Frame(frame)));
                }
                Ok(Item::Loss { time, lost }) => {
                    observer.handle(time, &Input::from(News::Loss(lost)));
                }
                Ok(Item::Told(at, input)) => observer.handle(at, &input),
                Ok(Item::Settings(settings)) => observer = Observer::new(*settings),
                Err(error) => {
                    complain(&error);
                    unreadable |= !error.is_partial();
                }
            }
            // Only what the observer learns counts here.
            while observer.poll_output().is_some() {}
        }
        remarks.extend(lint::against(&conf, observer.world().tracker()));
    }
    let mut text = String::new();
    for remark in &remarks {
        escape::push(&mut text, remark);
        text.push('\n');
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
