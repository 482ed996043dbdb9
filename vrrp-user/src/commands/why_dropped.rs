//! `vrrpwatch why-dropped`: which VRRP packets the kernel drops, where and why.

use std::{collections::BTreeMap, io::Write as _, sync::Arc};

use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Outcome, complain, fresh_run, host_name, runtime, say};
use crate::{
    capture::{DropCounter, KernelTypes},
    cli::WhyDroppedArgs,
    dropped::Dropped,
    escape::escape,
    escape::json,
    link::{Selection, Watch},
    live::{Clock, LiveError, NothingToWatch, is_daemon_here},
    model::{Span, Timestamp},
    record::{Body, Loss, LossReason, Record, RunId},
    report::{Format, Style},
};

/// What was counted.
struct Count {
    dropped: Vec<Dropped>,
    /// Packets for which there was no room.
    uncounted: u64,
    end: Timestamp,
    lasted: Span,
    /// A VRRP daemon was here, for whom what arrives may be.
    daemon: bool,
}

pub(super) fn why_dropped(args: &WhyDroppedArgs) -> Result<Outcome, Failure> {
    let selection = Selection::new(&args.interfaces)?;
    DropCounter::check()?;
    let mut count = runtime()?.block_on(count(args, &selection))?;
    count
        .dropped
        .sort_by_key(|it| (std::cmp::Reverse(it.count), it.source));
    let run = fresh_run()?;
    match args.format {
        Format::Text => {
            let style = Style::of_stdout();
            let text = style.drops(&count.dropped, count.uncounted, count.lasted, count.daemon);
            say(|out| out.write_all(text.as_bytes()))?;
        }
        Format::Json => {
            for record in records(&count, run) {
                say(|out| writeln!(out, "{}", json(&record)?))?;
            }
        }
    }
    let matters =
        |it: &Dropped| count.daemon || matches!(it.direction, crate::frame::Direction::Out);
    Ok(
        if !count.dropped.iter().any(matters) && count.uncounted == 0 {
            Outcome::Fine
        } else {
            Outcome::Findings
        },
    )
}

/// Counts for the time that was asked for, or until a signal.
async fn count(args: &WhyDroppedArgs, selection: &Selection) -> Result<Count, Failure> {
    let system = |doing| move |source| Failure::Live(LiveError::System { doing, source });
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system("handle signals"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(system("handle signals"))?;
    check_interfaces(selection).await?;
    let clock = Clock::new().map_err(LiveError::from)?;
    let now = || clock.now().map_err(LiveError::from);
    let types = KernelTypes::read().map_err(crate::capture::DropsError::from)?;
    let mut counter = DropCounter::attach(Arc::new(types))?;
    let start = now()?;
    // Where that cannot be seen there may be one.
    let is_here = || is_daemon_here().unwrap_or(true);
    let before = is_here();
    if !before {
        complain(
            &"no VRRP daemon runs in this network namespace: what arrives is for nobody here, and \
              that the kernel drops it is as it should be",
        );
    }
    complain(&format_args!(
        "counting dropped VRRP packets for {} s; Ctrl-C ends it early",
        args.duration.as_secs_f64()
    ));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = tokio::time::sleep(args.duration) => {}
    }
    let end = now()?;
    let mut dropped = counter.read()?;
    dropped.retain(|it| selection.admits(it.interface.as_deref()));
    Ok(Count {
        dropped,
        uncounted: counter.uncounted()?,
        end,
        lasted: end.since(start),
        daemon: before || is_here(),
    })
}

/// An interface that was asked for and is not there is a mistake.
async fn check_interfaces(selection: &Selection) -> Result<(), LiveError> {
    let links = Watch::new()?.snapshot().await?;
    let patterns = selection.unmatched(&links);
    if patterns.is_empty() {
        return Ok(());
    }
    let there = links.iter().map(|(_, link)| escape(&link.name).to_string());
    let there = there.collect();
    Err(NothingToWatch::NoMatch { patterns, there }.into())
}

fn records(count: &Count, run: RunId) -> Vec<Record> {
    let observer: Option<Arc<str>> = host_name().map(Into::into);
    let record = |body| Record {
        run,
        observer: observer.clone(),
        ..Record::new(count.end, body)
    };
    let drops = count.dropped.iter().map(|it| Record {
        interface: it.interface.clone(),
        direction: Some(it.direction),
        ..record(Body::Drop(it.record(count.lasted)))
    });
    let loss = (count.uncounted > 0).then(|| {
        let lost = BTreeMap::from([(LossReason::DropsUncounted, count.uncounted)]);
        record(Body::Loss(Loss { lost }))
    });
    let mut records: Vec<Record> = drops.chain(loss).collect();
    for (seq, record) in (1..).zip(&mut records) {
        record.seq = seq;
    }
    records
}
