//! What `run` does with what the observer hands out: records are written, addresses asked for, and this
//! host is looked at. What the observer was told is kept where there is a recording.

use super::{Clock, driver::Ports, drops::DropWatch, sockets::Looks};
use crate::{
    chain::Chain,
    frame::Frame,
    input::{Input, News},
    keepalived_conf::ConfFile,
    model::Timestamp,
    observer::Request,
    probe::Asker,
    record::{LossReason, Record},
    report::Writer,
    source::Logs,
};

/// The ports of `run`.
pub(super) struct RunPorts {
    pub(super) writer: Writer,
    pub(super) logs: Logs,
    pub(super) conf: Option<ConfFile>,
    /// Only where addresses are to be asked for.
    pub(super) asker: Option<Asker>,
    pub(super) drops: DropWatch,
    pub(super) looks: Looks,
    /// The logs and the configuration that are read, in words.
    pub(super) sources: Vec<String>,
    /// Until when time passed and nothing came of it, where that is not recorded yet.
    pub(super) idle: Option<Timestamp>,
}

impl Ports for RunPorts {
    fn record(&mut self, record: Record) {
        self.writer.record(record);
    }

    fn frame(&mut self, frame: Frame) {
        self.writer.frame(frame);
    }

    fn request(&mut self, request: Request, clock: &Clock) {
        match request {
            Request::FindDaemon => match clock.now() {
                Ok(now) => self.looks.begin(now),
                Err(error) => tracing::debug!(error = %Chain(&error), "the clock cannot be read"),
            },
            Request::CountDrops => self.drops.begin(),
            Request::StopCounting => self.drops.end(),
            Request::Ask(question) => {
                // The observer sees by itself that a question did not leave.
                if let Some(asker) = &mut self.asker
                    && let Err(error) = asker.ask(&question)
                {
                    let address = question.wanted();
                    tracing::debug!(%address, error = %Chain(&error), "an address was not asked for");
                }
            }
            // Of the kernel's filter.
            Request::Watch(_)
            | Request::Unwatch(_)
            | Request::Count(_)
            | Request::Discount(_)
            | Request::Know(..)
            | Request::Disown(_) => {}
        }
    }

    /// That time passed and nothing came of it is recorded only where it would be missed: by what is
    /// older, and by the end.
    fn told(&mut self, at: Timestamp, input: Input, is_idle: bool) {
        if !self.writer.records_inputs() {
            return;
        }
        if is_idle {
            self.idle = Some(at);
            return;
        }
        if let Some(idle) = self.idle.take()
            && (at < idle || input.news == News::Finish)
        {
            let time = Input {
                observer: input.observer.clone(),
                news: News::Time,
            };
            self.writer.input(idle, time);
        }
        self.writer.input(at, input);
    }

    fn sources(&self) -> Vec<String> {
        self.sources.clone()
    }

    fn lost(&mut self) -> Vec<(LossReason, u64)> {
        vec![
            (LossReason::OutputFull, self.writer.take_dropped()),
            (LossReason::OutputFailed, self.writer.take_unwritten()),
        ]
    }
}
