//! Configurations as people write them.

use std::{fs, path::PathBuf};

use super::*;
use crate::model::{Priority, Span, Vrid};

/// A directory of files that goes away with it.
struct Files(PathBuf);

impl Files {
    fn new(test: &str, files: &[(&str, &str)]) -> Self {
        let name = format!("vrrpwatch-conf-{test}-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        for (name, text) in files {
            let path = directory.join(name);
            fs::create_dir_all(path.parent().expect("a directory")).expect("room for files");
            fs::write(path, text).expect("room for files");
        }
        Self(directory)
    }

    fn read(&self, name: &str, config_id: &str) -> Conf {
        Conf::read(&self.0.join(name), config_id, &key()).expect("a file that was just written")
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // It may be gone already.
        let _: io::Result<()> = fs::remove_dir_all(&self.0);
    }
}

fn key() -> FingerprintKey {
    FingerprintKey::new([7; 16])
}

const PLAIN: &str = r#"! Configuration File for keepalived
global_defs {
    router_id lb0   # a name
    vrrp_garp_master_repeat 2
}
vrrp_script chk { script "/usr/bin/test ! -e /run/bad" }
vrrp_instance VI_1 {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 2
    authentication { auth_type PASS
        auth_pass testpass
    }
    track_script {
        chk
    }
    virtual_ipaddress
    {
        10.77.0.100/24 dev eth0
        10.77.0.101
    }
    virtual_ipaddress_excluded {
        2001:db8::100/64
    }
}
vrrp_instance VI_6 {
    interface eth1
    virtual_router_id 6
    advert_int 0.25
    nopreempt
    use_vmac
    unicast_src_ip fe80::1
    unicast_peer {
        fe80::2
    }
    garp_master_refresh 60
    virtual_ipaddress { fe80::6 }
}
"#;

#[test]
fn instances_are_read_with_their_defaults() {
    let files = Files::new("plain", &[("keepalived.conf", PLAIN)]);
    let conf = files.read("keepalived.conf", "lb0");
    assert_eq!(conf.notes, [""; 0]);
    let [one, six] = &conf.instances[..] else {
        panic!("two instances: {conf:?}");
    };
    assert_eq!((one.name.as_str(), one.vrid), ("VI_1", Some(Vrid::new(51))));
    assert_eq!(one.interface.as_deref(), Some("eth0"));
    assert_eq!(one.priority, Priority::new(150));
    assert_eq!(one.interval, Span::from_secs(2));
    assert_eq!((one.version, one.auth), (Version::V2, AuthType::Pass));
    assert_eq!(one.password, Some(key().fingerprint(*b"testpass")));
    assert_eq!(
        one.addresses,
        ["10.77.0.100", "10.77.0.101"]
            .map(|address| address.parse::<IpAddr>().expect("an address"))
    );
    assert!(one.holds("2001:db8::100".parse().expect("an address")));
    assert!(one.starts_as_master && one.tracks && !one.nopreempt && !one.use_vmac);
    assert_eq!(one.garp.repeat, 2);

    assert_eq!(
        (six.version, six.priority),
        (Version::V3, Priority::new(100))
    );
    assert_eq!(six.interval, Span::from_millis(250));
    assert_eq!(six.peers.len(), 1);
    assert_eq!(six.garp.refresh, Span::from_mins(1));
    assert!(six.nopreempt && six.use_vmac && !six.tracks);
}

#[test]
fn groups_have_members_on_lines_or_side_by_side() {
    let text = "vrrp_sync_group VG_1 {\n    group {\n        VI_1\n        VI_6 # one more\n    }\n}\n\
                vrrp_sync_group VG_2 { group { A B } }\n";
    let files = Files::new("groups", &[("keepalived.conf", text)]);
    let conf = files.read("keepalived.conf", "lb0");
    assert_eq!(conf.members("VG_1"), ["VI_1", "VI_6"]);
    assert_eq!(conf.members("VG_2"), ["A", "B"]);
    assert_eq!(conf.members("VG_3"), [""; 0]);
}

