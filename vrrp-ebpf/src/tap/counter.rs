//! The per-CPU counters: every frame that matched is counted in exactly one.

use aya_ebpf::{macros::map, maps::PerCpuArray};
use vrrp_ebpf::Counter;

use super::bounds;

#[map]
static COUNTERS: PerCpuArray<u64> = PerCpuArray::with_max_entries(Counter::COUNT, 0);

/// Adds one.
#[inline(always)]
pub(super) fn count(counter: Counter) {
    bounds::add_one(&COUNTERS, counter.index());
}
