//! What the observer hands out: records to write, and requests to the kernel.

use super::Live;
use crate::{
    chain::Chain,
    observer::{Output, Request},
};

impl Live {
    pub(super) fn pass_outputs(&mut self) {
        while let Some(output) = self.observer.poll_output() {
            match output {
                Output::Record(record) => self.writer.record(record),
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
