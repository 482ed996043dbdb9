//! Frames on a real wire: what the test run of the kernel cannot make.

use std::{process::Command, time::Duration};

use aya::programs::{TestRun as _, TestRunAttrs, TestRunOptions, Xdp};
use tokio::{runtime, time::timeout};
use vrrp_ebpf::{Counter, hook, kind, program};
use vrrp_tests::frames;
use vrrp_user::{
    capture::{Event, Interface, KernelHalf, LoadSettings, Mode, Ring, TcFlavour, open},
    observer::ArpMode,
};

use crate::network::{THERE, Wire, run};

const DEADLINE: Duration = Duration::from_secs(10);

fn watching(flavour: TcFlavour) -> KernelHalf {
    KernelHalf::load(&LoadSettings {
        arp: ArpMode::All,
        tc: Some(flavour),
        ..LoadSettings::default()
    })
    .expect("the programs load")
}

/// Lets the frame arrive at the interface as if its driver had received it.
pub(crate) fn receive(interface: &Interface, frame: &[u8]) {
    let mut object = open(&LoadSettings::default()).unwrap();
    let pass = object.program_mut(program::XDP_EMPTY).unwrap();
    let pass: &mut Xdp = pass.try_into().unwrap();
    pass.load().unwrap();
    // `struct xdp_md`: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex.
    let length = u32::try_from(frame.len()).unwrap();
    let context = [0, length, 0, interface.index, 0, 0]
        .map(u32::to_ne_bytes)
        .concat();
    pass.test_run(TestRunOptions {
        data_in: Some(frame),
        ctx_in: Some(&context),
        attrs: TestRunAttrs::new().xdp_live_frames(1),
        ..TestRunOptions::default()
    })
    .expect("the kernel takes a frame in");
}

/// Takes the first event that this is true of out of what has come, waiting for it to come.
async fn next(ring: &mut Ring, seen: &mut Vec<Event>, wanted: impl Fn(&Event) -> bool) -> Event {
    let search = async {
        loop {
            if let Some(position) = seen.iter().position(&wanted) {
                return seen.remove(position);
            }
            ring.fill(seen).await.unwrap();
        }
    };
    timeout(DEADLINE, search)
        .await
        .expect("the frame arrives in time")
}

fn on_runtime<T>(future: impl Future<Output = T>) -> T {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

#[test]
fn a_tag_that_was_taken_off_the_frame_is_told() {
    let wire = Wire::new();
    on_runtime(async {
        for flavour in [TcFlavour::Tcx, TcFlavour::Clsact] {
            let mut kernel = watching(flavour);
            let mut ring = kernel.take_ring().unwrap();
            let mut seen = Vec::new();
            let _attachment = kernel.attach(&wire.here, Mode::Auto).unwrap();
            let advert = frames::advert();
            for (tpid, tci) in [(0x8100, 100), (0x8100, 0), (0x88a8, 0xefff)] {
                receive(&wire.here, &frames::tagged(&advert, &[(tpid, tci)]));
                let Event { header, frame } = next(&mut ring, &mut seen, is_advert).await;
                assert_eq!((header.vlan_protocol, header.vlan_tci), (tpid, tci));
                assert_eq!(header.hook, hook::TC_INGRESS);
                assert_eq!(header.ifindex, wire.here.index);
                assert_eq!(frame, advert);
            }
            receive(
                &wire.here,
                &frames::tagged(&advert, &[(0x88a8, 7), (0x8100, 8)]),
            );
            let Event { header, frame } = next(&mut ring, &mut seen, is_advert).await;
            assert_eq!((header.vlan_protocol, header.vlan_tci), (0x88a8, 7));
            assert_eq!(frame, frames::tagged(&advert, &[(0x8100, 8)]));
        }
    });
}

#[test]
fn what_a_host_sends_is_seen_leaving_and_arriving() {
    let wire = Wire::new();
    on_runtime(async {
        let mut kernel = watching(TcFlavour::Tcx);
        let mut ring = kernel.take_ring().unwrap();
        let mut seen = Vec::new();
        let _there = kernel.attach(&wire.there, Mode::Auto).unwrap();
        let _here = kernel.attach(&wire.here, Mode::XdpNative).unwrap();
        run("ip", &["address", "add", "192.0.2.100/24", "dev", THERE]);
        // Nobody answers a gratuitous request, which arping calls a failure.
        Command::new("arping")
            .args(["-U", "-c", "1", "-i", THERE, "192.0.2.100"])
            .output()
            .expect("arping starts; cargo xtask setup");
        let out = next(&mut ring, &mut seen, |event| {
            event.header.kind == kind::ARP && event.header.hook == hook::TC_EGRESS
        })
        .await;
        let arrived = next(&mut ring, &mut seen, |event| {
            event.header.kind == kind::ARP && event.header.hook == hook::XDP
        })
        .await;
        assert_eq!(out.header.ifindex, wire.there.index);
        assert_eq!(arrived.header.ifindex, wire.here.index);
        assert_eq!(out.frame, arrived.frame);
        assert!(out.header.timestamp_ns <= arrived.header.timestamp_ns);
        let counts = kernel.counts().unwrap();
        assert!(counts.get(Counter::DeliveredArp) >= 2);
        assert_eq!(counts.lost(), 0);
        assert_eq!(ring.malformed(), 0);
    });
}

#[test]
fn the_filter_follows_the_watched_addresses() {
    let wire = Wire::new();
    on_runtime(async {
        let mut kernel = KernelHalf::load(&LoadSettings::default()).unwrap();
        let mut ring = kernel.take_ring().unwrap();
        let mut seen = Vec::new();
        let _attachment = kernel.attach(&wire.here, Mode::Auto).unwrap();
        let gateway = "192.0.2.100".parse().unwrap();
        let question = frames::arp(true, "192.0.2.7".parse().unwrap(), gateway);
        let unwatched = |kernel: &KernelHalf| kernel.counts().unwrap().get(Counter::ArpUnwatched);

        receive(&wire.here, &question);
        assert_eq!(unwatched(&kernel), 1);
        kernel.watch(gateway.into()).unwrap();
        kernel.watch(gateway.into()).unwrap();
        receive(&wire.here, &question);
        let event = next(&mut ring, &mut seen, |event| event.header.kind == kind::ARP).await;
        assert_eq!(event.frame, question);
        kernel.unwatch(gateway.into()).unwrap();
        kernel.unwatch(gateway.into()).unwrap();
        receive(&wire.here, &question);
        assert_eq!(unwatched(&kernel), 2);
    });
}

fn is_advert(event: &Event) -> bool {
    event.header.kind == kind::VRRP
}
