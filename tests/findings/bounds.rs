//! Floods of made-up routers: memory stays bounded, and it is said that something was forgotten.

use vrrp_tests::vrrp::Message;
use vrrp_user::input::News;
use vrrp_user::record::{Body, LossReason};

use crate::stage::{Host, ONE, SECOND, Stage, VIP, advert, time};

#[test]
fn a_flood_displaces_the_unproven_and_says_so() {
    let mut stage = Stage::new();
    let genuine = Message::v2(51, 150, [VIP.into()]);
    for second in 0..3 {
        stage.frame(second * SECOND, advert(ONE, &genuine));
    }
    for number in 0..2000_u64 {
        // Each VLAN is a segment of its own.
        let vlan = u16::try_from(number % 4000 + 1).expect("12 bits");
        let fake = Host {
            mac: [2, 9, 0, 0, 0, 1],
            ..ONE
        };
        let frame = advert(fake, &Message::v2(7, 100, [VIP.into()]));
        stage.frame(
            2001 + number / 4,
            vrrp_tests::frames::tagged(&frame, &[(0x8100, vlan)]),
        );
    }
    stage.frame(3 * SECOND, advert(ONE, &genuine));
    let tracker = stage.observer.world().tracker();
    assert!(tracker.routers().count() <= 512);
    let kept = tracker
        .routers()
        .find(|router| router.vrid.get() == 51)
        .and_then(|router| router.active())
        .expect("the genuine one is kept");
    assert_eq!(kept.adverts, 4);
    stage.observer.handle(time(60 * SECOND), &News::Time.into());
    stage.collect();
    let forgotten: u64 = stage
        .records
        .iter()
        .filter_map(|record| match &record.body {
            Body::Loss(loss) => loss.lost.get(&LossReason::TrackerFull),
            _ => None,
        })
        .sum();
    assert!(
        forgotten >= 2000 - 512,
        "{forgotten} were said to be forgotten"
    );
}

#[test]
fn a_flood_of_sources_does_not_displace_the_active_router() {
    let mut stage = Stage::new();
    let genuine = Message::v2(51, 150, [VIP.into()]);
    for second in 0..3 {
        stage.frame(second * SECOND, advert(ONE, &genuine));
    }
    for number in 0..1000_u16 {
        let [high, low] = number.to_be_bytes();
        let fake = Host {
            ip: [10, 99, high, low].into(),
            mac: [2, 9, 0, 0, high, low],
        };
        let advert = advert(fake, &Message::v2(51, 1, [VIP.into()]));
        stage.frame(2001 + u64::from(number) / 10, advert);
    }
    let router = stage.observer.world().tracker().routers().next();
    let router = router.expect("the virtual router");
    assert!(router.speakers().count() <= 16);
    assert_eq!(
        router.active().map(|active| active.source),
        Some(ONE.ip.into())
    );
}
