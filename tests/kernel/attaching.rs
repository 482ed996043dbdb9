//! Where the programs are attached, beside whom, and that nothing stays.

use aya::programs::{SchedClassifier, TcAttachType, Xdp, XdpMode, tc};
use vrrp_ebpf::program;
use vrrp_user::{
    capture::{
        AttachError, Ingress, Interface, KernelHalf, LoadSettings, Mode, NoXdp, TcFlavour, open,
    },
    chain::Chain,
};

use crate::network::{HERE, Wire, assert_bare, assert_tcx, filters, has_clsact, run, tcx, xdp};

fn kernel_half(flavour: TcFlavour) -> KernelHalf {
    KernelHalf::load(&LoadSettings {
        tc: Some(flavour),
        ..LoadSettings::default()
    })
    .expect("the programs load")
}

#[test]
fn auto_is_tc_and_leaves_nothing() {
    let wire = Wire::new();
    let mut kernel = KernelHalf::load(&LoadSettings::default()).unwrap();
    assert_bare();
    let attachment = kernel.attach(&wire.here, Mode::Auto).unwrap();
    assert_eq!(attachment.ingress, Ingress::Tc(TcFlavour::Tcx));
    assert_eq!(attachment.egress, TcFlavour::Tcx);
    assert_eq!(xdp(), None);
    assert_eq!(tcx(TcAttachType::Ingress), [program::TC_INGRESS]);
    assert_eq!(tcx(TcAttachType::Egress), [program::TC_EGRESS]);
    // The attachment lives by itself.
    drop(kernel);
    assert_eq!(tcx(TcAttachType::Ingress), [program::TC_INGRESS]);
    drop(attachment);
    assert_bare();
}

#[test]
fn each_mode_is_what_it_says() {
    let wire = Wire::new();
    let mut kernel = kernel_half(TcFlavour::Tcx);
    for (mode, ingress, xdp_mode) in [
        (Mode::XdpNative, Ingress::XdpNative, Some("native")),
        (Mode::XdpGeneric, Ingress::XdpGeneric, Some("generic")),
        (Mode::Auto, Ingress::Tc(TcFlavour::Tcx), None),
    ] {
        let attachment = kernel.attach(&wire.here, mode).unwrap();
        assert_eq!(attachment.ingress, ingress);
        assert_eq!(xdp().map(|(mode, _)| mode).as_deref(), xdp_mode);
        let expected: &[&str] = if xdp_mode.is_none() {
            &[program::TC_INGRESS]
        } else {
            &[]
        };
        assert_eq!(tcx(TcAttachType::Ingress), expected);
        drop(attachment);
        assert_bare();
    }
}

#[test]
fn xdp_that_the_driver_refuses_is_an_error_with_its_reason() {
    let _wire = Wire::new();
    let mut kernel = kernel_half(TcFlavour::Tcx);
    let loopback = Interface {
        index: 1,
        name: "lo".to_owned(),
    };
    let refused = kernel.attach(&loopback, Mode::XdpNative).unwrap_err();
    let reason = Chain(&refused).to_string();
    assert!(
        reason.starts_with("cannot attach to lo: native XDP refused by the driver: "),
        "{reason}"
    );
    assert!(reason.contains("Operation not supported"), "{reason}");
}

#[test]
fn a_foreign_xdp_program_is_left_alone() {
    let wire = Wire::new();
    let mut kernel = kernel_half(TcFlavour::Tcx);
    for foreign_mode in [XdpMode::Driver, XdpMode::Skb] {
        let mut foreign = open(&LoadSettings::default()).unwrap();
        let program = foreign.program_mut(program::XDP_EMPTY).unwrap();
        let program: &mut Xdp = program.try_into().unwrap();
        program.load().unwrap();
        program.attach(HERE, foreign_mode).unwrap();
        let before = xdp().unwrap();

        let attachment = kernel.attach(&wire.here, Mode::Auto).unwrap();
        assert_eq!(attachment.ingress, Ingress::Tc(TcFlavour::Tcx));
        assert_eq!(xdp().unwrap(), before);
        drop(attachment);
        assert_eq!(xdp().unwrap(), before);

        for mode in [Mode::XdpNative, Mode::XdpGeneric] {
            let refused = kernel.attach(&wire.here, mode).unwrap_err();
            let AttachError::Xdp {
                source: NoXdp::Occupied { id, name },
                ..
            } = refused
            else {
                panic!("{refused:?}");
            };
            assert_eq!(u64::from(id), before.1);
            assert_eq!(name.as_deref(), Some(program::XDP_EMPTY));
            assert_tcx(TcAttachType::Egress, &[]);
        }
        assert_eq!(xdp().unwrap(), before);
        drop(foreign);
        assert_bare();
    }
}

