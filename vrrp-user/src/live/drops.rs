//! Counts what the kernel drops, for as long as the observer wants it.
//!
//! Loading the program and naming places take tenths of a second, in which the ring buffer must not
//! wait: that is done on other threads.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
    time::interval,
};

use crate::{
    capture::{DropCounter, DropsError, KernelTypes},
    chain::Chain,
    dropped::Dropped,
};

/// How often the counts are read.
const READING: Duration = Duration::from_millis(200);

/// The counter, if there is one.
#[derive(Default)]
pub(super) struct DropWatch(Option<Counting>);

struct Counting {
    task: JoinHandle<()>,
    counts: mpsc::Receiver<Vec<Dropped>>,
}

impl DropWatch {
    /// Begins to count.
    pub(super) fn begin(&mut self) {
        self.end();
        let (sender, counts) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            if let Err(error) = count(sender).await {
                tracing::warn!(error = %Chain(&error), "what drops VRRP on this host cannot be told");
            }
        });
        self.0 = Some(Counting { task, counts });
    }

    /// Takes the counter away.
    pub(super) fn end(&mut self) {
        if let Some(counting) = self.0.take() {
            counting.task.abort();
        }
    }

    /// Waits until something was dropped, and gives back all that was so far.
    pub(super) async fn next(&mut self) -> Vec<Dropped> {
        if let Some(counting) = &mut self.0
            && let Some(dropped) = counting.counts.recv().await
        {
            return dropped;
        }
        std::future::pending().await
    }
}

/// Counts until nobody wants to know.
async fn count(sender: mpsc::Sender<Vec<Dropped>>) -> Result<(), DropsError> {
    let attach = || DropCounter::attach(Arc::new(KernelTypes::read()?));
    // Only a panic keeps the other thread from answering.
    let Ok(counter) = spawn_blocking(attach).await else {
        return Ok(());
    };
    let mut counter = counter?;
    // That counting has begun is told as well, and be there nothing yet.
    let mut told = None;
    let mut tick = interval(READING);
    loop {
        tick.tick().await;
        let read = move || {
            let dropped = counter.read();
            (counter, dropped)
        };
        let Ok((same, dropped)) = spawn_blocking(read).await else {
            return Ok(());
        };
        counter = same;
        let dropped = dropped?;
        if told.as_ref() != Some(&dropped) {
            told = Some(dropped.clone());
            if sender.send(dropped).await.is_err() {
                return Ok(());
            }
        }
    }
}