#[test]
fn no_password_is_kept() {
    let files = Files::new("secret", &[("keepalived.conf", PLAIN)]);
    let conf = files.read("keepalived.conf", "lb0");
    assert!(!format!("{conf:?}").contains("testpass"));
}

#[test]
fn files_definitions_and_conditions_are_followed() {
    let files = Files::new(
        "follow",
        &[
            (
                "keepalived.conf",
                "$BASE=10.2.${SUB}\n$SUB=7\n@lb0 $PRIO=240\n@^lb0 $PRIO=200\n\
                 include conf.d/*.conf\n\
                 $INSTANCE= \\\nvrrp_instance VI_${NUM} { \\\n  interface eth0.${NUM} \\\n\
                 virtual_router_id $NUM \\\n @lb0 priority 130 \\\n  virtual_ipaddress { \\\n\
                 10.0.${NUM}.254/24 \\\n } \\\n}\n$NUM=1\n$INSTANCE\n$NUM=2\n$INSTANCE\n",
            ),
            (
                "conf.d/a.conf",
                "vrrp_instance A {\n virtual_router_id 10\n priority $PRIO\n\
                 virtual_ipaddress {\n ${BASE}.100/32\n }\n}\ninclude ../more/b.conf\n",
            ),
            ("conf.d/ignored", "vrrp_instance X { }"),
            (
                "more/b.conf",
                "vrrp_instance B {\n virtual_router_id 11\n}\n",
            ),
        ],
    );
    let conf = files.read("keepalived.conf", "lb0");
    assert_eq!(conf.notes, [""; 0]);
    let summary: Vec<_> = conf
        .instances
        .iter()
        .map(|instance| {
            let vrid = instance.vrid.map(Vrid::get);
            (
                instance.name.as_str(),
                vrid,
                instance.priority.get(),
                &instance.addresses[..],
            )
        })
        .collect();
    let address = |text: &str| vec![text.parse::<IpAddr>().expect("an address")];
    assert_eq!(
        summary,
        [
            ("A", Some(10), 240, &address("10.2.7.100")[..]),
            ("B", Some(11), 100, &[][..]),
            ("VI_1", Some(1), 130, &address("10.0.1.254")[..]),
            ("VI_2", Some(2), 130, &address("10.0.2.254")[..]),
        ]
    );
    let elsewhere = files.read("keepalived.conf", "lb1");
    assert_eq!(elsewhere.instances[0].priority, Priority::new(200));
}

#[test]
fn what_goes_in_circles_ends() {
    let files = Files::new(
        "circle",
        &[
            (
                "a.conf",
                "include b.conf\n$X=a ${X} b\n${X}\nc ${X}\n$Y= \\\n$Z \\\n\n$Z= \\\n$Y \\\n\n$Y\n",
            ),
            ("b.conf", "include a.conf\n"),
            (
                "c.conf",
                "include missing.conf\nvrrp_instance C {\n virtual_router_id 300\n}\n}\nx {",
            ),
        ],
    );
    let conf = files.read("a.conf", "lb0");
    assert!(
        conf.notes
            .iter()
            .any(|note| note.contains("include each other")),
        "{conf:?}"
    );
    assert!(
        conf.notes.iter().any(|note| note.contains("uses itself")),
        "{conf:?}"
    );
    let conf = files.read("c.conf", "lb0");
    for oddity in [
        "there is no",
        "up to 255",
        "no valid",
        "a brace too many",
        "never closed",
    ] {
        assert!(
            conf.notes.iter().any(|note| note.contains(oddity)),
            "{oddity}: {:?}",
            conf.notes
        );
    }
    assert_eq!(conf.instances[0].vrid, None);
}

