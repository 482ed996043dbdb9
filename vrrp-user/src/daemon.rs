//! What the VRRP daemons say of themselves: which state they believe to be in, what they did and
//! could not do.
//!
//! The tracker knows the wire, this module knows the logs, and `detect` compares the two. An
//! instance of a log is matched to a virtual router by keepalived's configuration where there is
//! one, else by VRID, addresses and senders. Bounded: the number of hosts and instances is what the
//! machines of a cluster have, and more are not kept.

mod belief;
mod coverage;
mod host;
mod waiting;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

pub use belief::Belief;
pub(crate) use belief::{Announcing, SENDING, Unheard};
pub(crate) use coverage::GAP_SHADOW;
pub use coverage::{Coverage, Release};
pub use host::Host;

use crate::{
    dropped::Dropped,
    keepalived_conf::Conf,
    log::{Entry, LogEvent},
    model::{Span, Timestamp, Vrid},
    tracker::{Router, RouterId, Speaker, Tracker},
};

/// All daemons whose logs are read.
#[derive(Debug, Default)]
pub struct Daemons {
    hosts: BTreeMap<HostName, Host>,
    /// Configuration of the watched host, until the name of that host is known.
    conf: Option<Arc<Conf>>,
    /// When it was last changed, if it was while it was watched.
    conf_changed: Option<Timestamp>,
    /// Addresses that the watched host sends adverts from.
    own: BTreeSet<IpAddr>,
    /// Name of the watched host, as its first line has it.
    here: Option<HostName>,
}

/// What a line is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Concern {
    /// The virtual routers.
    pub(crate) routers: Vec<RouterId>,
    /// Their VRIDs, where they are known; none in a line about all of a host.
    pub(crate) vrids: Vec<Vrid>,
    /// The instances of the synchronised group that it names.
    pub(crate) members: Vec<String>,
}

/// Name of a host as its lines have it; `None` in logs that name none.
pub type HostName = Option<Arc<str>>;

/// A daemon logs that it became master within this time of its first advert.
pub(crate) const BESIDE: Span = Span::from_millis(500);
/// Hosts that are kept.
const MAX_HOSTS: usize = 64;
/// Between the change of a file and its reload a script needs moments and a person some seconds, and
/// keepalived about one until its adverts show it.
const RELOADING: Span = Span::from_secs(5);

impl Daemons {
    /// Takes in the configuration of the daemon on the watched host.
    pub fn set_conf(&mut self, conf: Conf) {
        let conf = Arc::new(conf);
        if let Some(host) = self.here.as_ref().and_then(|name| self.hosts.get_mut(name)) {
            host.conf = Some(Arc::clone(&conf));
        }
        self.conf = Some(conf);
    }

    /// Takes in that the configuration was changed.
    pub(crate) fn change_conf(&mut self, conf: Conf, now: Timestamp) {
        self.set_conf(conf);
        self.conf_changed = Some(now);
    }

    /// Until when a daemon has time to read a configuration that was changed.
    pub(crate) fn conf_settles(&self) -> Option<Timestamp> {
        Some(self.conf_changed? + RELOADING)
    }

    /// The configuration of the daemon on the watched host.
    pub fn conf(&self) -> Option<&Conf> {
        self.conf.as_deref()
    }

    /// Takes in that the watched host sends adverts from this address.
    pub(crate) fn learn_own(&mut self, source: IpAddr) {
        for host in self.hosts.values_mut().filter(|host| host.here) {
            host.learn_own(source);
        }
        if self.own.len() < MAX_HOSTS {
            self.own.insert(source);
        }
    }

    /// Whether the watched host sends adverts from this address.
    pub(crate) fn is_own(&self, source: IpAddr) -> bool {
        self.own.contains(&source)
    }

    /// Takes a line in, which was read at `now`. Returns what it is about.
    pub(crate) fn handle(&mut self, entry: &Entry, tracker: &Tracker, now: Timestamp) -> Concern {
        self.host(entry)
            .map(|host| host.handle(entry, tracker, now))
            .unwrap_or_default()
    }

