//! One host and its daemon.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use super::{
    Concern, Coverage, HostName,
    belief::{Belief, announces, believe},
    waiting::gives_up,
};
use crate::{
    keepalived_conf::{Conf, Instance},
    log::{Entry, Life, LogEvent, LogState, Window},
    model::{Priority, Span, Timestamp},
    tracker::{Router, Speaker, Tracker},
};

/// A host whose log is read.
#[derive(Debug)]
pub struct Host {
    /// Its name.
    pub name: HostName,
    /// Whether frames are seen at its own interfaces: only then what is seen is what it gets.
    pub here: bool,
    /// What its log can say.
    pub coverage: Coverage,
    /// Configuration of its daemon.
    pub(super) conf: Option<Arc<Conf>>,
    /// Addresses of its own, by which its adverts are known.
    own: BTreeSet<IpAddr>,
    /// How inexact the times of its lines are.
    resolution: Span,
    pub(super) instances: BTreeMap<String, Belief>,
    /// The first and the last time it wrote a line.
    written: Option<(Timestamp, Timestamp)>,
    /// What became of its daemon last.
    pub(crate) life: Option<(Life, Window)>,
    /// The last time its daemon ran late, and by how much.
    pub(crate) stall: Option<(Window, Span)>,
    /// The last time a link of it went down.
    pub(crate) link_down: Option<Window>,
}

/// Instances and addresses that are kept of a host.
const MAX_INSTANCES: usize = 256;
/// A daemon logs within this time of the frame it logs about.
const LOG_DELAY: Span = Span::from_millis(500);

impl Host {
    pub(super) fn new(name: HostName, here: bool) -> Self {
        Self {
            name,
            here,
            coverage: Coverage::default(),
            conf: None,
            own: BTreeSet::new(),
            resolution: Span::ZERO,
            instances: BTreeMap::new(),
            written: None,
            life: None,
            stall: None,
            link_down: None,
        }
    }

    /// Its name for people.
    pub(crate) fn called(&self) -> &str {
        self.name.as_deref().unwrap_or("the daemon")
    }

    /// What happens is in the log, as far as it is told, within this time.
    pub(crate) fn delay(&self) -> Span {
        self.resolution + LOG_DELAY / 2
    }

    /// Whether the host sends from this address.
    pub(super) fn sends(&self, source: IpAddr) -> bool {
        self.own.contains(&source)
    }

    /// Whether it has written lines before and after this time.
    pub(crate) fn wrote_around(&self, time: Timestamp) -> bool {
        self.written
            .is_some_and(|(first, last)| first <= time && time <= last)
    }

    /// Learns that the host sends from this address.
    pub(super) fn learn_own(&mut self, source: IpAddr) {
        if self.own.len() < MAX_INSTANCES {
            self.own.insert(source);
        }
    }

    pub(super) fn instance(&self, name: &str) -> Option<&Belief> {
        self.instances.get(name)
    }

    pub(super) fn instances_mut(&mut self) -> impl Iterator<Item = &mut Belief> {
        self.instances.values_mut()
    }

    pub(super) fn instances(&self) -> impl Iterator<Item = &Belief> {
        self.instances.values()
    }

    /// What its configuration says of an instance.
    pub(crate) fn configured(&self, belief: &Belief) -> Option<&Instance> {
        self.conf.as_ref()?.instance(&belief.name)
    }

