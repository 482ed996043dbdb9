//! Passwords in the lines of a daemon.
//!
//! keepalived logs its whole configuration when it is told to (`-d`), passwords among it, and quotes
//! words that it does not understand, which may be half of a password with a blank in it.

/// What stands before a word that may be a password, in small letters.
const BEFORE: [&str; 6] = [
    "password =",
    "password :",
    "password:",
    "password=",
    "unknown keyword '",
    "unknown authentication type '",
];
/// What stands in its place.
const WITHHELD: &str = "(withheld)";

/// Takes from a line what may be a password.
pub(super) fn withhold(text: &mut String) {
    let small = text.to_ascii_lowercase();
    let ends = BEFORE
        .iter()
        .filter_map(|before| Some(small.find(before)? + before.len()));
    if let Some(end) = ends.min() {
        text.truncate(end);
        text.push_str(WITHHELD);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_left_in_a_line() {
        for (line, left) in [
            ("   Password = S3cr3tPw", "   Password =(withheld)"),
            (" SSL password:S3cr3tPw", " SSL password:(withheld)"),
            (
                "(/etc/keepalived/keepalived.conf: Line 9) Unknown keyword 'S3cr3tPw'",
                "(/etc/keepalived/keepalived.conf: Line 9) Unknown keyword '(withheld)",
            ),
            (
                "(VI_1) received an invalid passwd!",
                "(VI_1) received an invalid passwd!",
            ),
        ] {
            let mut text = line.to_owned();
            withhold(&mut text);
            assert_eq!(text, left);
        }
    }
}
