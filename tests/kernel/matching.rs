//! What the programs take, count and leave alone.

use vrrp_ebpf::kind;
use vrrp_tests::frames;
use vrrp_user::observer::ArpMode;

use crate::lab::Lab;

#[test]
fn an_advert_arrives() {
    let advert = frames::advert();
    Lab::new(ArpMode::Off).delivers(&advert, kind::VRRP, advert.len());
}
