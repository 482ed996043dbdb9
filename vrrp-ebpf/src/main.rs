//! The kernel programs. Built for `bpfel-unknown-none` by vrrp-user's build script.
//!
//! Every program on an interface hands the frame to `tap::observe` and returns the verdict that
//! changes nothing: the tap never drops, alters or redirects. The one on the tracepoint hands what
//! others dropped to `tap::count_drop`.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]
#![cfg_attr(
    target_arch = "bpf",
    expect(
        unsafe_code,
        reason = "the entry points and the licence are exported by name"
    )
)]

#[cfg(target_arch = "bpf")]
mod tap;

#[cfg(target_arch = "bpf")]
mod programs {
    //! Entry points, named as in [`vrrp_ebpf::program`].

    use aya_ebpf::{
        bindings::{TC_ACT_UNSPEC, xdp_action::XDP_PASS},
        macros::{classifier, raw_tracepoint, xdp},
        programs::{RawTracePointContext, TcContext, XdpContext},
    };
    use vrrp_ebpf::hook;

    use crate::tap::{count_drop, observe};

    #[xdp(frags)]
    fn vrrp_xdp(frame: XdpContext) -> u32 {
        observe(&frame, hook::XDP);
        XDP_PASS
    }

    #[classifier]
    fn vrrp_tc_ingress(frame: TcContext) -> i32 {
        observe(&frame, hook::TC_INGRESS);
        TC_ACT_UNSPEC
    }

    #[classifier]
    fn vrrp_tc_egress(frame: TcContext) -> i32 {
        observe(&frame, hook::TC_EGRESS);
        TC_ACT_UNSPEC
    }

    #[xdp(frags)]
    fn vrrp_xdp_empty(_frame: XdpContext) -> u32 {
        XDP_PASS
    }

    #[classifier]
    fn vrrp_tc_empty(_frame: TcContext) -> i32 {
        TC_ACT_UNSPEC
    }

    #[raw_tracepoint(tracepoint = "kfree_skb")]
    fn vrrp_drops(context: RawTracePointContext) -> u32 {
        count_drop(&context);
        0
    }

    /// The kernel offers `bpf_ktime_get_boot_ns` and the ring buffer to GPL-compatible programs.
    #[unsafe(link_section = "license")]
    #[unsafe(no_mangle)]
    static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        loop {}
    }
}

#[cfg(not(target_arch = "bpf"))]
fn main() {}