#[test]
fn no_word_of_the_file_is_in_a_note() {
    let text = "vrrp_instance a {\n virtual_router_id S3cr3tPw\n priority S3cr3tPw\n \
                version S3cr3tPw\n authentication {\n auth_type PASS\n auth_pass \"S3cr3tPw\n }\n \
                virtual_ipaddress {\n S3cr3tPw\n 10.0.0.1/99\n }\n unicast_peer {\n S3cr3tPw\n }\n}\n\
                $PW=S3cr3tPw\ninclude $PW\ninclude S3cr3tPw\n~SEQ(S3cr3tPw)\n}\n";
    let files = Files::new("words", &[("keepalived.conf", text)]);
    let conf = files.read("keepalived.conf", "lb0");
    assert!(conf.notes.len() >= 6, "{:?}", conf.notes);
    assert!(
        conf.notes.iter().all(|note| !note.contains("S3cr3tPw")),
        "{:?}",
        conf.notes
    );
    assert!(
        conf.notes
            .iter()
            .any(|note| note.contains("virtual_ipaddress"))
    );
}

/// Definitions that each use the next one ten times: ten to the power of sixteen lines.
fn nested_definitions(last: &str) -> String {
    let levels: Vec<String> = (0..16)
        .map(|level| {
            let next = format!("  $D{}", level + 1);
            format!("$D{level}=\\\n{}\n", vec![next; 10].join(" \\\n"))
        })
        .collect();
    format!("{}{last}$D0\n", levels.concat())
}

#[test]
fn a_bomb_costs_no_more_than_a_budget() {
    let within_lines = nested_definitions("$D16=\\\n  @nope x \\\n  @nope y\n");
    let levels: Vec<String> = (0..16)
        .map(|level| {
            let next = format!("${{A{}}}", level + 1);
            format!("$A{level}={}\n", next.repeat(10))
        })
        .collect();
    let in_a_line = format!("{}$A16=x\n{}", levels.concat(), "y ${A0}\n".repeat(1000));
    let many: Vec<String> = (0..10_000)
        .map(|number| format!("$N{number}=x\n"))
        .collect();
    let large = format!("{}\n", "# nothing\n".repeat(400_000));
    let unclosed = format!("{}\n", "${".repeat(8_000)).repeat(100);
    let mut files = vec![
        ("lines.conf".to_owned(), within_lines),
        ("line.conf".to_owned(), in_a_line),
        ("large.conf".to_owned(), "include many/*\n".to_owned()),
        ("wild.conf".to_owned(), "include /**/*/*/*/x\n".to_owned()),
        ("unclosed.conf".to_owned(), unclosed),
        ("definitions.conf".to_owned(), many.concat()),
    ];
    files.extend((0..8).map(|number| (format!("many/{number}"), large.clone())));
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let files = Files::new("bombs", &files);
    for (name, why) in [
        ("lines.conf", "use each other too often"),
        ("line.conf", "uses itself"),
        ("large.conf", "larger than 16 MiB"),
        ("wild.conf", "too many wildcards"),
        ("definitions.conf", "more than 4,096"),
    ] {
        let conf = files.read(name, "lb0");
        assert!(
            conf.notes.iter().any(|note| note.contains(why)),
            "{name}: {:?}",
            conf.notes
        );
        assert!(conf.notes.len() <= 101, "{name}: {}", conf.notes.len());
    }
    files.read("unclosed.conf", "lb0");
}

#[test]
fn only_regular_files_are_read() {
    let files = Files::new("fifo", &[("keepalived.conf", "include fifo\n")]);
    let fifo = files.0.join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("room for a FIFO");
    let conf = files.read("keepalived.conf", "lb0");
    assert!(conf.notes[0].contains("a FIFO"), "{:?}", conf.notes);
    for path in [&fifo, Path::new("/dev/zero"), &files.0] {
        let error = Conf::read(path, "lb0", &key()).expect_err("no regular file");
        let words = crate::chain::Chain(&error).to_string();
        assert!(words.contains("not a regular file"), "{words}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_panics(text in "([a-z_$@{}!#\"= \\\\\n0-9.:/~]|vrrp_instance|virtual_ipaddress|priority ){0,80}") {
        let lines: Vec<_> = text
            .lines()
            .map(|line| source::Line {
                text: line.to_owned(),
                place: source::Place { file: PathBuf::new().into(), number: 0 }, is_cut: false,
            })
            .collect();
        let mut notes = Notes::default();
        let blocks = block::parse(&lines, &mut notes);
        instance::find(&blocks, &key(), &mut notes);
    }
}