#[test]
fn tcx_programs_of_others_stay_and_run_after_ours() {
    let wire = Wire::new();
    let mut foreign = open(&LoadSettings::default()).unwrap();
    let program = foreign.program_mut(program::TC_EMPTY).unwrap();
    let program: &mut SchedClassifier = program.try_into().unwrap();
    program.load().unwrap();
    program.attach(HERE, TcAttachType::Ingress).unwrap();

    let mut kernel = kernel_half(TcFlavour::Tcx);
    let attachment = kernel.attach(&wire.here, Mode::Auto).unwrap();
    assert_eq!(
        tcx(TcAttachType::Ingress),
        [program::TC_INGRESS, program::TC_EMPTY]
    );
    drop(attachment);
    assert_tcx(TcAttachType::Ingress, &[program::TC_EMPTY]);
}

#[test]
fn clsact_is_taken_away_with_the_filters() {
    let wire = Wire::new();
    let mut kernel = kernel_half(TcFlavour::Clsact);
    let attachment = kernel.attach(&wire.here, Mode::Auto).unwrap();
    assert_eq!(attachment.ingress, Ingress::Tc(TcFlavour::Clsact));
    assert_eq!(filters("ingress"), [program::TC_INGRESS]);
    assert_eq!(filters("egress"), [program::TC_EGRESS]);
    drop(attachment);
    assert_bare();
}

#[test]
fn a_clsact_of_somebody_else_stays() {
    let wire = Wire::new();
    run("tc", &["qdisc", "add", "dev", HERE, "clsact"]);
    let mut kernel = kernel_half(TcFlavour::Clsact);
    drop(kernel.attach(&wire.here, Mode::Auto).unwrap());
    assert!(has_clsact());
    assert_eq!(filters("ingress"), [""; 0]);
}

#[test]
fn a_clsact_that_somebody_came_to_use_stays() {
    let wire = Wire::new();
    let mut kernel = kernel_half(TcFlavour::Clsact);
    let attachment = kernel.attach(&wire.here, Mode::Auto).unwrap();
    let mut foreign = open(&LoadSettings::default()).unwrap();
    attach_filter(&mut foreign, program::TC_EMPTY, TcAttachType::Egress);
    drop(attachment);
    assert_eq!(filters("egress"), [program::TC_EMPTY]);
}

#[test]
fn a_stale_filter_is_replaced() {
    let wire = Wire::new();
    // What a killed run leaves: its discipline and its filters.
    tc::qdisc_add_clsact(HERE).unwrap();
    let mut killed = open(&LoadSettings::default()).unwrap();
    attach_filter(&mut killed, program::TC_INGRESS, TcAttachType::Ingress);
    attach_filter(&mut killed, program::TC_EGRESS, TcAttachType::Egress);
    assert_eq!(filters("ingress"), [program::TC_INGRESS]);

    let mut kernel = kernel_half(TcFlavour::Clsact);
    let attachment = kernel.attach(&wire.here, Mode::Auto).unwrap();
    assert_eq!(filters("ingress"), [program::TC_INGRESS]);
    assert_eq!(filters("egress"), [program::TC_EGRESS]);
    drop(attachment);
    assert_bare();
}

#[test]
fn an_interface_that_was_renamed_is_not_mistaken() {
    let wire = Wire::new();
    let mut kernel = kernel_half(TcFlavour::Tcx);
    let mistaken = Interface {
        index: wire.there.index,
        name: HERE.to_owned(),
    };
    let refused = kernel.attach(&mistaken, Mode::Auto).unwrap_err();
    assert!(matches!(refused, AttachError::Gone { .. }));
    assert_bare();
}

/// Sets a filter and forgets it, as a process does that is killed.
fn attach_filter(object: &mut aya::Ebpf, name: &str, attach_type: TcAttachType) {
    let program: &mut SchedClassifier = object.program_mut(name).unwrap().try_into().unwrap();
    program.load().unwrap();
    let options = tc::TcAttachOptions::Netlink(tc::NlOptions::default());
    let id = program
        .attach_with_options(HERE, attach_type, options)
        .unwrap();
    std::mem::forget(program.take_link(id).unwrap());
}
