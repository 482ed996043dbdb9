//! Frames that are kept without their passwords: they say the same in everything else.

use bytes::Bytes;
use proptest::prelude::*;
use vrrp_user::{
    frame::Frame,
    model::FingerprintKey,
    wire::{decode, withhold},
};

use crate::material::{KEY, ethernet_frame, frame_of, message};

/// The frame as it is kept.
fn kept(frame: &Frame) -> Frame {
    match withhold(frame, &KEY) {
        Some(data) => Frame {
            data,
            ..frame.clone()
        },
        None => frame.clone(),
    }
}

fn has(frame: &Frame, password: [u8; 8]) -> bool {
    frame.data.windows(8).any(|bytes| bytes == password)
}

proptest! {
    #[test]
    fn a_kept_frame_says_the_same(message in message()) {
        let frame = frame_of(ethernet_frame(&message));
        let kept = kept(&frame);
        prop_assert_eq!(kept.data.len(), frame.data.len());
        prop_assert_eq!(decode(&kept, &FingerprintKey::RECORDED), decode(&frame, &KEY));
        if message.version == 2 && message.auth_type == 1 {
            prop_assert!(!has(&kept, message.auth_data), "{:?}", kept);
        }
    }

    #[test]
    fn a_kept_frame_that_is_damaged_or_cut_says_the_same_and_has_no_password(
        message in message(),
        position in any::<prop::sample::Index>(),
        value in any::<u8>(),
        cut in any::<prop::sample::Index>(),
        by_capture in any::<bool>(),
    ) {
        let mut bytes = ethernet_frame(&message).to_vec();
        let whole = bytes.len();
        let position = position.index(whole);
        bytes[position] = value;
        bytes.truncate(cut.index(whole + 1));
        let mut frame = frame_of(Bytes::from(bytes));
        if by_capture {
            frame.length = u32::try_from(whole).expect("a frame");
        }
        let kept = kept(&frame);
        let (before, after) = (decode(&frame, &KEY), decode(&kept, &FingerprintKey::RECORDED));
        prop_assert_eq!(after, before);
    }

    #[test]
    fn keeping_a_frame_of_any_bytes_is_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let frame = frame_of(Bytes::from(bytes));
        prop_assert_eq!(kept(&frame).data.len(), frame.data.len());
    }
}
