//! The one place of unsafe code: reading packets, contexts, maps, memory and the clock of the
//! kernel.
#![expect(
    unsafe_code,
    reason = "raw access to kernel memory is what this file is for"
)]

use core::{mem::MaybeUninit, ptr};

use aya_ebpf::{
    EbpfContext,
    bindings::{__sk_buff, BPF_NOEXIST, xdp_md},
    helpers::{
        bpf_ktime_get_boot_ns, bpf_probe_read_kernel, bpf_skb_load_bytes, bpf_xdp_get_buff_len,
        bpf_xdp_load_bytes,
    },
    maps::{PerCpuArray, PerCpuHashMap},
    programs::{TcContext, XdpContext},
};
use vrrp_ebpf::{EventHeader, traffic::FlowCount};

/// A frame at one of the hooks.
pub(crate) trait Frame: EbpfContext {
    /// Address of the first byte that can be read directly.
    fn start(&self) -> usize;

    /// Address behind the last byte that can be read directly; the frame may go on elsewhere.
    fn end(&self) -> usize;

    /// Length of the whole frame in bytes.
    fn length(&self) -> u32;

    /// How many frames it is on the wire: the stack merges what comes in, and cuts what goes out
    /// only behind this hook.
    fn segments(&self) -> u32;

    /// Index of the interface.
    fn ifindex(&self) -> u32;

    /// TPID and tag control information of a tag that was moved out of the frame, in host order;
    /// the TPID is 0 where there is none.
    fn stripped_tag(&self) -> (u16, u16);

    /// Copies `length` bytes from `offset` of the frame, wherever they are kept, to `to`.
    /// Zero means success.
    ///
    /// # Safety
    ///
    /// `to` must be valid for writes of `length` bytes.
    unsafe fn load(&self, offset: u32, to: *mut u8, length: u32) -> i64;

    /// Reads `N` bytes at an offset that is a constant on every path through the program (the
    /// verifier must know it): directly where they are in reach, else as [`Frame::far`] does.
    #[inline(always)]
    fn head<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        let at = self.start() + offset;
        if at + N <= self.end() {
            // SAFETY: the compare proves that the N bytes lie between start and end, the linear
            // part of the packet, which the kernel keeps in place while the program runs; an
            // array of bytes has no alignment. The verifier checks the same.
            Some(unsafe { *(at as *const [u8; N]) })
        } else {
            self.far(offset)
        }
    }

    /// Reads `N` bytes at any offset with a helper call. `None` where the frame is shorter.
    #[inline(always)]
    fn far<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        let mut bytes = MaybeUninit::<[u8; N]>::uninit();
        // SAFETY: `bytes` is N bytes long and lives on the stack of the program.
        let failed = unsafe { self.load(offset as u32, bytes.as_mut_ptr().cast(), N as u32) };
        // SAFETY: the helper writes all N bytes, zeros where it fails.
        (failed == 0).then(|| unsafe { bytes.assume_init() })
    }
}

impl Frame for XdpContext {
    #[inline(always)]
    fn start(&self) -> usize {
        self.data()
    }

    #[inline(always)]
    fn end(&self) -> usize {
        self.data_end()
    }

    #[inline(always)]
    fn length(&self) -> u32 {
        // SAFETY: the context is the one the kernel called the program with.
        unsafe { bpf_xdp_get_buff_len(self.ctx) as u32 }
    }

    #[inline(always)]
    fn segments(&self) -> u32 {
        1
    }

    #[inline(always)]
    fn ifindex(&self) -> u32 {
        let context: *const xdp_md = self.ctx;
        // SAFETY: the context is the one the kernel called the program with.
        unsafe { (*context).ingress_ifindex }
    }

    /// XDP runs before the kernel moves a tag, and does not see one that the NIC moved.
    #[inline(always)]
    fn stripped_tag(&self) -> (u16, u16) {
        (0, 0)
    }

    #[inline(always)]
    unsafe fn load(&self, offset: u32, to: *mut u8, length: u32) -> i64 {
        // SAFETY: the context is the kernel's, and the caller vouches for `to` and `length`.
        unsafe { bpf_xdp_load_bytes(self.ctx, offset, to.cast(), length) }
    }
}

impl Frame for TcContext {
    #[inline(always)]
    fn start(&self) -> usize {
        self.data()
    }

    #[inline(always)]
    fn end(&self) -> usize {
        self.data_end()
    }

    #[inline(always)]
    fn length(&self) -> u32 {
        self.len()
    }

    #[inline(always)]
    fn segments(&self) -> u32 {
        let context: *const __sk_buff = self.skb.skb;
        // SAFETY: the context is the one the kernel called the program with.
        let segments = unsafe { (*context).gso_segs };
        segments.max(1)
    }

    #[inline(always)]
    fn ifindex(&self) -> u32 {
        let context: *const __sk_buff = self.skb.skb;
        // SAFETY: the context is the one the kernel called the program with.
        unsafe { (*context).ifindex }
    }

    #[inline(always)]
    fn stripped_tag(&self) -> (u16, u16) {
        let context: *const __sk_buff = self.skb.skb;
        // SAFETY: the context is the one the kernel called the program with.
        let (present, protocol, tci) = unsafe {
            (
                (*context).vlan_present,
                (*context).vlan_proto,
                (*context).vlan_tci,
            )
        };
        if present == 0 {
            (0, 0)
        } else {
            (u16::from_be(protocol as u16), tci as u16)
        }
    }

