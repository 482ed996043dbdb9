//! What happens on the way to user space: too large, too many, with debug lines.

use aya::{maps::RingBuf, programs::Xdp};
use vrrp_ebpf::{Counter, EventHeader, MAX_CAPTURE, SIZE_CLASSES, hook, kind, program};
use vrrp_tests::frames::{self, VRRP};
use vrrp_user::{capture::LoadSettings, observer::ArpMode};

use crate::lab::{HOOKS, Lab};

#[test]
fn a_jumbo_frame_in_fragments_arrives_cut_and_says_so() {
    let mut lab = Lab::new(ArpMode::Off);
    let jumbo = frames::ipv4(VRRP, &vec![0x21; 8900]);
    let outcome = lab.run_on(hook::XDP, &jumbo);
    assert_eq!(outcome.moved(), [(Counter::DeliveredVrrp, 1)]);
    let [(header, bytes)] = &outcome.events[..] else {
        panic!("{} events", outcome.events.len());
    };
    assert_eq!(header.kind, kind::VRRP);
    assert_eq!(header.frame_len as usize, jumbo.len());
    assert_eq!(header.captured_len as usize, MAX_CAPTURE);
    assert_eq!(bytes, &jumbo[..MAX_CAPTURE]);
}

#[test]
fn a_full_ring_is_counted_and_the_rest_goes_on() {
    let settings = LoadSettings {
        arp: ArpMode::Off,
        ring_bytes: 4096,
        budgets: false,
        ..LoadSettings::default()
    };
    // The kernel puts eight bytes before each event and keeps one byte of the ring free.
    let fit = u64::try_from(4096 / (SIZE_CLASSES[0] + 8)).unwrap();
    let runs = 100;
    for hook in HOOKS {
        let mut lab = Lab::with(&settings);
        let outcome = lab.run_times(hook, &frames::advert(), runs);
        assert_eq!(
            outcome.moved(),
            [
                (Counter::DeliveredVrrp, fit),
                (Counter::RingFull, u64::from(runs) - fit)
            ]
        );
        assert_eq!(outcome.counts.lost(), u64::from(runs) - fit);
        assert_eq!(outcome.events.len() as u64, fit);
        // There is room again.
        assert_eq!(
            lab.run_on(hook, &frames::advert()).moved(),
            [(Counter::DeliveredVrrp, 1)]
        );
    }
}

#[test]
fn events_carry_the_boot_clock() {
    let mut lab = Lab::new(ArpMode::Off);
    let now = || {
        let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).unwrap();
        u64::try_from(now.tv_sec() * 1_000_000_000 + now.tv_nsec()).unwrap()
    };
    for hook in HOOKS {
        let before = now();
        let outcome = lab.run_on(hook, &frames::advert());
        let after = now();
        let (EventHeader { timestamp_ns, .. }, _) = &outcome.events[0];
        assert!((before..=after).contains(timestamp_ns));
    }
}

#[test]
fn debug_lines_are_sent_when_asked_for_and_are_gone_from_the_program_when_not() {
    let settings = LoadSettings {
        arp: ArpMode::Off,
        debug: true,
        ..LoadSettings::default()
    };
    let mut loud = Lab::with(&settings);
    let quiet = Lab::new(ArpMode::Off);
    let size = |lab: &Lab| {
        let program: &Xdp = lab
            .object()
            .program(program::XDP)
            .unwrap()
            .try_into()
            .unwrap();
        program.info().unwrap().size_translated().unwrap()
    };
    assert!(size(&quiet) < size(&loud));

    let mut log = RingBuf::try_from(loud.take_map("AYA_LOGS")).unwrap();
    for hook in HOOKS {
        loud.run_on(hook, &frames::udp_v4());
        assert!(
            log.next().is_none(),
            "a line about a frame that is none of ours"
        );
        loud.run_on(hook, &frames::advert());
        let line = log.next().expect("a line about the advert");
        let text = String::from_utf8_lossy(&line);
        assert!(text.contains(": kind "), "{text}");
    }
}
