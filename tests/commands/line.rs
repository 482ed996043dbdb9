//! A line for the shell, as people write it: commands, comments, placeholders.

/// A command without the shell around it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Simple {
    pub(crate) words: Vec<String>,
}

/// What stands for something of the reader's, and what is put there to try it.
const PLACEHOLDERS: [(&str, &str); 10] = [
    ("INTERFACE", "eth0"),
    ("{interface}", "eth0"),
    ("{INTERFACE}", "eth0"),
    ("ADDRESS", "10.77.0.100"),
    ("{address}", "10.77.0.100"),
    ("{}", "10.77.0.100"),
    ("CODE", "split-brain"),
    ("{code}", "split-brain"),
    ("DURATION", "10s"),
    ("SECONDS", "10"),
];

/// The commands of a line.
pub(crate) fn commands(line: &str) -> Vec<Simple> {
    let mut filled = line.to_owned();
    for (placeholder, value) in PLACEHOLDERS {
        filled = filled.replace(placeholder, value);
    }
    let words = shlex::split(&filled).unwrap_or_default();
    let mut all = vec![Vec::new()];
    let mut skips = false;
    for word in words {
        let (word, ends) = match word.strip_suffix(';') {
            Some(word) => (word.to_owned(), true),
            None => (word, false),
        };
        match word.as_str() {
            "|" | "&&" | "||" => all.push(Vec::new()),
            "sudo" | "exec" => {}
            ">" | "<" | ">>" => skips = true,
            _ if std::mem::take(&mut skips) => {}
            // A variable of the environment.
            _ if word.split('=').next().is_some_and(is_variable) && word.contains('=') => {}
            _ => all.last_mut().expect("one").push(word),
        }
        if ends {
            all.push(Vec::new());
        }
    }
    let simple = all.into_iter().filter(|words| !words.is_empty());
    simple.map(|words| Simple { words }).collect()
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[test]
fn a_line_is_taken_apart_as_the_shell_does() {
    let words = |line| {
        let commands = commands(line);
        commands
            .into_iter()
            .map(|simple| simple.words.join(" "))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        words("ip link; sudo grep -e 'a | b' FILE | sort > OUT    # on both; or not"),
        ["ip link", "grep -e a | b FILE", "sort"]
    );
    assert_eq!(
        words("BLESS=1 vrrpwatch who ADDRESS"),
        ["vrrpwatch who 10.77.0.100"]
    );
    assert_eq!(words("net.ipv4.x=1"), ["net.ipv4.x=1"]);
}
