//! The roll of all detectors, in the order in which they are asked.

use super::{
    address_list_mismatch, address_lost, advert_gap, auth_mismatch, checksum_variant_mismatch,
    config_drift, daemon_died, daemon_stalled, duplicate_address, egress_blocked, false_owner,
    flapping, garp_missing, garp_not_sent, interval_mismatch, local_drop, log_gap,
    log_wire_disagree, new_sender, no_master, owner_conflict, peer_unreachable, plaintext_auth,
    silent_failover, split_brain, stale_garp, traffic_at_standby, unheard_master,
    unicast_multicast_mix, version_mismatch,
    view::{Detector, PairDetector},
    vip_conflict, vip_in_two_vrids, vip_unanswered, vip_without_master, vip_wrong_answer,
    vmac_mismatch, vrid_collision,
};

/// Those that look at one virtual router.
pub(super) const DETECTORS: &[&dyn Detector] = &[
    &split_brain::SplitBrain,
    &vrid_collision::VridCollision,
    &owner_conflict::OwnerConflict,
    &vip_conflict::VipConflict,
    &vip_unanswered::VipUnanswered,
    &vip_wrong_answer::VipWrongAnswer,
    &vip_without_master::VipWithoutMaster,
    &no_master::NoMaster,
    &unheard_master::UnheardMaster,
    &peer_unreachable::PeerUnreachable,
    &false_owner::FalseOwner,
    &silent_failover::SilentFailover,
    &flapping::Flapping,
    &advert_gap::AdvertGap,
    &interval_mismatch::IntervalMismatch,
    &version_mismatch::VersionMismatch,
    &auth_mismatch::AuthMismatch,
    &address_list_mismatch::AddressListMismatch,
    &checksum_variant_mismatch::ChecksumVariantMismatch,
    &vmac_mismatch::VmacMismatch,
    &new_sender::NewSender,
    &garp_missing::GarpMissing,
    &stale_garp::StaleGarp,
    &traffic_at_standby::TrafficAtStandby,
    &plaintext_auth::PlaintextAuth,
    &local_drop::LocalDrop,
    &egress_blocked::EgressBlocked,
    &address_lost::AddressLost,
    &duplicate_address::DuplicateAddress,
    &daemon_died::DaemonDied,
    &daemon_stalled::DaemonStalled,
    &garp_not_sent::GarpNotSent,
    &log_wire_disagree::LogWireDisagree,
    &config_drift::ConfigDrift,
    &log_gap::LogGap,
];

/// Those that look at two that share an address.
pub(super) const PAIR_DETECTORS: &[&dyn PairDetector] = &[
    &vip_in_two_vrids::VipInTwoVrids,
    &unicast_multicast_mix::UnicastMulticastMix,
    &split_brain::SplitBrain,
];
