//! Who gets how much of the way to user space: known senders their own share, what is like them the
//! next, each other sender a little, and all others together no more than can be looked at.

use aya_ebpf::{
    Global,
    bindings::BPF_F_NO_PREALLOC,
    macros::map,
    maps::{Array, HashMap, LruHashMap},
};
use vrrp_ebpf::{
    Counter,
    budget::{
        self, Alike, Budget, KNOWN_BURST, Known, Likeness, MAX_ALIKE, MAX_KNOWN, MAX_SENDERS,
        SenderKey, pool,
    },
    kind, standing,
};

use super::{
    bounds::{self, Frame},
    neighbour,
};

#[map]
static KNOWN: HashMap<SenderKey, Known> = HashMap::with_max_entries(MAX_KNOWN, BPF_F_NO_PREALLOC);
#[map]
static ALIKE: LruHashMap<Likeness, Alike> = LruHashMap::with_max_entries(MAX_ALIKE, 0);
#[map]
static SENDERS: LruHashMap<SenderKey, u64> = LruHashMap::with_max_entries(MAX_SENDERS, 0);
#[map]
static POOLS: Array<u64> = Array::with_max_entries(pool::COUNT, 0);

/// Set by the loader.
#[unsafe(no_mangle)]
static BUDGETS: Global<u8> = Global::new(1);

/// What is to be known of a frame to find its budget.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    /// One of [`mod@kind`].
    pub(super) kind: u8,
    /// Offset of the IP header.
    pub(super) at: usize,
    /// Offset of the VRRP message.
    pub(super) message: usize,
    /// It is about a watched address.
    pub(super) watched: bool,
}

/// Offset of the source in an Ethernet header.
const SOURCE_MAC: usize = 6;

/// Whether the frame may go to user space: the standing of its sender, or where it is counted.
#[inline(always)]
pub(super) fn judge(frame: &impl Frame, subject: Subject) -> Result<u8, Counter> {
    if BUDGETS.load() == 0 {
        return Ok(standing::UNKNOWN);
    }
    let now = bounds::boot_time();
    if subject.kind == kind::VRRP {
        judge_router(frame, subject, now)
    } else {
        judge_machine(frame, subject, now)
    }
}

#[inline(always)]
fn judge_router(frame: &impl Frame, subject: Subject, now: u64) -> Result<u8, Counter> {
    let Some(key) = router(frame, subject) else {
        return pooled(
            pool::STRANGERS,
            budget::STRANGERS,
            now,
            Counter::VrrpOverBudget,
        );
    };
    if let Some(known) = KNOWN.get_ptr_mut(key) {
        let step = bounds::word(known, 0);
        if !bounds::spend(known, 1, step, step * KNOWN_BURST, now) {
            bounds::add_word(known, 2);
            return Err(Counter::KnownOverBudget);
        }
        let likeness = likeness(frame, subject.message);
        if ALIKE.get_ptr(likeness).is_none() {
            // Without it, what is like it is one of many.
            let _ = ALIKE.insert(likeness, [0, 0], 0);
        }
        return Ok(standing::KNOWN);
    }
    if let Some(alike) = ALIKE.get_ptr_mut(likeness(frame, subject.message)) {
        let Budget { step, slack } = budget::ALIKE;
        if bounds::spend(alike, 0, step, slack, now) {
            return Ok(standing::ALIKE);
        }
        bounds::add_word(alike, 1);
        return Err(Counter::AlikeOverBudget);
    }
    if !sender(key, budget::SENDER, now) {
        return Err(Counter::SenderOverBudget);
    }
    pooled(
        pool::STRANGERS,
        budget::STRANGERS,
        now,
        Counter::VrrpOverBudget,
    )
}

#[inline(always)]
fn judge_machine(frame: &impl Frame, subject: Subject, now: u64) -> Result<u8, Counter> {
    let over = Counter::NeighbourOverBudget;
    let mac = frame.far(SOURCE_MAC).unwrap_or([0; 6]);
    let key = budget::machine(mac);
    if !sender(key, budget::NEIGHBOUR, now) {
        return Err(over);
    }
    if KNOWN.get_ptr(key).is_some() {
        return Ok(standing::KNOWN);
    }
    if subject.watched {
        pooled(pool::WATCHED, budget::WATCHED, now, over)
    } else if neighbour::all_wanted() {
        pooled(pool::UNWATCHED, budget::ALL, now, over)
    } else {
        pooled(pool::UNWATCHED, budget::UNWATCHED, now, over)
    }
}

/// The key of the router that sent an advert.
#[inline(always)]
fn router(frame: &impl Frame, subject: Subject) -> Option<SenderKey> {
    let [version] = frame.far(subject.at)?;
    let [vrid] = frame.far(subject.message + 1)?;
    if version >> 4 == 4 {
        Some(budget::router_v4(frame.far(subject.at + 12)?, vrid))
    } else {
        Some(budget::router_v6(frame.far(subject.at + 8)?, vrid))
    }
}

/// What an advert says beside priority and checksum.
#[inline(always)]
fn likeness(frame: &impl Frame, message: usize) -> Likeness {
    let mut likeness = [0; 32];
    if let Some(whole) = frame.far::<32>(message) {
        likeness = whole;
    } else if let Some([head @ .., _, _, _, _]) = frame.far::<20>(message) {
        // Version 2 with one address and its password: the password is 8 bytes of it.
        likeness[..16].copy_from_slice(&head);
    } else if let Some(head) = frame.far::<12>(message) {
        likeness[..12].copy_from_slice(&head);
    }
    likeness[2] = 0;
    likeness[6] = 0;
    likeness[7] = 0;
    likeness
}

/// Whether a sender that is not known is within its budget.
#[inline(always)]
fn sender(key: SenderKey, budget: Budget, now: u64) -> bool {
    let Some(spent) = SENDERS.get_ptr_mut(key) else {
        // Where there is no room, the budget of all of them has to do.
        let _ = SENDERS.insert(key, now + budget.step, 0);
        return true;
    };
    bounds::spend(spent.cast::<[u64; 1]>(), 0, budget.step, budget.slack, now)
}

#[inline(always)]
fn pooled(index: u32, budget: Budget, now: u64, over: Counter) -> Result<u8, Counter> {
    match POOLS.get_ptr_mut(index) {
        Some(spent)
            if !bounds::spend(spent.cast::<[u64; 1]>(), 0, budget.step, budget.slack, now) =>
        {
            Err(over)
        }
        _ => Ok(standing::UNKNOWN),
    }
}