    /// Finds the virtual routers of the instances for which there was none.
    pub(crate) fn bind(&mut self, tracker: &Tracker) {
        for host in self.hosts.values_mut() {
            host.bind_all(tracker);
        }
    }

    /// Whether an instance of a host may be the virtual router for which `is_it` holds: it is, or
    /// neither it nor another one of the host is known to be.
    pub(crate) fn may_be(
        &self,
        host: &HostName,
        instance: &str,
        is_it: &dyn Fn(RouterId) -> bool,
    ) -> bool {
        let Some(host) = self.hosts.get(host) else {
            return true;
        };
        match host.instance(instance).and_then(|belief| belief.router) {
            Some(router) => is_it(router),
            None => !host
                .instances()
                .filter_map(|belief| belief.router)
                .any(is_it),
        }
    }

    /// The host that sends adverts from this address, and writes a log.
    pub(crate) fn sending(&self, source: IpAddr) -> Option<&Host> {
        self.hosts.values().find(|host| host.sends(source))
    }

    /// The virtual router whose master a daemon says to be, and its own adverts.
    pub(crate) fn new_master<'a>(
        &self,
        entry: &Entry,
        tracker: &'a Tracker,
    ) -> Option<(&'a Router, &'a Speaker)> {
        if entry.reading.event != LogEvent::StateMaster {
            return None;
        }
        let host = self.hosts.get(&entry.line.host)?;
        let belief = host.instance(entry.reading.instance.as_deref()?)?;
        let router = tracker.router(belief.router?)?;
        Some((router, host.own(belief, router)?))
    }

    /// Looks for what the daemon on the watched host did not hear among what its kernel dropped.
    /// Returns the virtual routers for which that is new.
    pub(crate) fn handle_drops(&mut self, dropped: &[Dropped], tracker: &Tracker) -> Vec<RouterId> {
        let mut explained = Vec::new();
        for belief in self.hosts.values_mut().flat_map(Host::instances_mut) {
            if let Some(unheard) = belief.unheard.as_mut().filter(|it| it.dropped.is_none())
                && let Some(router) = belief.router.and_then(|id| tracker.router(id))
                && unheard.explain(router.vrid, dropped)
            {
                explained.push(router.id());
            }
        }
        explained
    }

    /// Whether a daemon does not hear what reaches its host, and it is not known why.
    pub(crate) fn is_puzzled(&self) -> bool {
        self.hosts
            .values()
            .flat_map(Host::instances)
            .filter_map(|belief| belief.unheard.as_ref())
            .any(|unheard| unheard.dropped.is_none())
    }

    /// Takes in a line from before the run.
    pub(crate) fn recall(&mut self, entry: &Entry) {
        if let Some(host) = self.host(entry) {
            host.recall(entry);
        }
    }

    /// What the daemons believe of a virtual router.
    pub(crate) fn about(&self, router: RouterId) -> impl Iterator<Item = (&Host, &Belief)> {
        self.hosts.values().flat_map(move |host| {
            host.instances()
                .filter(move |belief| belief.router == Some(router))
                .map(move |belief| (host, belief))
        })
    }

    /// What the daemon of the watched host says of all its instances.
    pub(crate) fn beliefs_here(&self) -> impl Iterator<Item = &Belief> {
        let here = self.hosts.values().filter(|host| host.here);
        here.flat_map(Host::instances)
    }

    fn host(&mut self, entry: &Entry) -> Option<&mut Host> {
        let name = &entry.line.host;
        if entry.here && self.here.is_none() {
            self.here = Some(name.clone());
        }
        if self.hosts.len() >= MAX_HOSTS && !self.hosts.contains_key(name) {
            return None;
        }
        // A file may hold the lines of other hosts as well.
        let here = entry.here && self.here.as_ref() == Some(name);
        let conf = self.conf.as_ref().filter(|_| here);
        let own = here.then_some(&self.own);
        Some(self.hosts.entry(name.clone()).or_insert_with(|| {
            let mut host = Host::new(name.clone(), here);
            host.conf = conf.cloned();
            own.into_iter()
                .flatten()
                .for_each(|source| host.learn_own(*source));
            host
        }))
    }
}

#[cfg(test)]
mod tests;