    /// The speaker of a virtual router that this host is, as far as it is known by its address.
    pub(crate) fn own<'a>(&self, belief: &Belief, router: &'a Router) -> Option<&'a Speaker> {
        let source = self.configured(belief).and_then(|instance| instance.source);
        router
            .speakers()
            .find(|speaker| self.own.contains(&speaker.source) || source == Some(speaker.source))
    }

    /// The priority it takes part with, where that is known: by its log, which tells of every
    /// change, by its adverts, or by its configuration.
    pub(super) fn priority(&self, belief: &Belief, router: &Router) -> Option<Priority> {
        belief
            .priority
            .or_else(|| self.own(belief, router).map(|speaker| speaker.priority))
            .or_else(|| {
                let instance = self.configured(belief)?;
                (!instance.tracks).then_some(instance.priority)
            })
    }

    /// Takes in a line from before the run: what the daemon is, not what it did.
    pub(super) fn recall(&mut self, entry: &Entry) {
        self.take(entry, Timestamp::from_nanos(0));
        self.stall = None;
        self.link_down = None;
        self.instances.values_mut().for_each(Belief::forget_deeds);
    }

    /// Whether a line of its log is as recent as this: the log of a daemon that writes elsewhere by
    /// now says nothing of what it is.
    pub(crate) fn has_written_since(&self, time: Timestamp) -> bool {
        self.written.is_some_and(|(_, last)| last >= time)
    }

    /// Takes a line in. Returns what it is about.
    pub(super) fn handle(&mut self, entry: &Entry, tracker: &Tracker, now: Timestamp) -> Concern {
        let names = self.take(entry, now);
        let time = written(entry, now);
        let mut concern = Concern::default();
        for name in &names {
            self.bind(name, tracker);
            self.recognise(name, tracker, time);
            // What was logged after the end of a capture cannot be held against it.
            if gives_up(entry.reading.event) && time.start <= now + LOG_DELAY / 5 {
                self.judge(name, tracker, time);
            }
            let Some(belief) = self.instances.get_mut(name) else {
                continue;
            };
            let router = belief.router.and_then(|id| tracker.router(id));
            if let (Some(router), Some(address)) = (router, entry.reading.details.address) {
                belief.settle(address, router.neighbours().last_announced(address));
                if announces(entry.reading.event) {
                    belief.look_from(address, time, |since| router.heard_neighbours_since(since));
                }
            }
            let vrid = router.map(|router| router.vrid).or(belief.vrid);
            concern.vrids.extend(vrid);
            concern.routers.extend(belief.router);
        }
        if names.is_empty() {
            let routers = self.instances.values().filter_map(|belief| belief.router);
            concern.routers.extend(routers);
        }
        if entry.reading.group.is_some() {
            concern.members = names;
        }
        concern
    }

    /// Takes in what a line says. Returns the instances it is about.
    fn take(&mut self, entry: &Entry, now: Timestamp) -> Vec<String> {
        let reading = &entry.reading;
        let details = &reading.details;
        let time = written(entry, now);
        // What is read before its second is over is read at once.
        let late = entry.line.time.filter(|time| time.end <= now);
        self.resolution = self.resolution.max(late.map_or(Span::ZERO, Window::width));
        self.coverage.learn(entry, now);
        let (first, last) = self.written.unwrap_or((time.start, time.end));
        self.written = Some((first.min(time.start), last.max(time.end)));
        match reading.event {
            LogEvent::Life => self.live(details.life, time),
            LogEvent::Stall => self.stall = details.span().map(|span| (time, span)),
            LogEvent::Link if details.on == Some(false) => self.link_down = Some(time),
            LogEvent::IpAssign if details.on == Some(true) && self.own.len() < MAX_INSTANCES => {
                self.own.extend(details.address);
            }
            // What changed since is not known.
            LogEvent::LogGap => self
                .instances
                .values_mut()
                .for_each(|belief| belief.priority = None),
            _ => {}
        }
        let names = self.concerned(entry);
        for name in &names {
            if let Some(belief) = self.instances.get_mut(name) {
                believe(belief, entry, time);
            }
        }
        names
    }

    fn live(&mut self, life: Option<Life>, time: Window) {
        let Some(life) = life else { return };
        self.life = Some((life, time));
        for belief in self.instances.values_mut() {
            match life {
                Life::Stopping | Life::Reloading => belief.leaving = Some(time),
                Life::Stopped | Life::Starting => belief.enter(LogState::Init, time),
                Life::Died => {}
            }
        }
    }

    /// The instances a line is about: the one it names, or those that have its address.
    fn concerned(&mut self, entry: &Entry) -> Vec<String> {
        let reading = &entry.reading;
        let frr = reading.details.vrid.filter(|_| reading.instance.is_none());
        let name = reading.instance.clone().or_else(|| {
            let family = reading.details.family?;
            Some(format!("{family} VRID {}", frr?))
        });
        if let Some(name) = name {
            if !self.instances.contains_key(&name) {
                // A line that we do not understand names no instance for sure.
                if reading.event == LogEvent::Other || self.instances.len() >= MAX_INSTANCES {
                    return Vec::new();
                }
                self.instances
                    .insert(name.clone(), Belief::new(name.clone()));
            }
            return vec![name];
        }
        let conf = self.conf.as_deref();
        if let Some(group) = &reading.group {
            let members = conf.map_or(&[][..], |conf| conf.members(group));
            let known = |name: &&String| self.instances.contains_key(*name);
            return members.iter().filter(known).cloned().collect();
        }
        let Some(address) = reading.details.address else {
            return Vec::new();
        };
        self.instances
            .values()
            .filter(|belief| {
                let configured = conf.and_then(|conf| conf.instance(&belief.name));
                belief.addresses.contains(&address)
                    || configured.is_some_and(|instance| instance.holds(address))
            })
            .map(|belief| belief.name.clone())
            .collect()
    }

    /// Finds the virtual routers of the instances that have none.
    pub(super) fn bind_all(&mut self, tracker: &Tracker) {
        let names: Vec<String> = self
            .instances
            .values()
            .filter(|belief| belief.router.is_none())
            .map(|belief| belief.name.clone())
            .collect();
        for name in names {
            self.bind(&name, tracker);
        }
    }

    /// Finds the virtual router of an instance, if it is not known.
    fn bind(&mut self, name: &str, tracker: &Tracker) {
        let Some(belief) = self.instances.get(name) else {
            return;
        };
        if belief.router.is_some_and(|id| tracker.router(id).is_some()) {
            return;
        }
        let configured = self.configured(belief);
        let vrid = configured
            .and_then(|instance| instance.vrid)
            .or(belief.vrid);
        let family = configured.map(Instance::family).or(belief.family);
        let shares = |router: &Router| {
            router
                .speakers()
                .flat_map(Speaker::addresses)
                .any(|address| {
                    belief.addresses.contains(&address)
                        || configured.is_some_and(|instance| instance.holds(address))
                })
        };
        let found = |fits: &dyn Fn(&Router) -> bool| {
            let mut fitting = tracker.routers().filter(|router| {
                vrid.is_none_or(|vrid| router.vrid == vrid)
                    && family.is_none_or(|family| router.family == family)
                    && fits(router)
            });
            // Two that fit are none.
            let first = fitting.next().map(Router::id)?;
            fitting.next().is_none().then_some(first)
        };
        let router = found(&shares)
            .or_else(|| {
                found(&|router| {
                    router
                        .speakers()
                        .any(|speaker| belief.peers.contains(&speaker.source))
                })
            })
            .or_else(|| found(&|_| vrid.is_some()))
            // The only instance of the log is the only virtual router of the wire.
            .or_else(|| found(&|_| self.instances.len() == 1));
        if let Some(belief) = self.instances.get_mut(name) {
            belief.router = router;
        }
    }

    /// Learns which speaker this host is: the one that became active when its daemon became master.
    fn recognise(&mut self, name: &str, tracker: &Tracker, time: Window) {
        let Some(belief) = self.instances.get(name) else {
            return;
        };
        let Some(router) = belief.router.and_then(|id| tracker.router(id)) else {
            return;
        };
        if !self.own.is_empty() || belief.master_since() != Some(time) {
            return;
        }
        let begun = |speaker: &&Speaker| {
            let active = router
                .active()
                .is_some_and(|active| active.id() == speaker.id());
            let since = router.active_since().filter(|_| active);
            time.meets(since.unwrap_or(speaker.first), LOG_DELAY)
        };
        let mut begun = router
            .speakers()
            .filter(|speaker| !belief.peers.contains(&speaker.source))
            .filter(begun);
        // Two that began are none.
        if let (Some(own), None) = (begun.next(), begun.next()) {
            self.own.insert(own.source);
        }
    }
}

/// When a line was written: not after it was read.
fn written(entry: &Entry, now: Timestamp) -> Window {
    let time = entry
        .line
        .time
        .unwrap_or_else(|| Window::new(now, Span::ZERO));
    Window {
        start: time.start,
        end: time.end.min(now.max(time.start)),
    }
}
