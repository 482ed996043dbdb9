//! Frames that this host dropped before any program saw them: its CPUs had no room for them.
//!
//! Each CPU keeps what veth, loopback and receive packet steering hand it in a queue of
//! `net.core.netdev_max_backlog` frames. What comes when that is full is dropped ahead of XDP and TC, and
//! counted in `/proc/net/softnet_stat`, for the whole machine and not by interface.

use std::{fs::File, io, os::unix::fs::FileExt as _};

const FILE: &str = "/proc/net/softnet_stat";
/// A line of it has up to 15 numbers of eight digits.
const LINE: usize = 136;
/// CPUs that there is room for.
const CPUS: usize = 1024;
/// One frame in so many that is dropped proves nothing about those that were expected: that three adverts
/// in a row are among them happens once in a million times.
const SHARE: u32 = 100;

/// The queues of the CPUs.
#[derive(Debug)]
pub struct Backlog {
    file: File,
    text: Vec<u8>,
    before: Vec<Queue>,
}

/// What a CPU counted: the kernel counts in 32 bits, and begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Queue {
    processed: u32,
    dropped: u32,
}

impl Backlog {
    /// Begins to look.
    ///
    /// # Errors
    ///
    /// The kernel does not tell.
    pub fn open() -> io::Result<Self> {
        let mut backlog = Self {
            file: File::open(FILE)?,
            text: vec![0; LINE * CPUS],
            before: Vec::new(),
        };
        backlog.before = backlog.read()?;
        Ok(backlog)
    }

    /// How many were dropped since the last call by CPUs that dropped so many that some may be missed.
    ///
    /// # Errors
    ///
    /// The kernel does not tell.
    pub fn take(&mut self) -> io::Result<u64> {
        let now = self.read()?;
        let before = std::mem::replace(&mut self.before, now);
        Ok(dropped(&before, &self.before))
    }

    fn read(&mut self) -> io::Result<Vec<Queue>> {
        let mut length = 0;
        loop {
            let more = self.file.read_at(&mut self.text[length..], length as u64)?;
            length += more;
            if more == 0 {
                return Ok(parse(&self.text[..length]));
            }
        }
    }
}

fn parse(text: &[u8]) -> Vec<Queue> {
    let queue = |line: &str| {
        let mut numbers = line.split_ascii_whitespace();
        let mut next = || u32::from_str_radix(numbers.next()?, 16).ok();
        Some(Queue {
            processed: next()?,
            dropped: next()?,
        })
    };
    let text = str::from_utf8(text).unwrap_or_default();
    text.lines().filter_map(queue).collect()
}

/// A CPU that came between two readings has counted nothing before.
fn dropped(before: &[Queue], now: &[Queue]) -> u64 {
    let mut before = before.iter().copied();
    now.iter()
        .map(|now| {
            let before = before.next().unwrap_or_default();
            let dropped = now.dropped.wrapping_sub(before.dropped);
            let processed = now.processed.wrapping_sub(before.processed);
            (processed, dropped)
        })
        .filter(|(processed, dropped)| {
            dropped.saturating_mul(SHARE) >= processed.saturating_add(*dropped)
        })
        .map(|(_, dropped)| u64::from(dropped))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a machine with two CPUs, with kernel 6.18.
    const STAT: &[u8] = b"\
        0cc8193a 00000000 00000093 00000000 00000000 00000000 00000000 00000000\n\
        ffffff00 fffffffe 0000002c 00000000 00000000 00000000 00000000 00000000\n";

    fn queue(processed: u32, dropped: u32) -> Queue {
        Queue { processed, dropped }
    }

    #[test]
    fn the_counters_of_each_cpu_are_read() {
        let queues = parse(STAT);
        assert_eq!(
            queues,
            [queue(0x0cc8_193a, 0), queue(0xffff_ff00, 0xffff_fffe)]
        );
        assert_eq!(parse(b"a word\n1\n1 2\n"), [queue(1, 2)]);
    }

    #[test]
    fn what_is_dropped_counts_where_it_may_matter() {
        let before = parse(STAT);
        assert_eq!(dropped(&before, &before), 0);
        // One CPU drops a quarter, across the end of its counters, the other one in a thousand.
        let now = [queue(0x0cc8_193a + 9_990, 10), queue(0x20, 94)];
        assert_eq!(dropped(&before, &now), 96);
        // That is, 0x120 were processed. One that is new has no past.
        assert_eq!(dropped(&[], &[queue(100, 50)]), 50);
    }

    #[test]
    fn this_machine_tells() {
        let mut backlog = Backlog::open().expect("/proc is there");
        assert!(!backlog.before.is_empty());
        backlog.take().expect("it still is");
    }
}
