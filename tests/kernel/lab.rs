//! The bench that the programs are run on.

use aya::{
    Ebpf,
    maps::{HashMap, Map, MapData, RingBuf},
    programs::{Program, SchedClassifier, TestRun as _, TestRunOptions, Xdp},
};
use vrrp_ebpf::{Counter, EventHeader, WatchKey, hook, map, program};
use vrrp_user::{
    capture::{Counts, LoadSettings, open},
    observer::ArpMode,
};

/// Fails the test, with the reason, where it cannot be run.
pub(crate) fn require_root() {
    assert!(
        nix::unistd::geteuid().is_root(),
        "this test loads kernel programs and must be run by root: cargo xtask test"
    );
}

/// What a program of ours must return on each kind of hook.
const XDP_PASS: u32 = 2;
const TC_ACT_UNSPEC: u32 = u32::MAX;

pub(crate) const HOOKS: [u8; 3] = [hook::XDP, hook::TC_INGRESS, hook::TC_EGRESS];

/// What came of one frame on one hook.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) hook: u8,
    pub(crate) events: Vec<(EventHeader, Vec<u8>)>,
    pub(crate) counts: Counts,
}

impl Outcome {
    /// The counters that moved, each with how far.
    pub(crate) fn moved(&self) -> Vec<(Counter, u64)> {
        self.counts.iter().filter(|(_, count)| *count > 0).collect()
    }
}

/// The loaded object.
pub(crate) struct Lab {
    object: Ebpf,
    ring: RingBuf<MapData>,
}

impl Lab {
    /// Without budgets, for tests that send the same frame many times.
    pub(crate) fn new(arp: ArpMode) -> Self {
        Self::with(&LoadSettings {
            arp,
            budgets: false,
            ..LoadSettings::default()
        })
    }

    /// As the program loads it.
    pub(crate) fn guarded(arp: ArpMode) -> Self {
        Self::with(&LoadSettings {
            arp,
            ..LoadSettings::default()
        })
    }

