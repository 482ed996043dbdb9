//! Clocks that are set while frames come.

use proptest::prelude::*;
use vrrp_user::record::{Body, Code, LossReason};

use crate::stage::{ONE, Played, SECOND, Script, Stage, TWO, message};

fn steps(played: &Played) -> u64 {
    let losses = played.0.iter().filter_map(|record| match &record.body {
        Body::Loss(loss) => loss.lost.get(&LossReason::ClockStepped),
        _ => None,
    });
    losses.sum()
}

/// Plays frames in the order they are given, whatever their times.
fn play(frames: impl IntoIterator<Item = (u64, Vec<u8>)>) -> Played {
    let mut stage = Stage::new();
    for (at, frame) in frames {
        stage.frame(at, frame);
    }
    Played(stage.records)
}

fn split_brain(from: u64) -> impl Iterator<Item = (u64, Vec<u8>)> {
    Script::default()
        .adverts(from, from + 15 * SECOND, ONE, &message(150))
        .adverts(from + 300, from + 15 * SECOND, TWO, &message(100))
        .in_order()
        .into_iter()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Wherever the clock goes to, what is wrong after it is found.
    #[test]
    fn a_split_brain_is_found_after_a_step(
        before in 1_u64..20,
        back in prop::sample::select(vec![3 * SECOND, 3600 * SECOND, 86_400 * SECOND]),
    ) {
        let start = 100_000 * SECOND;
        let first = Script::default().adverts(start, start + before * SECOND, ONE, &message(150));
        let last = start + before * SECOND;
        let played = play(first.in_order().into_iter().chain(split_brain(last - back)));
        prop_assert_eq!(steps(&played), 1);
        played.raised(Code::SplitBrain);
    }

    /// One frame that claims to be of another century changes nothing that comes after it.
    #[test]
    fn a_single_frame_of_another_time_is_no_end(years in 1_u64..80) {
        let start = 100_000 * SECOND;
        let first = Script::default().adverts(start, start + 5 * SECOND, ONE, &message(150));
        let stray = Script::default().advert(years * 31_557_600 * SECOND, TWO, &message(100));
        let frames = first.in_order().into_iter().chain(stray.in_order());
        let played = play(frames.chain(split_brain(start + 6 * SECOND)));
        prop_assert_eq!(steps(&played), 2, "there and back");
        played.raised(Code::SplitBrain);
        prop_assert!(!played.codes().contains(&Code::NoMaster), "{:?}", played.codes());
    }

    /// Frames that overtake each other are no step.
    #[test]
    fn a_little_disorder_is_none(swaps in prop::collection::hash_set(0_usize..20, 0..10)) {
        let mut frames = Script::default()
            .adverts(0, 30 * SECOND, ONE, &message(150))
            .in_order();
        for at in swaps {
            // By one advert, which is a second.
            frames.swap(at - at % 2, at - at % 2 + 1);
        }
        prop_assert_eq!(steps(&play(frames)), 0);
    }
}
