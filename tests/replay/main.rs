//! `vrrpwatch replay` as its users see it, on the recorded cases.

#![cfg(test)]

mod agreement;
mod cases;
mod command;
mod foreign;
mod inputs;
mod lint;
mod logs;
mod outputs;
mod schema;
mod strays;
mod unread;

use cases::golden;
use command::Replay;

#[test]
fn odd_frames_read_as_they_always_did() {
    // 77 odd, malformed, tagged and encapsulated frames: the decoder and the text form in one.
    let text = Replay::of("40-inject-vrrp")
        .args(["--only", "advert,carp,arp,nd"])
        .text();
    golden("40-inject-vrrp/frames.txt", &text);
}

#[test]
fn no_password_is_printed() {
    for case in cases::all() {
        for format in ["text", "json"] {
            let output = Replay::of(&case)
                .args(["--format", format, "--arp", "all"])
                .text();
            for secret in [
                "testpass",
                "otherpas",
                // A fingerprint may end so.
                "\"1234\"",
                "116.101.115.116",
                "112.97.115.115",
            ] {
                assert!(
                    !output.contains(secret),
                    "{case} as {format} prints {secret:?}"
                );
            }
        }
    }
}
