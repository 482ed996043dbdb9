//! What is wrong with a configuration: by itself, and compared with what is on the wire.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use super::{Conf, Instance, drift};
use crate::{
    model::{Family, Priority, Span, Version},
    tracker::{Router, Speaker, Tracker},
};

/// What no capture is needed to see.
pub fn by_itself(conf: &Conf) -> Vec<String> {
    let mut remarks = Vec::new();
    let mut by_vrid: BTreeMap<_, &Instance> = BTreeMap::new();
    let mut by_address: BTreeMap<_, &Instance> = BTreeMap::new();
    let mut names = BTreeSet::new();
    if conf.instances.is_empty() {
        remarks.push("there is no vrrp_instance in this file".to_owned());
    }
    for instance in &conf.instances {
        let mut remark = |what: String| remarks.push(format!("{}: {what}", instance.name));
        if !names.insert(&instance.name) {
            remark("there is another instance of this name".to_owned());
        }
        if let Some(vrid) = instance.vrid {
            let key = (&instance.interface, instance.family(), vrid);
            if let Some(other) = by_vrid.insert(key, instance) {
                remark(format!("VRID {vrid} is that of {} as well", other.name));
            }
        }
        for address in instance.addresses.iter().chain(&instance.excluded) {
            // A link-local address may be on every link.
            let link = is_link_local(*address).then_some(&instance.interface);
            if let Some(other) = by_address.insert((link, *address), instance)
                && other.name != instance.name
            {
                remark(format!("{address} is in {} as well", other.name));
            }
        }
        if instance.interval.is_zero() {
            remark("advert_int is zero".to_owned());
        }
        let whole = instance.interval.subsec_nanos() == 0;
        if instance.version == Version::V2 && !whole {
            remark(format!(
                "VRRPv2 has whole seconds, not {:?}",
                instance.interval
            ));
        }
        if instance.interval > Span::from_millis(40_950) && instance.version == Version::V3 {
            remark("VRRPv3 has intervals up to 40.95 s".to_owned());
        }
        if instance.priority == Priority::RESIGN {
            remark("priority 0 is a resignation".to_owned());
        }
        let first_is_local = instance
            .addresses
            .first()
            .is_none_or(|address| address.is_ipv4() || is_link_local(*address));
        if !first_is_local {
            remark("the first IPv6 address should be link-local (fe80::/10)".to_owned());
        }
        if instance.nopreempt && instance.starts_as_master {
            remark("nopreempt has no effect with `state MASTER`".to_owned());
        }
    }
    remarks
}

const fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// What differs between the configuration and the virtual routers of a capture.
pub(crate) fn against(conf: &Conf, tracker: &Tracker) -> Vec<String> {
    let mut remarks = Vec::new();
    for instance in &conf.instances {
        let routers: Vec<&Router> = tracker
            .routers()
            .filter(|router| router.family == instance.family())
            .filter(|router| concerns(instance, router))
            .collect();
        if routers.is_empty() {
            remarks.push(format!(
                "{}: nobody on the wire advertises its VRID or its addresses",
                instance.name
            ));
        }
        for router in routers {
            for speaker in router.speakers() {
                for difference in compare(instance, router, speaker) {
                    remarks.push(format!(
                        "{}: {}: {difference}",
                        instance.name, speaker.source
                    ));
                }
            }
        }
    }
    remarks
}

/// Whether a virtual router is the instance's, or takes something from it.
fn concerns(instance: &Instance, router: &Router) -> bool {
    let same_group = instance.peers.is_empty() == router.group.is_some();
    (same_group && instance.vrid == Some(router.vrid))
        || router
            .speakers()
            .flat_map(Speaker::addresses)
            .any(|address| Family::of(address) == router.family && instance.holds(address))
}

/// The differences that matter. Another router of the same virtual router has a priority of its own.
fn compare(instance: &Instance, router: &Router, speaker: &Speaker) -> Vec<String> {
    let expected = Instance {
        tracks: instance.tracks || instance.source != Some(speaker.source),
        ..instance.clone()
    };
    drift::differences(&expected, router.vrid, speaker)
}

#[cfg(test)]
mod tests {
    use crate::{keepalived_conf::Conf, model::FingerprintKey};

    #[test]
    fn mistakes_show_without_a_capture() {
        let path = std::env::temp_dir().join(format!("vrrpwatch-lint-{}", std::process::id()));
        std::fs::write(
            &path,
            "vrrp_instance A {\n interface eth0\n virtual_router_id 7\n advert_int 0.5\n \
             virtual_ipaddress {\n 10.0.0.1\n }\n}\nvrrp_instance B {\n interface eth0\n \
             virtual_router_id 7\n priority 0\n state MASTER\n nopreempt\n virtual_ipaddress {\n \
             10.0.0.1\n }\n}\nvrrp_instance C {\n interface eth0\n virtual_router_id 8\n \
             virtual_ipaddress {\n 2001:db8::1\n }\n}\n",
        )
        .expect("room for a file");
        let conf = Conf::read(&path, "lb0", &FingerprintKey::new([7; 16])).expect("a file");
        std::fs::remove_file(&path).expect("a file that can be removed");
        assert_eq!(
            super::by_itself(&conf),
            [
                "A: VRRPv2 has whole seconds, not 500ms",
                "B: VRID 7 is that of A as well",
                "B: 10.0.0.1 is in A as well",
                "B: priority 0 is a resignation",
                "B: nopreempt has no effect with `state MASTER`",
                "C: the first IPv6 address should be link-local (fe80::/10)",
            ]
        );
    }
}
