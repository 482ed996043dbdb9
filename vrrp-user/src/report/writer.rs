//! A thread for each output, so that a slow disk or pager holds up neither the ring buffer nor another
//! output.
//!
//! Records go through a queue of limited size. When it is full, what concerns a single frame is
//! dropped and counted; the count comes back to the caller, who reports it as loss like any other.
//! What is rare and worth more, such as that very report, finds its place for much longer. A replay,
//! which can wait, writes by itself: handing every record to another thread costs more than writing
//! it.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, TryRecvError, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{
    sync::{mpsc, oneshot},
    task::spawn_blocking,
    time::timeout,
};

use super::{
    Appetite, Content, Place, Report, complete, outlet::Outlet, quota::Quota, target::Unwritten,
};
use crate::{
    chain::Chain,
    frame::Frame,
    input::{Input, News},
    model::Timestamp,
    record::{Kind, Record},
};

/// Records and frames under way to an output at most, where each concerns a single frame; some
/// megabytes.
const FLOOD_LIMIT: usize = 16_384;
/// Messages of any kind under way at most. The rare ones come at most some times a second, and have
/// as much room for themselves.
const LIMIT: usize = 2 * FLOOD_LIMIT;
/// How long an output may take nothing at the end of a run before it counts as dead.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the end of a run waits to learn what outputs did not take. One that is not stuck is done
/// much sooner.
const SETTLING: Duration = Duration::from_millis(200);

enum Message {
    Record(Arc<Record>),
    Frame(Arc<Frame>),
    Input(Timestamp, Arc<Input>),
    Reopen,
    /// Count what is not written. The sender goes when that is done.
    Settle(oneshot::Sender<Infallible>),
}

impl Message {
    /// How many messages may be under way for this one to join them.
    fn limit(&self) -> usize {
        match self {
            Self::Record(record) => match record.body.kind() {
                Kind::Advert | Kind::Carp | Kind::Arp | Kind::Nd => FLOOD_LIMIT,
                _ => LIMIT,
            },
            Self::Frame(_) => FLOOD_LIMIT,
            Self::Input(_, input) => match input.news {
                News::Frame(_) => FLOOD_LIMIT,
                _ => LIMIT,
            },
            Self::Reopen | Self::Settle(_) => LIMIT,
        }
    }
}

/// A [`Report`] with its outputs behind queues.
#[derive(Debug)]
pub struct Writer {
    lanes: Vec<Lane>,
    quota: Quota,
    /// Each output that matters for the end of the run holds a sender.
    outputs: mpsc::Receiver<Infallible>,
    dropped: u64,
}

/// The way to one output.
#[derive(Debug)]
struct Lane {
    place: Place,
    content: Content,
    queue: Sender<Message>,
    counts: Arc<Counts>,
    thread: JoinHandle<Option<String>>,
}

/// What both ends of a queue know.
#[derive(Debug, Default)]
struct Counts {
    /// Messages in the queue.
    waiting: AtomicUsize,
    /// Records or frames that the output did not take, and that are not told yet.
    unwritten: AtomicU64,
}

impl Writer {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn spawn(report: Report) -> io::Result<Self> {
        let Report { outlets, quota } = report;
        let any_records = outlets.iter().any(|outlet| outlet.content().is_records());
        let (alive, outputs) = mpsc::channel(1);
        let lanes = outlets.into_iter().map(|outlet| {
            let matters = outlet.content().is_records() == any_records;
            Lane::spawn(outlet, matters.then(|| alive.clone()))
        });
        Ok(Self {
            lanes: lanes.collect::<io::Result<_>>()?,
            quota,
            outputs,
            dropped: 0,
        })
    }

    /// Queues a record for every output that takes records of its kind.
    pub fn record(&mut self, record: Record) {
        let wants = |lane: &Lane| lane.content.admits(&record);
        if !(self.lanes.iter().any(wants) && self.quota.take(&record)) {
            return;
        }
        let record = Arc::new(record);
        for lane in &self.lanes {
            if lane.content.admits(&record) {
                self.dropped += lane.send(Message::Record(Arc::clone(&record)));
            }
        }
    }

    /// Queues a frame to be kept, where frames are kept.
    pub fn frame(&mut self, frame: Frame) {
        if self.appetite() == Appetite::Enough {
            return;
        }
        let frame = Arc::new(frame);
        for lane in &self.lanes {
            if matches!(lane.content, Content::Frames { .. }) {
                self.dropped += lane.send(Message::Frame(Arc::clone(&frame)));
            }
        }
    }

    /// Whether what the observer is told is kept.
    pub fn records_inputs(&self) -> bool {
        self.lanes.iter().any(Lane::records_inputs)
    }

    /// Queues what the observer was told, where that is kept. If there is no room, the recording has a
    /// hole.
    pub fn input(&mut self, at: Timestamp, input: Input) {
        let input = Arc::new(input);
        for lane in self.lanes.iter().filter(|lane| lane.records_inputs()) {
            self.dropped += lane.send(Message::Input(at, Arc::clone(&input)));
        }
    }

    /// Asks for the files to be opened anew.
    pub fn reopen(&self) {
        for lane in &self.lanes {
            lane.send(Message::Reopen);
        }
    }

    /// Whether more records are wanted.
    pub const fn appetite(&self) -> Appetite {
        self.quota.appetite()
    }