    #[inline(always)]
    unsafe fn load(&self, offset: u32, to: *mut u8, length: u32) -> i64 {
        // SAFETY: the context is the kernel's, and the caller vouches for `to` and `length`.
        unsafe { bpf_skb_load_bytes(self.skb.skb.cast(), offset, to.cast(), length) }
    }
}

/// Writes the header and the first `header.captured_len` bytes of the frame into a reserved event.
/// False where the frame cannot be read or the event is too small.
#[inline(always)]
pub(super) fn fill(event: &mut [u8], header: EventHeader, frame: &impl Frame) -> bool {
    let Some(room) = event.len().checked_sub(EventHeader::SIZE) else {
        return false;
    };
    let length = bounded(header.captured_len, room as u32);
    let to = event.as_mut_ptr();
    // SAFETY: the event has room for the header and `length` bytes behind it, and the kernel
    // aligns events to 8 bytes, which is what the header asks for.
    unsafe {
        ptr::write(to.cast(), header);
        frame.load(0, to.add(EventHeader::SIZE), length) == 0
    }
}

/// The smaller of both, and at least one, in a form that survives optimisation: the compiler knows
/// from the caller that `value` is never larger and would drop the compare that the verifier has to
/// see. Before kernel 6.8 the verifier learns nothing from a compare with zero, and so nothing is
/// compared with it: zero comes out as `most`, more than a frame that is empty can give.
#[inline(always)]
fn bounded(value: u32, most: u32) -> u32 {
    core::hint::black_box(value).wrapping_sub(1).min(most - 1) + 1
}

/// Adds one to a slot of this CPU.
#[inline(always)]
pub(super) fn add_one(slots: &PerCpuArray<u64>, index: u32) {
    if let Some(slot) = slots.get_ptr_mut(index) {
        // SAFETY: the kernel returned a pointer to the slot of this CPU, which nothing else writes
        // while the program runs on it.
        unsafe { *slot += 1 }
    }
}

/// Adds one to what this CPU has under a key. False where there is no room for another key.
#[inline(always)]
pub(super) fn add_one_under<K>(counts: &PerCpuHashMap<K, u64>, key: &K) -> bool {
    if counts.get_ptr_mut(key).is_none() && counts.insert(key, 0, BPF_NOEXIST.into()).is_err() {
        // Unless another CPU was faster.
        if counts.get_ptr_mut(key).is_none() {
            return false;
        }
    }
    let Some(count) = counts.get_ptr_mut(key) else {
        return false;
    };
    // SAFETY: the kernel returned a pointer to the value of this CPU, and does not let the program
    // interrupt itself on it.
    unsafe { *count += 1 }
    true
}

/// Reads `N` bytes of kernel memory. `None` where there is nothing.
#[inline(always)]
pub(super) fn kernel<const N: usize>(address: u64) -> Option<[u8; N]> {
    // SAFETY: the helper checks the address itself, whatever it is, and any bytes are an array of
    // bytes.
    unsafe { bpf_probe_read_kernel(address as *const [u8; N]).ok() }
}

/// Adds to what this CPU counted of a flow. False where the flow is not in the map.
#[inline(always)]
pub(super) fn add_to_flow<K>(
    flows: &PerCpuHashMap<K, FlowCount>,
    key: &K,
    more: FlowCount,
) -> bool {
    let Some(count) = flows.get_ptr_mut(key) else {
        return false;
    };
    for (index, more) in more.into_iter().enumerate() {
        // SAFETY: the kernel returned a pointer to the value of this CPU, which no other writes.
        // A program that interrupts this one on its CPU serves the other direction, and so another
        // flow.
        unsafe { (*count)[index] += more }
    }
    true
}

/// A word of a map's value.
#[inline(always)]
pub(super) fn word<const N: usize>(words: *mut [u64; N], index: usize) -> u64 {
    // SAFETY: the kernel returned a pointer to the value, which stays while the program runs, and
    // the index is a constant that the compiler checks.
    unsafe { (*words)[index] }
}

/// Adds one to a word of a map's value. Another CPU may do so at the same time: a count that is
/// short by one still says that there was something.
#[inline(always)]
pub(super) fn add_word<const N: usize>(words: *mut [u64; N], index: usize) {
    // SAFETY: as in `word`.
    unsafe { (*words)[index] += 1 }
}

/// Spends one frame of the budget whose state is this word of a map's value; false where there is
/// none left. Another CPU may spend at the same time, and one frame too many pass.
#[inline(always)]
pub(super) fn spend<const N: usize>(
    words: *mut [u64; N],
    index: usize,
    step: u64,
    slack: u64,
    now: u64,
) -> bool {
    let spent = word(words, index);
    if spent > now + slack {
        return false;
    }
    let from = if spent > now { spent } else { now };
    // SAFETY: as in `word`.
    unsafe { (*words)[index] = from + step }
    true
}

/// Nanoseconds of the boot clock.
#[inline(always)]
pub(super) fn boot_time() -> u64 {
    // SAFETY: the helper takes nothing and returns a number.
    unsafe { bpf_ktime_get_boot_ns() }
}
