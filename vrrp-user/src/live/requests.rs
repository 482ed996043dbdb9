//! What goes into the observer, and what it hands out: records to write, and requests to the kernel.

use super::Live;
use crate::{
    chain::Chain,
    input::{Input, News},
    model::Timestamp,
    observer::{Output, Request},
};

impl Live {
    /// Tells the observer something, and passes on what comes of it.
    pub(super) fn tell(&mut self, at: Timestamp, news: News) {
        let input = Input {
            observer: self.observer.settings().observer.clone(),
            news,
        };
        let is_due = self.observer.poll_timeout().is_some_and(|due| due <= at);
        self.observer.handle(at, &input);
        if self.writer.records_inputs() {
            self.record(at, input, is_due);
        }
        self.pass_outputs();
    }

    /// Records what the observer was told. That time passed and nothing came of it is recorded only where
    /// it would be missed: by what is older, and by the end.
    fn record(&mut self, at: Timestamp, input: Input, is_due: bool) {
        if input.news == News::Time && !is_due && !self.observer.has_output() {
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

    fn pass_outputs(&mut self) {
        while let Some(output) = self.observer.poll_output() {
            match output {
                Output::Record(record) => self.writer.record(record),
                Output::Frame(frame) => self.writer.frame(frame),
                Output::Request(Request::Watch(address)) => {
                    if let Err(error) = self.kernel.watch(address) {
                        tracing::warn!(%address, error = %Chain(&error), "the kernel filter takes no more addresses");
                    }
                }
                Output::Request(Request::Unwatch(address)) => {
                    if let Err(error) = self.kernel.unwatch(address) {
                        tracing::warn!(%address, error = %Chain(&error), "an address stays in the kernel filter");
                    }
                }
                Output::Request(Request::Count(address)) => {
                    if let Err(error) = self.kernel.count(address) {
                        tracing::warn!(%address, error = %Chain(&error), "the traffic of an address is not counted");
                    }
                }
                Output::Request(Request::Know(known, pace)) => {
                    if let Err(error) = self.kernel.know(known, pace) {
                        tracing::debug!(?known, error = %Chain(&error), "a sender has no budget of its own");
                    }
                }
                Output::Request(Request::Disown(known)) => {
                    if let Err(error) = self.kernel.disown(known) {
                        tracing::debug!(?known, error = %Chain(&error), "a sender keeps its budget");
                    }
                }
                Output::Request(Request::Discount(address)) => {
                    if let Err(error) = self.kernel.discount(address) {
                        tracing::warn!(%address, error = %Chain(&error), "the traffic of an address is still counted");
                    }
                }
                Output::Request(Request::FindDaemon) => self.find_daemon(),
                Output::Request(Request::CountDrops) => self.drops.begin(),
                Output::Request(Request::StopCounting) => self.drops.end(),
                Output::Request(Request::Ask(question)) => {
                    // The observer sees by itself that a question did not leave.
                    if let Some(asker) = &mut self.asker
                        && let Err(error) = asker.ask(&question)
                    {
                        let address = question.wanted();
                        tracing::debug!(%address, error = %Chain(&error), "an address was not asked for");
                    }
                }
            }
        }
    }
}