    pub(crate) fn with(settings: &LoadSettings) -> Self {
        require_root();
        let mut object = open(settings).expect("the object opens");
        for name in [program::TC_INGRESS, program::TC_EGRESS] {
            let classifier: &mut SchedClassifier =
                object.program_mut(name).unwrap().try_into().unwrap();
            classifier
                .load()
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let xdp: &mut Xdp = object
            .program_mut(program::XDP)
            .unwrap()
            .try_into()
            .unwrap();
        xdp.load()
            .unwrap_or_else(|error| panic!("{}: {error}", program::XDP));
        let ring = RingBuf::try_from(object.take_map(map::EVENTS).unwrap()).unwrap();
        Self { object, ring }
    }

    pub(crate) fn watch(&mut self, key: WatchKey) {
        let mut watched: HashMap<_, WatchKey, u8> = self
            .object
            .map_mut(map::WATCHED)
            .unwrap()
            .try_into()
            .unwrap();
        watched.insert(key, 1, 0).unwrap();
    }

    pub(crate) fn unwatch(&mut self, key: WatchKey) {
        let mut watched: HashMap<_, WatchKey, u8> = self
            .object
            .map_mut(map::WATCHED)
            .unwrap()
            .try_into()
            .unwrap();
        watched.remove(&key).unwrap();
    }

    pub(crate) fn object(&self) -> &Ebpf {
        &self.object
    }

    pub(crate) fn take_map(&mut self, name: &str) -> Map {
        self.object.take_map(name).expect("the object has the map")
    }

    pub(crate) fn map_mut(&mut self, name: &str) -> &mut Map {
        self.object.map_mut(name).expect("the object has the map")
    }

    /// How many instructions the verifier left of a program.
    pub(crate) fn instructions(&self, hook: u8) -> u32 {
        let info = match hook {
            hook::XDP => {
                let program: &Xdp = self.program(program::XDP).try_into().unwrap();
                program.info()
            }
            hook::TC_INGRESS => self.classifier(program::TC_INGRESS).info(),
            _ => self.classifier(program::TC_EGRESS).info(),
        };
        info.unwrap().size_translated().expect("the kernel tells") / 8
    }

    fn program(&self, name: &str) -> &Program {
        self.object.program(name).unwrap()
    }

    fn classifier(&self, name: &str) -> &SchedClassifier {
        self.program(name).try_into().unwrap()
    }

    /// Runs the frame on every hook.
    pub(crate) fn run(&mut self, frame: &[u8]) -> Vec<Outcome> {
        HOOKS
            .into_iter()
            .map(|hook| self.run_on(hook, frame))
            .collect()
    }

    /// Runs the frame on one hook.
    pub(crate) fn run_on(&mut self, hook: u8, frame: &[u8]) -> Outcome {
        self.run_times(hook, frame, 1)
    }

    /// Runs the frame on one hook this often in a row. Whatever the frame is, the verdict must let it pass and its
    /// bytes must stay as they are.
    pub(crate) fn run_times(&mut self, hook: u8, frame: &[u8], repeat: u32) -> Outcome {
        let before = Counts::read(&self.object).unwrap();
        let mut after = vec![0; frame.len()];
        let options = TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut after),
            repeat,
            ..TestRunOptions::default()
        };
        let (verdict, pass) = match hook {
            hook::XDP => {
                let program: &Xdp = self.program(program::XDP).try_into().unwrap();
                (program.test_run(options).unwrap(), XDP_PASS)
            }
            hook::TC_INGRESS => (self.classify(program::TC_INGRESS, options), TC_ACT_UNSPEC),
            _ => (self.classify(program::TC_EGRESS, options), TC_ACT_UNSPEC),
        };
        assert_eq!(
            verdict.return_value, pass,
            "verdict of hook {hook} on {frame:02x?}"
        );
        assert_eq!(after, frame, "hook {hook} altered the frame");
        assert_eq!(verdict.data_size_out as usize, frame.len());
        Outcome {
            hook,
            events: self.drain(),
            counts: Counts::read(&self.object).unwrap().since(&before),
        }
    }

    fn classify(&self, name: &str, options: TestRunOptions<'_>) -> aya::programs::TestRunResult {
        self.classifier(name).test_run(options).unwrap()
    }

    fn drain(&mut self) -> Vec<(EventHeader, Vec<u8>)> {
        let mut events = Vec::new();
        while let Some(event) = self.ring.next() {
            let (header, frame) = EventHeader::parse(&event).expect("an event parses");
            events.push((header, frame.to_vec()));
        }
        events
    }

    /// The frame is delivered on every hook: these first bytes of it, as this kind, and counted
    /// once.
    pub(crate) fn delivers(&mut self, frame: &[u8], kind: u8, length: usize) {
        let counter = match kind {
            vrrp_ebpf::kind::VRRP => Counter::DeliveredVrrp,
            vrrp_ebpf::kind::ARP => Counter::DeliveredArp,
            _ => Counter::DeliveredNd,
        };
        for outcome in self.run(frame) {
            assert_eq!(outcome.moved(), [(counter, 1)], "{frame:02x?}");
            let [(header, bytes)] = &outcome.events[..] else {
                panic!("{} events of {frame:02x?}", outcome.events.len());
            };
            assert_eq!(header.hook, outcome.hook);
            assert_eq!(header.kind, kind);
            assert_eq!(header.frame_len as usize, frame.len());
            assert_eq!(header.reserved, [0; 5]);
            assert_eq!((header.vlan_protocol, header.vlan_tci), (0, 0));
            assert!(header.timestamp_ns > 0);
            assert!(header.ifindex > 0);
            assert_eq!(bytes, &frame[..length]);
        }
    }

    /// The frame is counted here on every hook, and nothing is delivered.
    pub(crate) fn counts(&mut self, frame: &[u8], counter: Counter) {
        for outcome in self.run(frame) {
            assert_eq!(
                outcome.moved(),
                [(counter, 1)],
                "hook {} on {frame:02x?}",
                outcome.hook
            );
            assert!(outcome.events.is_empty());
        }
    }

    /// The frame touches nothing.
    pub(crate) fn ignores(&mut self, frame: &[u8]) {
        for outcome in self.run(frame) {
            assert_eq!(outcome.moved(), [], "hook {} on {frame:02x?}", outcome.hook);
            assert!(outcome.events.is_empty());
        }
    }
}
