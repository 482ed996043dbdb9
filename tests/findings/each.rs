//! Each finding in a scene in which it is found, and in one that differs from it in one thing, in which
//! it is not. A finding that has none does not compile.

mod addresses;
mod election;
mod host;
mod mismatches;
mod packets;

use vrrp_user::record::Code;

use crate::stage::Played;

/// A scene, with the trouble that the finding is about or without.
type Scene = fn(bool) -> Played;

const fn scene(code: Code) -> Scene {
    match code {
        Code::SplitBrain => election::split_brain,
        Code::NoMaster => election::no_master,
        Code::UnheardMaster => election::unheard_master,
        Code::PeerUnreachable => election::peer_unreachable,
        Code::SilentFailover => election::silent_failover,
        Code::Flapping => election::flapping,
        Code::AdvertGap => election::advert_gap,
        Code::Blind => election::blind,

        Code::VridCollision => mismatches::vrid_collision,
        Code::VipInTwoVrids => mismatches::vip_in_two_vrids,
        Code::OwnerConflict => mismatches::owner_conflict,
        Code::FalseOwner => mismatches::false_owner,
        Code::IntervalMismatch => mismatches::interval,
        Code::VersionMismatch => mismatches::version,
        Code::AuthMismatch => mismatches::auth,
        Code::AddressListMismatch => mismatches::address_list,
        Code::ChecksumVariantMismatch => mismatches::checksum_variant,
        Code::UnicastMulticastMix => mismatches::unicast_multicast,

        Code::BadChecksum => packets::bad_checksum,
        Code::BadTtl => packets::bad_ttl,
        Code::MalformedAdvert => packets::malformed,
        Code::NewSender => packets::new_sender,
        Code::VmacMismatch => packets::virtual_mac,
        Code::Flood => packets::flood,
        Code::ReflectedAdvert => packets::reflected,
        Code::PlaintextAuth => packets::plaintext,
        Code::CarpNeighbour => packets::carp,

        Code::VipConflict => addresses::conflict,
        Code::VipUnanswered => addresses::unanswered,
        Code::VipWrongAnswer => addresses::wrong_answer,
        Code::VipWithoutMaster => addresses::without_master,
        Code::GarpMissing => addresses::not_announced,
        Code::StaleGarp => addresses::announced_by_another,
        Code::DuplicateAddress => addresses::duplicate,
        Code::TrafficAtStandby => addresses::traffic,

        Code::LocalDrop => host::local_drop,
        Code::EgressBlocked => host::egress_blocked,
        Code::AddressLost => host::address_lost,
        Code::DaemonDied => host::daemon_died,
        Code::DaemonStalled => host::daemon_stalled,
        Code::GarpNotSent => host::not_sent,
        Code::LogWireDisagree => host::log_and_wire,
        Code::ConfigDrift => host::configuration,
        Code::LogGap => host::log_gap,
    }
}

#[test]
fn each_finding_is_found_where_it_is_and_not_where_it_is_not() {
    let mut complaints = Vec::new();
    for code in Code::ALL {
        for trouble in [true, false] {
            let played = scene(*code)(trouble);
            let found = played.findings().any(|(_, finding)| finding.code == *code);
            if found != trouble {
                let which = if trouble { "with" } else { "without" };
                let codes = played.codes();
                complaints.push(format!("{code}, {which} its trouble: found are {codes:?}"));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
