//! When the observer wants drops to be counted, and what it makes of them.

use jiff::tz::TimeZone;
use vrrp_tests::vrrp::Message;
use vrrp_user::{
    dropped::Dropped,
    frame::Direction,
    input::News,
    log::{Calendar, Entry, Envelopes},
    model::Vrid,
    observer::{Output, Request},
    record::{Body, Cause, Code, Record, Status},
};

use crate::stage::{Host, ONE, SECOND, Stage, TWO, VIP, advert, seen, time};

/// When the daemon on the watched host, `TWO`, gives up, although `ONE` goes on.
const GIVEN_UP: u64 = 6 * SECOND + 700;

/// Who sends with which priority, and which way that goes.
type Sending = (Host, u8, Direction);

/// A stage at the moment of suspicion, with the counter asked for.
struct Suspicion {
    stage: Stage,
    requests: Vec<Request>,
}

impl Suspicion {
    fn begin() -> Self {
        let mut it = Self {
            stage: Stage::new(),
            requests: Vec::new(),
        };
        it.advert(0, TWO_OUT);
        for second in 0..=6 {
            it.advert(second * SECOND + 500, ONE_IN);
        }
        assert_eq!(it.requests, [], "there is nothing to suspect yet");
        for text in ["Receive advertisement timeout", "Entering MASTER STATE"] {
            it.log(GIVEN_UP, text);
        }
        it.advert(GIVEN_UP, TWO_OUT);
        it.advert(7 * SECOND + 500, ONE_IN);
        assert_eq!(it.requests, [Request::CountDrops]);
        assert_eq!(it.causes(Status::Raised), [None]);
        it
    }

    fn advert(&mut self, at: u64, (host, priority, direction): Sending) {
        let frame = advert(host, &Message::v3(51, priority, [VIP.into()]));
        let frame = seen(at, frame, Some(direction));
        self.stage
            .observer
            .handle(frame.time, &News::Frame(frame).into());
        self.collect();
    }

    fn log(&mut self, at: u64, text: &str) {
        let now = time(at);
        let mut lines = Vec::new();
        let raw = format!("{now} lb1 Keepalived_vrrp[42]: (VI_1) {text}");
        Envelopes::new(Calendar::new(TimeZone::UTC, now)).read(raw.as_bytes(), &mut lines);
        for entry in lines.into_iter().filter_map(Entry::read) {
            self.stage.observer.handle(now, &News::Log(entry).into());
        }
        self.collect();
    }

    fn drops(&mut self, at: u64, dropped: &[Dropped]) {
        self.stage
            .observer
            .handle(time(at), &News::Drops(dropped.to_vec()).into());
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(output) = self.stage.observer.poll_output() {
            match output {
                Output::Record(record) => self.stage.records.push(record),
                Output::Frame(_)
                | Output::Request(
                    Request::Watch(_)
                    | Request::Unwatch(_)
                    | Request::Know(..)
                    | Request::Disown(_)
                    | Request::FindDaemon,
                ) => {}
                Output::Request(request) => self.requests.push(request),
            }
        }
    }

    /// The causes of local drops that were raised, or updated.
    fn causes(&self, status: Status) -> Vec<Option<Cause>> {
        let findings = self.stage.records.iter().filter_map(|it| match &it.body {
            Body::Finding(finding) => Some(finding),
            _ => None,
        });
        findings
            .filter(|it| it.code == Code::LocalDrop && it.status == status)
            .map(|it| it.cause.clone())
            .collect()
    }

    fn drop_records(&self) -> Vec<&Record> {
        let is_drop = |it: &&Record| matches!(it.body, Body::Drop(_));
        self.stage.records.iter().filter(is_drop).collect()
    }
}

const ONE_IN: Sending = (ONE, 150, Direction::In);
const TWO_OUT: Sending = (TWO, 100, Direction::Out);

