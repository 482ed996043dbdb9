//! What made-up frames cost, however they are made: no more than a few times their decoding.

use std::{hint::black_box, net::Ipv4Addr, time::Duration};

use etherparse::ArpOperation;
use nix::time::{ClockId, clock_gettime};
use vrrp_tests::vrrp::Message;
use vrrp_user::input::News;
use vrrp_user::{frame::Frame, wire};

use crate::stage::{Host, Stage, advert, arp, seen};

/// Frames that are timed as one.
const CHUNK: u64 = 250;
const CHUNKS: u64 = 12;
/// The addresses of an advert, and how many there are to choose from.
const ADDRESSES: u32 = 250;
const POOL: u32 = 500;
/// An advert may cost so many times what it costs to decode it. In an optimised build it is some 12
/// times, and was 250 times when lists were compared address by address, each with each.
const ADVERT: f64 = 40.0;
/// An ARP message may cost so many times what decoding an advert costs: it has a tenth of the bytes, and
/// concerns eight virtual routers.
const NEIGHBOUR: f64 = 60.0;

/// Numbers that look made up.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        u32::try_from((self.0 >> 33) % u64::from(limit)).expect("below a u32")
    }

    fn byte(&mut self, limit: u32) -> u8 {
        u8::try_from(self.below(limit)).expect("below 256")
    }
}

fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(10, 77, 0, 1).to_bits() + number)
}

fn host(number: u8) -> Host {
    Host {
        ip: Ipv4Addr::new(10, 77, 9, number + 1),
        mac: [2, 0, 0, 0, 1, number],
    }
}

/// An advert of one of nine virtual routers by one of sixteen, with other addresses each time.
fn made_up(numbers: &mut Numbers) -> Vec<u8> {
    let mut pool: Vec<u32> = (0..POOL).collect();
    let addresses: Vec<_> = (0..ADDRESSES)
        .map(|taken| {
            let left = POOL - taken;
            let chosen = numbers.below(left) as usize;
            address(pool.swap_remove(chosen)).into()
        })
        .collect();
    let message = Message::v2(50 + numbers.byte(9), 100 + numbers.byte(100), addresses);
    advert(host(numbers.byte(16)), &message)
}

/// An advert that says always the same, at any rate of the addresses.
fn steady(numbers: &mut Numbers) -> Vec<u8> {
    let addresses: Vec<_> = (0..ADDRESSES)
        .map(|number| address(number).into())
        .collect();
    let (vrid, router) = (numbers.byte(9), numbers.byte(16));
    advert(
        host(router),
        &Message::v2(50 + vrid, 100 + router, addresses),
    )
}

/// A claim of an address by a machine that nobody knows.
fn claim(numbers: &mut Numbers) -> Vec<u8> {
    let claimed = address(numbers.below(ADDRESSES));
    let machine = Host {
        ip: claimed,
        mac: [2, 9, 0, 0, numbers.byte(256), numbers.byte(256)],
    };
    let operation = if numbers.below(2) == 0 {
        ArpOperation::REPLY
    } else {
        ArpOperation::REQUEST
    };
    arp(operation, machine, claimed, claimed)
}

/// The time of this thread on a CPU: it shares the machine with others.
fn on_cpu() -> Duration {
    let clock = ClockId::CLOCK_THREAD_CPUTIME_ID;
    clock_gettime(clock).expect("every thread has one").into()
}

fn timed(mut work: impl FnMut()) -> Duration {
    let begun = on_cpu();
    work();
    on_cpu().saturating_sub(begun)
}

/// How many times what the decoding of made-up adverts costs these frames cost, one each millisecond:
/// the least that was measured of either, for the machine has other things to do.
fn ratio(before: &[fn(&mut Numbers) -> Vec<u8>], frame: fn(&mut Numbers) -> Vec<u8>) -> f64 {
    let mut numbers = Numbers(1);
    let mut stage = Stage::new();
    let mut clock = 0;
    let mut frames = |of: fn(&mut Numbers) -> Vec<u8>| -> Vec<Frame> {
        let next = (0..CHUNK).map(|at| seen(clock + at, of(&mut numbers), None));
        let frames = next.collect();
        clock += CHUNK;
        frames
    };
    for kind in before {
        for _ in 0..CHUNKS {
            for frame in frames(*kind) {
                stage
                    .observer
                    .handle(frame.time, &News::Frame(frame.clone()).into());
            }
        }
    }
    let key = Stage::settings().key;
    let (mut decoding, mut observing) = (Duration::MAX, Duration::MAX);
    for _ in 0..CHUNKS {
        let measure = frames(frame);
        observing = observing.min(timed(|| {
            for frame in &measure {
                stage
                    .observer
                    .handle(frame.time, &News::Frame(frame.clone()).into());
                while let Some(output) = stage.observer.poll_output() {
                    black_box(output);
                }
            }
        }));
        let adverts: Vec<Frame> = (0..CHUNK)
            .map(|at| seen(at, made_up(&mut Numbers(at)), None))
            .collect();
        decoding = decoding.min(timed(|| {
            for frame in &adverts {
                black_box(wire::decode(frame, &key));
            }
        }));
    }
    let ratio = observing.as_secs_f64() / decoding.as_secs_f64();
    println!("{observing:?} for {CHUNK}, {ratio:.1} times what decoding takes");
    ratio
}

#[test]
fn adverts_cost_little_whatever_they_say() {
    let made_up = ratio(&[], made_up);
    let steady = ratio(&[], steady);
    assert!(made_up < ADVERT && steady < ADVERT, "{made_up} {steady}");
}

#[test]
fn claims_cost_little_however_many_routers_they_concern() {
    let claim = ratio(&[steady], claim);
    assert!(claim < NEIGHBOUR, "{claim}");
}
