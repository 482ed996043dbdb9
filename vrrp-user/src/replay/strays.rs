//! Frames of another time than those around them.
//!
//! A recorder stamps a frame with the year 2106 or 1970 now and then. Files are merged by time, with one
//! frame of each at hand, and logs are read up to the time of the last one: such a frame would put all
//! that is left of its own file behind the others, and all of a log before it. So a frame that is far
//! from the one before waits for the next: if that goes on from the one before, the frame between has a
//! wrong time, and is given that of the one before. If some that follow do not, the clock was set, and that is for others
//! to judge.

use std::collections::{BTreeMap, VecDeque};

use super::Item;
use crate::{
    model::{Span, Timestamp},
    record::LossReason,
};

/// Items that wait at most: a frame with a wrong time is seen on several interfaces, but a clock that was
/// set must not keep a pipe waiting.
const LIMIT: usize = 4;

/// Items on their way out of a file.
pub(super) struct Strays {
    /// Time of the last frame that waits no more.
    settled: Option<Timestamp>,
    waiting: Vec<Item>,
    ready: VecDeque<Item>,
    /// A frame that comes later than this after the last one waits.
    patience: Span,
    /// Whether the first frame waits as well.
    waits_first: bool,
}

impl Strays {
    /// For a pipe, where what came should not wait for what comes, or for a file.
    pub(super) fn new(is_live: bool) -> Self {
        Self {
            settled: None,
            waiting: Vec::new(),
            ready: VecDeque::new(),
            patience: if is_live {
                Timestamp::FORWARD
            } else {
                Timestamp::BACKWARD
            },
            waits_first: !is_live,
        }
    }

    /// Time of the last frame that waits no more.
    pub(super) const fn settled(&self) -> Option<Timestamp> {
        self.settled
    }

    /// The next item that waits no more.
    pub(super) fn next(&mut self) -> Option<Item> {
        self.ready.pop_front()
    }

    /// Takes the next item of the file.
    pub(super) fn admit(&mut self, item: Item) {
        let Item::Frame(frame) = &item else {
            if self.waiting.is_empty() {
                self.release(item);
            } else {
                self.wait(item);
            }
            return;
        };
        let time = frame.time;
        match (self.settled, self.last_waiting()) {
            (None, None) if self.waits_first => self.wait(item),
            (None, None) => self.release(item),
            (None, Some(first)) => self.admit_early(item, time, first),
            (Some(before), None) => {
                if before.since(time) > Timestamp::BACKWARD || time.since(before) > self.patience {
                    self.wait(item);
                } else {
                    self.release(item);
                }
            }
            (Some(before), Some(last)) => {
                if !before.is_continued_by(time) {
                    self.wait(item);
                } else if last < before || !last.is_continued_by(time) {
                    self.correct(before);
                    self.release(item);
                } else {
                    // There was a pause.
                    self.release_all();
                    self.admit(item);
                }
            }
        }
    }

    /// No more comes: what waits is as it is.
    pub(super) fn end(&mut self) {
        self.release_all();
    }

    /// The second or third frame of a file: of three, two agree.
    fn admit_early(&mut self, item: Item, time: Timestamp, last: Timestamp) {
        let first = self.waiting.first().map_or(last, Item::time);
        if first.is_continued_by(time) && first == last {
            self.release_all();
            self.admit(item);
        } else if first == last {
            self.wait(item);
        } else {
            let items = std::mem::take(&mut self.waiting);
            self.waits_first = false;
            let mut items = items.into_iter();
            if let Some(odd) = items.next() {
                if last.is_continued_by(time) && !first.is_continued_by(time) {
                    self.waiting.push(odd);
                    self.correct(last);
                } else {
                    self.release(odd);
                }
            }
            items.chain([item]).for_each(|item| self.admit(item));
        }
    }

    fn last_waiting(&self) -> Option<Timestamp> {
        let mut frames = self.waiting.iter().rev();
        frames.find_map(|item| matches!(item, Item::Frame(_)).then(|| item.time()))
    }

    fn wait(&mut self, item: Item) {
        self.waiting.push(item);
        if self.waiting.len() >= LIMIT {
            self.release_all();
        }
    }

