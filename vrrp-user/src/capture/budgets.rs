//! Who is known to the kernel programs, and whose frames were more than they let through.

use std::{collections::BTreeMap, net::IpAddr};

use aya::maps::{HashMap, MapData, MapError};
use vrrp_ebpf::{
    budget::{self, Alike, Known as Kept, Likeness, SenderKey},
    map,
};

use super::{
    KernelHalf,
    program::{CaptureError, no_such_map},
};
use crate::{
    model::{Span, Vrid},
    observer::Known,
};

/// Frames that were suppressed so far, by the VRID of known routers.
pub type Suppressed = BTreeMap<u8, u64>;

impl KernelHalf {
    /// Gives a sender a budget of its own: a frame in so long, at a steady rate.
    ///
    /// # Errors
    ///
    /// Where [`budget::MAX_KNOWN`] senders are known already.
    pub fn know(&mut self, known: Known, pace: Span) -> Result<(), CaptureError> {
        let step = u64::try_from(pace.as_nanos()).unwrap_or(u64::MAX);
        let name = map::KNOWN;
        self.known()?
            .insert(key(known), [step, 0, 0], 0)
            .map_err(|source| CaptureError::Map { name, source })
    }

    /// Takes the budget of its own from a sender; one that has none is fine.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub fn disown(&mut self, known: Known) -> Result<(), CaptureError> {
        let name = map::KNOWN;
        match self.known()?.remove(&key(known)) {
            Err(MapError::SyscallError(error))
                if error.io_error.kind() == std::io::ErrorKind::NotFound =>
            {
                Ok(())
            }
            outcome => outcome.map_err(|source| CaptureError::Map { name, source }),
        }
    }

    /// How many adverts of known routers, and of senders that say what they say, were suppressed.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub fn suppressed(&self) -> Result<Suppressed, CaptureError> {
        let mut suppressed = Suppressed::new();
        let mut add = |vrid: u8, count: u64| {
            if count > 0 {
                *suppressed.entry(vrid).or_default() += count;
            }
        };
        for entry in self.read::<SenderKey, Kept>(map::KNOWN)? {
            if let Some(vrid) = budget::vrid_of(&entry.0) {
                add(vrid, entry.1[2]);
            }
        }
        for (likeness, [_, count]) in self.read::<Likeness, Alike>(map::ALIKE)? {
            add(likeness[1], count);
        }
        Ok(suppressed)
    }

    fn known(&mut self) -> Result<HashMap<&mut MapData, SenderKey, Kept>, CaptureError> {
        let name = map::KNOWN;
        self.object
            .map_mut(name)
            .ok_or_else(|| no_such_map(name))?
            .try_into()
            .map_err(|source| CaptureError::Map { name, source })
    }

    fn read<K: aya::Pod, V: aya::Pod>(
        &self,
        name: &'static str,
    ) -> Result<Vec<(K, V)>, CaptureError> {
        let data = self.object.map(name).ok_or_else(|| no_such_map(name))?;
        HashMap::<&MapData, K, V>::try_from(data)
            .and_then(|map| map.iter().collect())
            .map_err(|source| CaptureError::Map { name, source })
    }
}

fn key(known: Known) -> SenderKey {
    match known {
        Known::Router(IpAddr::V4(source), vrid) => budget::router_v4(source.octets(), number(vrid)),
        Known::Router(IpAddr::V6(source), vrid) => budget::router_v6(source.octets(), number(vrid)),
        Known::Machine(mac) => budget::machine(mac.octets()),
    }
}

const fn number(vrid: Vrid) -> u8 {
    vrid.get()
}
