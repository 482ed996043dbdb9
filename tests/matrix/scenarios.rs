//! The twenty scenarios; one of them, the split, in three variants.

mod failures;
mod hosts;
mod mismatches;
mod splits;

use anyhow::Result;
use vrrp_tests::lab::{Authentication, Instance, Lab};

use crate::{
    scenario::{Cast, Cell, Scenario, asked, said},
    stage::ELECTION,
};

const USUAL_HOSTS: &[&str] = &["lb0", "lb1", "third"];
const WITH_ANOTHER: &[&str] = &["lb0", "lb1", "lb2", "third"];
const ADDRESS: &str = "10.77.0.100";

/// Why nothing is to be said where nothing is wrong.
const FINE: &str = "Nothing is wrong.";

/// All of them, in the order of the table.
pub(crate) fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    all.extend(failures::all());
    all.extend(splits::all());
    all.extend(mismatches::all());
    all.extend(hosts::all());
    all.sort_by_key(|scenario| scenario.number);
    all
}

/// The pair: VRRPv3, an advert a second.
const fn version_3(priority: u8) -> Instance<'static> {
    Instance::version_3(priority, &["10.77.0.100/24"])
}

/// The same in VRRPv2, without a password.
const fn version_2(priority: u8) -> Instance<'static> {
    Instance {
        authentication: Authentication::None,
        ..Instance::usual(priority)
    }
}

/// The daemon on `lb0` is gone and leaves the address there, and `lb1` takes it over: what is said on
/// `lb0`, and on the others by when they began to watch.
const fn left_behind(here: Cell) -> [[Cell; 3]; 3] {
    let before = said(&["silent-failover"]);
    let during = said(&["silent-failover|incident"]);
    let after = asked(&["vip-conflict"]);
    [
        [here; 3],
        [before, during, after],
        [before, after.or(&["silent-failover"]), after],
    ]
}

/// It is known at once.
#[expect(
    clippy::unnecessary_wraps,
    reason = "others wait for a daemon, which may fail"
)]
fn at_once(_: &Lab, _: &Cast) -> Result<()> {
    Ok(())
}

/// It is known when `lb1` has become master.
fn taken_over(_: &Lab, cast: &Cast) -> Result<()> {
    cast.other()?.expect_state("MASTER", ELECTION).map(drop)
}
