//! Who is known to the kernel programs, and whose frames were more than they let through.

use std::{collections::BTreeMap, net::IpAddr};

use aya::maps::{Array, HashMap, MapData, MapError};
use vrrp_ebpf::{
    budget::{self, Alike, Budget, Known as Kept, Likeness, SenderKey, pool},
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

/// Adverts of senders that are not known that pass at once when the routers that are there have been
/// heard: new ones do not come by the hundred, and backups that take over say what is known.
const NEW_AT_ONCE: u64 = 48;

/// Frames that were suppressed so far, by the VRID of known routers.
pub type Suppressed = BTreeMap<u8, u64>;

impl KernelHalf {
    /// Gives a sender a budget of its own: a frame in each such time, at a steady rate.
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

    /// Has fewer adverts of senders that are not known pass at once than at the start, as long as it is
    /// called again. `now`: the boot clock, in nanoseconds.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub fn settle(&mut self, now: u64) -> Result<(), CaptureError> {
        let name = map::POOLS;
        let failed = |source| CaptureError::Map { name, source };
        let data = self.object.map_mut(name).ok_or_else(|| no_such_map(name))?;
        let mut pools: Array<&mut MapData, u64> = data.try_into().map_err(failed)?;
        let Budget { step, slack } = budget::STRANGERS;
        let spent = now + slack.saturating_sub(NEW_AT_ONCE * step);
        if pools.get(&pool::STRANGERS, 0).map_err(failed)? < spent {
            pools.set(pool::STRANGERS, spent, 0).map_err(failed)?;
        }
        Ok(())
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
