//! Counting the traffic of virtual addresses: for which, and what came of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::IpAddr,
};

use aya::maps::{MapData, MapError, PerCpuHashMap};
use vrrp_ebpf::{
    map,
    traffic::{Flow, FlowCount, FlowKey, MacKey},
};

use super::{
    KernelHalf,
    program::{CaptureError, no_such_map, watch_key},
};
use crate::{model::MacAddr, record::Volume};

/// All of it needs [`super::LoadSettings::traffic`].
impl KernelHalf {
    /// Counts the traffic of an address from now on.
    ///
    /// # Errors
    ///
    /// Where [`vrrp_ebpf::traffic::MAX_COUNTED`] addresses are counted already.
    pub fn count(&mut self, address: IpAddr) -> Result<(), CaptureError> {
        self.include(map::COUNTED, watch_key(address))
    }

    /// Counts it no longer, and forgets what was counted.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub fn discount(&mut self, address: IpAddr) -> Result<(), CaptureError> {
        let key = watch_key(address);
        self.exclude(map::COUNTED, &key)?;
        self.forget_flows(|flow| flow.address == key)
    }

    /// Sets which MACs are this host's: only what is sent to one of them has arrived here.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub fn set_own_macs(&mut self, macs: &BTreeSet<MacAddr>) -> Result<(), CaptureError> {
        let name = map::OWN_MACS;
        let before = self
            .set::<MacKey>(name)?
            .keys()
            .collect::<Result<Vec<_>, _>>();
        for mac in before.map_err(|source| CaptureError::Map { name, source })? {
            if !macs.contains(&MacAddr::new(mac)) {
                self.exclude(name, &mac)?;
            }
        }
        macs.iter()
            .try_for_each(|mac| self.include(name, mac.octets()))
    }

    /// What was counted so far, over all CPUs.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub fn flows(&self) -> Result<BTreeMap<Flow, Volume>, CaptureError> {
        let name = map::FLOWS;
        let data = self.object.map(name).ok_or_else(|| no_such_map(name))?;
        let read = |data| -> Result<BTreeMap<Flow, Volume>, MapError> {
            let flows: PerCpuHashMap<&MapData, FlowKey, FlowCount> = PerCpuHashMap::try_from(data)?;
            flows
                .iter()
                .map(|entry| {
                    let (key, cpus) = entry?;
                    let mut volume = Volume::default();
                    for [packets, bytes, syns] in cpus.iter() {
                        volume.packets += packets;
                        volume.bytes += bytes;
                        volume.syns += syns;
                    }
                    Ok((Flow::of_key(key), volume))
                })
                .collect()
        };
        read(data).map_err(|source| CaptureError::Map { name, source })
    }

    /// Makes room: forgets flows.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub fn forget_flows(&mut self, doomed: impl Fn(&Flow) -> bool) -> Result<(), CaptureError> {
        let name = map::FLOWS;
        let data = self.object.map_mut(name).ok_or_else(|| no_such_map(name))?;
        let forget = |data| -> Result<(), MapError> {
            let mut flows: PerCpuHashMap<&mut MapData, FlowKey, FlowCount> =
                PerCpuHashMap::try_from(data)?;
            let keys: Vec<FlowKey> = flows.keys().collect::<Result<_, _>>()?;
            for key in keys.iter().filter(|key| doomed(&Flow::of_key(**key))) {
                match flows.remove(key) {
                    Err(MapError::SyscallError(error))
                        if error.io_error.kind() == io::ErrorKind::NotFound => {}
                    outcome => outcome?,
                }
            }
            Ok(())
        };
        forget(data).map_err(|source| CaptureError::Map { name, source })
    }
}