    /// Waits until nobody reads the last output of records any more. May be cancelled.
    pub async fn unread(&mut self) {
        // Nothing is ever sent.
        let _: Option<Infallible> = self.outputs.recv().await;
    }

    /// How many records and frames found no room in a queue since the last call.
    pub const fn take_dropped(&mut self) -> u64 {
        std::mem::replace(&mut self.dropped, 0)
    }

    /// How many records and frames outputs did not take since the last call.
    pub fn take_unwritten(&self) -> u64 {
        let counts = self.lanes.iter().map(|lane| &lane.counts.unwritten);
        counts.map(|count| count.swap(0, Ordering::Relaxed)).sum()
    }

    /// Waits until it is known of everything queued so far whether it was written, but not for an
    /// output that is stuck.
    pub async fn settle(&self) {
        let settled = self.lanes.iter().map(|lane| {
            let (done, settled) = oneshot::channel();
            lane.send(Message::Settle(done));
            settled
        });
        // What is not known by then is told at the very end.
        let _: Result<Vec<_>, _> = timeout(SETTLING, join_all(settled)).await;
    }

    /// Waits until everything queued is written. An output that is slow gets its time; one that takes
    /// nothing must not keep the process from ending.
    ///
    /// # Errors
    /// Records or frames could not be written.
    pub async fn finish(self) -> io::Result<()> {
        let ends: Vec<_> = self.lanes.into_iter().map(Lane::end).collect();
        let mut unwritten = Vec::new();
        for end in ends {
            unwritten.extend(end.wait().await);
        }
        complete(&unwritten)
    }
}

impl Lane {
    /// Starts the thread, which holds `alive` until it ends.
    fn spawn(outlet: Outlet, alive: Option<mpsc::Sender<Infallible>>) -> io::Result<Self> {
        let (queue, messages) = channel();
        let counts = Arc::<Counts>::default();
        Ok(Self {
            place: outlet.place().clone(),
            content: outlet.content().clone(),
            queue,
            counts: Arc::clone(&counts),
            thread: std::thread::Builder::new()
                .name("output".to_owned())
                .spawn(move || {
                    let written = write(outlet, &messages, &counts);
                    drop(alive);
                    match written {
                        Ok(unwritten) => unwritten.map(|it| Chain(&it).to_string()),
                        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
                        Err(error) => Some(error.to_string()),
                    }
                })?,
        })
    }

    const fn records_inputs(&self) -> bool {
        matches!(self.content, Content::Recording { .. })
    }

    /// Queues a message. Returns how many records or frames were dropped for want of room.
    fn send(&self, message: Message) -> u64 {
        if self.counts.waiting.load(Ordering::Relaxed) >= message.limit() {
            return 1;
        }
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        if self.queue.send(message).is_err() {
            // The thread's result tells why; this is no loss of ours.
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        0
    }

    /// Sends nothing more.
    fn end(self) -> End {
        End {
            place: self.place,
            counts: self.counts,
            thread: self.thread,
        }
    }
}

/// A lane to which nothing more comes.
struct End {
    place: Place,
    counts: Arc<Counts>,
    thread: JoinHandle<Option<String>>,
}

impl End {
    /// Waits for the thread. Returns what is to be said of it.
    async fn wait(self) -> Option<String> {
        let place = self.place;
        let failed = || Some(format!("the thread that writes to {place} failed"));
        let mut ended = spawn_blocking(|| self.thread.join());
        loop {
            let before = self.counts.waiting.load(Ordering::Relaxed);
            match timeout(PATIENCE, &mut ended).await {
                Ok(Ok(Ok(unwritten))) => return unwritten,
                Ok(Ok(Err(_)) | Err(_)) => return failed(),
                Err(_) if self.counts.waiting.load(Ordering::Relaxed) < before => {}
                Err(_) => {
                    return Some(format!(
                        "nobody reads {place}; the last records are not written"
                    ));
                }
            }
        }
    }
}

/// The thread: writes until the writer is gone. Returns what was not written.
fn write(
    mut outlet: Outlet,
    messages: &Receiver<Message>,
    counts: &Counts,
) -> io::Result<Option<Unwritten>> {
    loop {
        let message = match messages.try_recv() {
            Ok(message) => Some(message),
            // Only an idle writer flushes: one that is behind has better things to do.
            Err(TryRecvError::Empty) => {
                outlet.flush()?;
                messages.recv().ok()
            }
            Err(TryRecvError::Disconnected) => None,
        };
        let Some(message) = message else {
            return outlet.finish();
        };
        counts.waiting.fetch_sub(1, Ordering::Relaxed);
        let mut unwritten = 0;
        let mut settled = None;
        match message {
            Message::Record(record) => outlet.record(&record)?,
            Message::Frame(frame) => outlet.frame(&frame)?,
            Message::Input(at, input) => outlet.input(at, &input)?,
            Message::Reopen => {
                if let Err(error) = outlet.reopen() {
                    tracing::error!(error = %Chain(&error), "cannot reopen a file; writing goes on to the old one");
                }
            }
            Message::Settle(done) => {
                unwritten = outlet.settle()?;
                settled = Some(done);
            }
        }
        unwritten += outlet.take_unwritten();
        counts.unwritten.fetch_add(unwritten, Ordering::Relaxed);
        drop(settled);
    }
}