    /// Gives the frames that wait this time, and says so.
    fn correct(&mut self, time: Timestamp) {
        let mut count = 0;
        for mut item in std::mem::take(&mut self.waiting) {
            if let Item::Frame(frame) = &mut item {
                frame.time = time;
                count += 1;
            }
            self.release(item);
        }
        self.release(Item::Loss {
            time,
            lost: BTreeMap::from([(LossReason::StrayTime, count)]),
        });
    }

    fn release_all(&mut self) {
        for item in std::mem::take(&mut self.waiting) {
            self.release(item);
        }
    }

    fn release(&mut self, mut item: Item) {
        match &mut item {
            Item::Frame(frame) => self.settled = Some(frame.time),
            // It is of the time of the frame before.
            Item::Loss { time, .. } => *time = self.settled.unwrap_or(*time),
            // Nothing of a recording waits here.
            Item::Settings(_) | Item::Told(..) => {}
        }
        self.ready.push_back(item);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::frame::{Frame, LinkType, Origin, Tap};

    const YEAR: u64 = 31_557_600;
    const NOW: u64 = 50 * YEAR;

    /// What comes out of frames of these times, and how many times were wrong.
    fn settle(is_live: bool, times: &[u64]) -> (Vec<u64>, u64) {
        let mut strays = Strays::new(is_live);
        for time in times {
            strays.admit(Item::Frame(Frame {
                time: Timestamp::from_parts(*time, 0),
                origin: Origin {
                    interface: None,
                    direction: None,
                    tap: Tap(0),
                },
                link: LinkType::Ethernet,
                stripped_tag: None,
                length: 0,
                data: Bytes::new(),
            }));
        }
        strays.end();
        let mut wrong = 0;
        let mut settled = Vec::new();
        while let Some(item) = strays.next() {
            match item {
                Item::Frame(frame) => settled.push(frame.time.as_nanos() / 1_000_000_000),
                Item::Loss { lost, .. } => wrong += lost[&LossReason::StrayTime],
                other => panic!("{other:?}"),
            }
        }
        (settled, wrong)
    }

    #[test]
    fn a_lone_frame_of_another_time_is_put_where_it_stands() {
        for stray in [0, 1, NOW - 600, NOW + 600, NOW + 3600, 136 * YEAR] {
            for is_live in [false, true] {
                // Of a pipe, what is within the pace of adverts does not wait.
                if is_live && stray.abs_diff(NOW) == 600 && stray > NOW {
                    continue;
                }
                let times = [NOW, NOW + 1, stray, NOW + 2, NOW + 3];
                let put = vec![NOW, NOW + 1, NOW + 1, NOW + 2, NOW + 3];
                assert_eq!(settle(is_live, &times), (put, 1), "{stray} {is_live}");
                if stray != NOW + 600 {
                    // Seen on two interfaces.
                    let times = [NOW, NOW + 1, stray, stray, NOW + 2];
                    let put = vec![NOW, NOW + 1, NOW + 1, NOW + 1, NOW + 2];
                    assert_eq!(settle(is_live, &times), (put, 2), "{stray} {is_live}");
                }
            }
        }
    }

    #[test]
    fn the_first_frame_may_be_the_one() {
        for stray in [0, NOW + 3600, 136 * YEAR] {
            let times = [stray, NOW, NOW + 1, NOW + 2];
            let put = vec![NOW, NOW, NOW + 1, NOW + 2];
            assert_eq!(settle(false, &times), (put, 1), "{stray}");
            let times = [NOW, stray, NOW + 1, NOW + 2];
            let put = vec![NOW, NOW, NOW + 1, NOW + 2];
            assert_eq!(settle(false, &times), (put, 1), "{stray}");
        }
    }

    #[test]
    fn gaps_and_clocks_that_were_set_are_left_alone() {
        for times in [
            &[][..],
            &[NOW],
            &[NOW, NOW + 86_400],
            &[NOW, NOW + 10, NOW + 20, NOW + 600, NOW + 601],
            &[NOW, NOW + 1, NOW - 3600, NOW - 3599, NOW - 3598],
            &[NOW, NOW + 1, 136 * YEAR, 136 * YEAR + 1, 136 * YEAR + 2],
            &[NOW, NOW + 1, NOW + 2, 136 * YEAR],
            &[NOW, 3 * NOW, NOW + YEAR, 2 * NOW, 5, NOW],
        ] {
            for is_live in [false, true] {
                assert_eq!(settle(is_live, times), (times.to_vec(), 0));
            }
        }
    }
}