/// What the kernel might tell.
fn dropped(reason: Option<&str>, count: u64) -> Dropped {
    Dropped {
        interface: Some("eth0".into()),
        direction: Direction::In,
        source: ONE.ip.into(),
        vrid: Some(Vrid::new(51)),
        reason: reason.map(Into::into),
        place: Some("nf_hook_slow+0xa6".into()),
        count,
    }
}

fn kernel(reason: &str) -> Cause {
    Cause::Kernel(reason.into())
}

#[test]
fn the_kernels_reason_becomes_the_cause_and_ends_the_counting() {
    let mut it = Suspicion::begin();
    it.drops(8 * SECOND, &[dropped(Some("NETFILTER_DROP"), 2)]);
    assert_eq!(it.causes(Status::Updated), [Some(kernel("NETFILTER_DROP"))]);
    assert_eq!(it.requests, [Request::CountDrops, Request::StopCounting]);
    let [record] = it.drop_records()[..] else {
        panic!("{:#?}", it.drop_records());
    };
    assert_eq!(record.direction, Some(Direction::In));
    let json = serde_json::to_value(record).expect("a record");
    assert_eq!(json["reason"], "NETFILTER_DROP");
    assert_eq!(json["counted_ms"], 1300);

    // It lasts, and nobody counts again; what comes late is not heard.
    it.drops(9 * SECOND, &[dropped(Some("XDP"), 9)]);
    for second in 8..=30 {
        it.advert(second * SECOND + 500, ONE_IN);
        it.advert(second * SECOND + 600, TWO_OUT);
    }
    assert_eq!(it.requests.len(), 2);
    assert_eq!(it.causes(Status::Updated).len(), 1);
}

#[test]
fn without_an_answer_counting_ends_after_ten_seconds() {
    let mut it = Suspicion::begin();
    let others = [
        Dropped {
            source: TWO.ip.into(),
            ..dropped(Some("OTHERHOST"), 99)
        },
        Dropped {
            vrid: Some(Vrid::new(52)),
            ..dropped(Some("OTHERHOST"), 99)
        },
        Dropped {
            direction: Direction::Out,
            ..dropped(Some("OTHERHOST"), 99)
        },
        dropped(Some("PACKET_SOCK_ERROR"), 99),
    ];
    it.drops(8 * SECOND, &others);
    assert_eq!(it.causes(Status::Updated), []);
    for second in 8..=16 {
        it.advert(second * SECOND + 500, ONE_IN);
        it.advert(second * SECOND + 600, TWO_OUT);
    }
    assert_eq!(it.requests, [Request::CountDrops]);
    let due = time(GIVEN_UP + 10 * SECOND);
    assert!(it.stage.observer.poll_timeout() <= Some(due));
    it.stage.observer.handle(due, &News::Time.into());
    it.collect();
    assert_eq!(it.requests, [Request::CountDrops, Request::StopCounting]);
    // What was counted is told nevertheless.
    assert_eq!(it.drop_records().len(), others.len());
}

#[test]
fn where_the_kernel_has_no_reasons_the_place_is_the_cause() {
    let mut it = Suspicion::begin();
    it.drops(8 * SECOND, &[dropped(None, 1)]);
    assert_eq!(it.causes(Status::Updated), [Some(kernel("nf_hook_slow"))]);
}

#[test]
fn a_cause_of_the_kernels_reads_back() {
    for cause in [Cause::NotReceived, kernel("IP_RPFILTER")] {
        let json = serde_json::to_string(&cause).expect("a cause");
        assert_eq!(json, format!("{:?}", cause.as_str()));
        let read: Cause = serde_json::from_str(&json).expect("a cause");
        assert_eq!(read, cause);
    }
}

#[test]
fn the_end_of_a_run_ends_the_counting() {
    let mut it = Suspicion::begin();
    it.stage
        .observer
        .handle(vrrp_user::model::Timestamp::default(), &News::Finish.into());
    it.collect();
    assert_eq!(it.requests, [Request::CountDrops, Request::StopCounting]);
}
