//! Who answers for an address, who announces it, and where its traffic goes.

use std::collections::BTreeSet;

use etherparse::ArpOperation;
use vrrp_user::{
    frame::Direction,
    input::News,
    link::Links,
    model::Span,
    observer::{Observer, Output, Request, Settings},
    probe::{self, ProbeSettings},
    record::Code,
};

use crate::{
    duplicates,
    seat::link,
    stage::{
        Host, ONE, Played, SECOND, Script, Stage, THIRD, TWO, VIP, advert, arp, message, seat, time,
    },
};

/// Another machine than the active router announces the virtual address, or an address of its own.
pub(super) fn conflict(trouble: bool) -> Played {
    let address = if trouble { VIP } else { THIRD.ip };
    Script::default()
        .adverts(0, 20 * SECOND, ONE, &message(150))
        .announce(10_500, THIRD, address)
        .play()
}

/// `ONE` advertises until then, and the watched host asks for the address for twenty seconds, whether it
/// is advertised or not: these answer.
fn asked(active_until: u64, answers: &[Host]) -> Played {
    let settings = Settings {
        probe: Some(ProbeSettings {
            learned: false,
            given: vec![VIP.into()],
            interval: Span::from_secs(2),
            rate: 10,
            seed: 7,
        }),
        ..Stage::settings()
    };
    let mut stage = Stage {
        observer: Observer::new(settings),
        records: Vec::new(),
    };
    stage.tell(0, News::Seats(vec![seat("eth0")]));
    let links = Links::new([(2, link("eth0", true, &[THIRD.ip]))]);
    let host = probe::Host::new(&links, &BTreeSet::from([2]));
    stage.tell(0, News::Host(host));
    for at in (0..20 * SECOND).step_by(100) {
        if at % SECOND == 0 && at < active_until {
            let frame = advert(ONE, &message(150));
            stage.frame_going(at, frame, Some(Direction::In));
        }
        stage.observer.handle(time(at), &News::Time.into());
        while let Some(output) = stage.observer.poll_output() {
            match output {
                Output::Record(record) => stage.records.push(record),
                Output::Request(Request::Ask(question)) => {
                    stage.frame_going(at, question.frame().to_vec(), Some(Direction::Out));
                    for host in answers {
                        let answer = arp(ArpOperation::REPLY, *host, VIP, THIRD.ip);
                        stage.frame_going(at + 1, answer, Some(Direction::In));
                    }
                }
                Output::Frame(_) | Output::Request(_) => {}
            }
        }
    }
    Played(stage.records)
}

/// Nobody answers for the address of a router that is active, or that router does.
pub(super) fn unanswered(trouble: bool) -> Played {
    let active = [ONE];
    asked(20 * SECOND, if trouble { &[] } else { &active })
}

/// Another machine alone answers for the address of a router that is active, or that router does.
pub(super) fn wrong_answer(trouble: bool) -> Played {
    asked(20 * SECOND, &[if trouble { TWO } else { ONE }])
}

/// The router that answers for its address has fallen silent, or goes on advertising it.
pub(super) fn without_master(trouble: bool) -> Played {
    let until = if trouble { 6 } else { 20 };
    asked(until * SECOND, &[ONE])
}

/// Who takes over announces nothing, or the address.
pub(super) fn not_announced(trouble: bool) -> Played {
    let script = Script::default()
        .adverts(0, 5 * SECOND, ONE, &message(150))
        .announce(10, ONE, VIP)
        .advert(5500, ONE, &message(0))
        .adverts(6110, 20 * SECOND, TWO, &message(100));
    if trouble {
        script.play()
    } else {
        script.announce(6120, TWO, VIP).play()
    }
}

/// After a split brain who is no longer active announced the address last, or the active router did.
pub(super) fn announced_by_another(trouble: bool) -> Played {
    let script = Script::default()
        .adverts(0, 40 * SECOND, ONE, &message(150))
        .announce(10, ONE, VIP)
        .adverts(5300, 15_300, TWO, &message(100))
        .announce(5310, TWO, VIP);
    if trouble {
        script.play()
    } else {
        script.announce(16 * SECOND, ONE, VIP).play()
    }
}

/// The router asks whether its address is free, and another machine has it, or nobody answers.
pub(super) fn duplicate(trouble: bool) -> Played {
    if trouble {
        duplicates::play(&[(2501, duplicates::has(TWO.mac))])
    } else {
        duplicates::play(&[])
    }
}

/// New connections arrive at a host that is not active in two intervals, or in one.
pub(super) fn traffic(trouble: bool) -> Played {
    let syns = [0, 4, if trouble { 4 } else { 0 }, 0, 0, 0];
    crate::traffic::observed(crate::traffic::elsewhere).play(&syns)
}

/// Another detector of the same finding: of an address for which no router was ever heard.
#[test]
fn an_address_that_was_given_answers_and_no_router_was_ever_heard() {
    assert_eq!(asked(0, &[TWO]).codes(), [Code::VipWithoutMaster]);
    assert_eq!(asked(0, &[]).codes(), []);
}
