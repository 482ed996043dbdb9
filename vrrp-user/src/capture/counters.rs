//! What the kernel programs counted.

use aya::{
    Ebpf,
    maps::{MapData, MapError, PerCpuArray},
};
use vrrp_ebpf::{Counter, map};

/// Frames per [`Counter`], summed over all CPUs and interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; Counter::ALL.len()]);

impl Counts {
    /// Frames in this counter.
    pub const fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize]
    }

    /// All counters with their frames, in the order of [`Counter::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Counter, u64)> {
        Counter::ALL.into_iter().zip(self.0)
    }

    /// What was added since an earlier reading.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut difference = *self;
        for (count, before) in difference.0.iter_mut().zip(earlier.0) {
            *count = count.saturating_sub(before);
        }
        difference
    }

    /// Frames that matched and were not delivered because something went wrong.
    pub const fn lost(&self) -> u64 {
        self.get(Counter::RingFull) + self.get(Counter::Unreadable)
    }

    /// Reads the counters of an object that [`super::open`] opened.
    ///
    /// # Errors
    ///
    /// Where the map cannot be read.
    pub fn read(object: &Ebpf) -> Result<Self, MapError> {
        let map = object.map(map::COUNTERS).ok_or(MapError::InvalidName {
            name: map::COUNTERS.to_owned(),
        })?;
        let slots: PerCpuArray<&MapData, u64> = map.try_into()?;
        let mut counts = Self::default();
        for (counter, count) in Counter::ALL.into_iter().zip(&mut counts.0) {
            *count = slots.get(&counter.index(), 0)?.iter().sum();
        }
        Ok(counts)
    }
}
