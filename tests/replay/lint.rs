//! Running `vrrpwatch lint`: its words and its status.

use std::{fs, path::PathBuf, process::Command};

use vrrp_tests::lab;

use crate::cases;

const SOUND: &str = "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n priority 100\n \
                     virtual_ipaddress {\n 10.77.0.100/24\n }\n}\n";

/// What it says, all on standard output, and its status.
fn lint(name: &str, text: &str, capture: Option<PathBuf>) -> (String, Option<i32>) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lint");
    fs::create_dir_all(&folder).expect("a folder");
    let conf = folder.join(name);
    fs::write(&conf, text).expect("room for a file");
    let output = Command::new(lab::vrrpwatch().expect("the program is built"))
        .arg("lint")
        .arg(&conf)
        .args(capture)
        .output()
        .expect("vrrpwatch ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let words = String::from_utf8(output.stdout).expect("UTF-8");
    (words, output.status.code())
}

#[test]
fn a_sound_configuration_is_fine() {
    assert_eq!(lint("sound.conf", SOUND, None), (String::new(), Some(0)));
}

#[test]
fn whenever_there_is_a_word_the_status_is_one() {
    for (name, text, word) in [
        ("empty.conf", "# nothing\n".to_owned(), "no vrrp_instance"),
        (
            "brace.conf",
            SOUND.trim_end_matches("}\n").to_owned(),
            "brace.conf:1: the brace is never closed",
        ),
        (
            "number.conf",
            SOUND.replace("priority 100", "priority 256"),
            "number.conf:4: priority is a number up to 255",
        ),
        (
            "include.conf",
            format!("include nowhere.conf\n{SOUND}"),
            "include.conf:1: include: there is no such file",
        ),
    ] {
        let (words, status) = lint(name, &text, None);
        assert!(words.contains(word), "{name}: {words}");
        assert_eq!(status, Some(1), "{name}");
    }
    let capture = cases::recording("01-v2-normal");
    let (words, status) = lint("capture.conf", SOUND, Some(capture));
    assert!(words.contains("in the file and"), "{words}");
    assert_eq!(status, Some(1));
}

#[test]
fn nothing_hostile_comes_through() {
    let text = SOUND
        .replace("VI_1", "\u{1b}[31m\u{9b}\u{202e}\u{7f}")
        .replace("10.77.0.100/24", "S3cr3tPw\u{1b}[2J");
    let (words, status) = lint("hostile.conf", &text, None);
    assert_eq!(status, Some(1));
    assert!(!words.contains("S3cr3tPw"), "{words}");
    assert!(
        words
            .bytes()
            .all(|byte| matches!(byte, b'\n' | b' '..=b'~')),
        "{words:?}"
    );
}
