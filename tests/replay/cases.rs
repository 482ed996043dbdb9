//! The recorded cases and what is kept beside them.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The folder of the cases.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// Names of all cases with a recording, in order.
pub(crate) fn all() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .expect("the folder of the cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("traffic.pcap").is_file())
        .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "there are no cases in {:?}", folder());
    names
}

/// The recording of a case.
pub(crate) fn recording(case: &str) -> PathBuf {
    folder().join(case).join("traffic.pcap")
}

/// Compares with a file beside a case; with BLESS=1 in the environment it is written instead.
pub(crate) fn golden(file: &str, actual: &str) {
    compare(&folder().join(file), actual);
}

/// Compares with a file; with BLESS=1 in the environment it is written instead.
pub(crate) fn compare(path: &Path, actual: &str) {
    if env::var_os("BLESS").is_some() {
        fs::write(path, actual).expect("the file can be written");
        return;
    }
    let expected = fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{path:?}: {error}; BLESS=1 makes it"));
    for (number, (expected, actual)) in expected.lines().zip(actual.lines()).enumerate() {
        assert_eq!(
            expected,
            actual,
            "line {} of {path:?}; BLESS=1 rewrites it",
            number + 1
        );
    }
    assert_eq!(
        expected.lines().count(),
        actual.lines().count(),
        "lines of {path:?}"
    );
}
