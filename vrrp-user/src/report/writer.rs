//! The thread that writes, so that a slow disk or pager never holds up the ring buffer.
//!
//! Records go through a queue of limited size. When it is full, what concerns a single frame is
//! dropped and counted; the count comes back to the caller, who reports it as loss like any other.
//! What is rare and worth more, such as that very report, finds its place for much longer. A replay,
//! which can wait, writes by itself: handing every record to another thread costs more than writing
//! it.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, TryRecvError, channel},
    },
    thread::JoinHandle,
};

use tokio::sync::oneshot;

use super::{Appetite, Report};
use crate::{
    chain::Chain,
    frame::Frame,
    record::{Kind, Record},
};

/// Records and frames under way at most, where each concerns a single frame; some megabytes.
const FLOOD_LIMIT: usize = 16_384;
/// Messages of any kind under way at most. The rare ones come at most some times a second, and have
/// as much room for themselves.
const LIMIT: usize = 2 * FLOOD_LIMIT;

enum Message {
    Record(Record),
    Frame(Frame),
    Reopen,
}

impl Message {
    /// How many messages may be under way for this one to join them.
    const fn limit(&self) -> usize {
        match self {
            Self::Record(record) => match record.body.kind() {
                Kind::Advert | Kind::Carp | Kind::Arp | Kind::Nd => FLOOD_LIMIT,
                _ => LIMIT,
            },
            Self::Frame(_) => FLOOD_LIMIT,
            Self::Reopen => LIMIT,
        }
    }
}

/// A [`Report`] behind a queue.
#[derive(Debug)]
pub struct Writer {
    queue: Sender<Message>,
    /// Messages in the queue.
    waiting: Arc<AtomicUsize>,
    dropped: Arc<AtomicU64>,
    unwritten: Arc<AtomicU64>,
    keeps_frames: bool,
    thread: JoinHandle<io::Result<()>>,
}

impl Writer {
    /// Starts the thread. The receiver fires when no more is wanted: the count is reached, or the
    /// output is broken.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn spawn(report: Report) -> io::Result<(Self, oneshot::Receiver<()>)> {
        let (queue, messages) = channel();
        let waiting = Arc::<AtomicUsize>::default();
        let unwritten = Arc::<AtomicU64>::default();
        let counts = Counts {
            waiting: Arc::clone(&waiting),
            unwritten: Arc::clone(&unwritten),
        };
        let (ended, end) = oneshot::channel();
        let keeps_frames = report.keeps_frames();
        let thread = std::thread::Builder::new()
            .name("report".to_owned())
            .spawn(move || {
                let mut ended = Some(ended);
                let result = write(report, &messages, &counts, &mut ended);
                tell(&mut ended);
                result
            })?;
        let writer = Self {
            queue,
            waiting,
            dropped: Arc::default(),
            unwritten,
            keeps_frames,
            thread,
        };
        Ok((writer, end))
    }

    /// Queues a record, or counts it as dropped.
    pub fn record(&self, record: Record) {
        self.send(Message::Record(record));
    }

    /// Queues a frame to be kept, where frames are kept, or counts it as dropped.
    pub fn frame(&self, frame: &Frame) {
        if self.keeps_frames {
            self.send(Message::Frame(frame.clone()));
        }
    }

    /// Asks for the output file to be opened anew.
    pub fn reopen(&self) {
        self.send(Message::Reopen);
    }

    /// How many were dropped since the last call.
    pub fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }

    /// How many the output or the file of the frames did not take since the last call.
    pub fn take_unwritten(&self) -> u64 {
        self.unwritten.swap(0, Ordering::Relaxed)
    }

    /// How many records and frames are under way; outlives the writer.
    pub fn waiting(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.waiting)
    }

    /// Waits until everything queued is written.
    ///
    /// # Errors
    /// `BrokenPipe` where its reader has gone; records or frames could not be written.
    pub fn finish(self) -> io::Result<()> {
        drop(self.queue);
        self.thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the writing thread panicked")))
    }

    fn send(&self, message: Message) {
        if self.waiting.load(Ordering::Relaxed) >= message.limit() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // After the thread's end its result tells what happened; this is no loss of ours.
        let _: Result<(), _> = self.queue.send(message);
    }
}

/// Tells the caller, once, that no more is wanted.
fn tell(ended: &mut Option<oneshot::Sender<()>>) {
    if let Some(ended) = ended.take() {
        // Nobody may be waiting any more.
        let _: Result<(), ()> = ended.send(());
    }
}

/// What the thread tells while it runs.
struct Counts {
    waiting: Arc<AtomicUsize>,
    unwritten: Arc<AtomicU64>,
}

/// The thread: writes until the writer is gone. What comes after the count is reached, the summary
/// among it, is still looked at.
fn write(
    mut report: Report,
    messages: &Receiver<Message>,
    counts: &Counts,
    ended: &mut Option<oneshot::Sender<()>>,
) -> io::Result<()> {
    loop {
        let message = match messages.try_recv() {
            Ok(message) => message,
            // Only an idle writer flushes: one that is behind has better things to do.
            Err(TryRecvError::Empty) => {
                report.flush()?;
                match messages.recv() {
                    Ok(message) => message,
                    Err(_) => return report.finish(),
                }
            }
            Err(TryRecvError::Disconnected) => return report.finish(),
        };
        counts.waiting.fetch_sub(1, Ordering::Relaxed);
        match message {
            Message::Record(record) => {
                if report.record(&record)? == Appetite::Enough {
                    tell(ended);
                }
            }
            Message::Frame(frame) if ended.is_some() => report.frame(&frame)?,
            Message::Frame(_) => {}
            Message::Reopen => {
                if let Err(error) = report.reopen() {
                    tracing::error!(error = %Chain(&error), "cannot reopen a file; writing goes on to the old one");
                }
            }
        }
        let unwritten = report.take_unwritten();
        counts.unwritten.fetch_add(unwritten, Ordering::Relaxed);
    }
}
