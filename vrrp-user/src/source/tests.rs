//! Log files, and what happens to them.

mod journal;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::tz::TimeZone;

use super::*;

/// A directory that goes away with it.
struct Directory(PathBuf);

impl Directory {
    fn new(test: &str) -> Self {
        let name = format!("vrrpwatch-log-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("room for files");
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("syslog")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // It may be gone already.
        let _: io::Result<()> = fs::remove_dir_all(&self.0);
    }
}

fn follow(path: PathBuf, from_start: bool) -> Logs {
    let settings = LogSettings {
        files: vec![LogFile { host: None, path }],
        from_start,
        journal: None,
        notify_fifo: None,
        zone: TimeZone::UTC,
    };
    Logs::start(&settings, wall_clock()).expect("a file that can be followed")
}

/// Writes lines with these numbers in the place of a priority.
fn write(file: &mut File, numbers: impl Iterator<Item = u64>) {
    let mut text = Vec::new();
    for number in numbers {
        writeln!(
            text,
            "Nov 22 20:43:13 lb0 Keepalived_vrrp[7]: (VI_1) Changing effective priority from 0 to \
             {number}"
        )
        .expect("a buffer");
    }
    file.write_all(&text).expect("room for lines");
}

/// The numbers of so many lines that come; fails if they do not come in time.
async fn numbers(logs: &mut Logs, count: usize, patience: Duration) -> Vec<u64> {
    let mut numbers = Vec::new();
    let reading = async {
        while numbers.len() < count {
            let entries = logs.next().await;
            numbers.extend(
                entries
                    .iter()
                    .filter(|entry| !entry.past)
                    .filter_map(|entry| entry.reading.details.after),
            );
        }
    };
    let in_time = tokio::time::timeout(patience, reading).await.is_ok();
    assert!(in_time, "{} of {count} lines came", numbers.len());
    numbers
}

const PATIENCE: Duration = Duration::from_secs(20);

fn create(path: &PathBuf) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .expect("a file")
}

#[tokio::test]
async fn only_what_is_written_from_now_on_counts() {
    let directory = Directory::new("end");
    let mut file = create(&directory.file());
    write(&mut file, 0..3);
    let mut logs = follow(directory.file(), false);
    write(&mut file, 3..5);
    assert_eq!(numbers(&mut logs, 2, PATIENCE).await, [3, 4]);
}

#[tokio::test]
async fn the_last_lines_before_are_of_the_past_and_bounded() {
    let directory = Directory::new("back");
    let mut file = create(&directory.file());
    write(&mut file, 0..20_000);
    let mut logs = follow(directory.file(), false);
    write(&mut file, 20_000..20_001);
    let mut past = Vec::new();
    let reading = async {
        loop {
            for entry in logs.next().await {
                let number = entry.reading.details.after.expect("a number");
                if !entry.past {
                    return number;
                }
                past.push(number);
            }
        }
    };
    let first = tokio::time::timeout(PATIENCE, reading).await;
    assert_eq!(first.expect("a new line"), 20_000);
    assert_eq!(past.last(), Some(&19_999));
    assert!(
        past.is_sorted() && (1000..5000).contains(&past.len()),
        "{}",
        past.len()
    );
}

#[tokio::test]
async fn a_file_may_be_read_from_its_start_or_come_late() {
    let directory = Directory::new("late");
    let mut logs = follow(directory.file(), false);
    let mut file = create(&directory.file());
    write(&mut file, 0..3);
    assert_eq!(numbers(&mut logs, 3, PATIENCE).await, [0, 1, 2]);
    let mut again = follow(directory.file(), true);
    assert_eq!(numbers(&mut again, 3, PATIENCE).await, [0, 1, 2]);
}

#[tokio::test]
async fn a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_start() {
    let directory = Directory::new("rename");
    let mut old = create(&directory.file());
    let mut logs = follow(directory.file(), false);
    write(&mut old, 0..2);
    fs::rename(directory.file(), directory.0.join("syslog.1")).expect("a rename");
    write(&mut old, 2..4);
    let mut new = create(&directory.file());
    write(&mut new, 10..12);
    // The writer was not told yet.
    write(&mut old, 4..6);
    let mut got = numbers(&mut logs, 8, PATIENCE).await;
    got.sort_unstable();
    assert_eq!(got, [0, 1, 2, 3, 4, 5, 10, 11]);
}

#[tokio::test]
async fn a_file_may_be_truncated_in_place() {
    let directory = Directory::new("truncate");
    let mut file = create(&directory.file());
    let mut logs = follow(directory.file(), false);
    write(&mut file, 0..4);
    assert_eq!(numbers(&mut logs, 4, PATIENCE).await, [0, 1, 2, 3]);
    file.set_len(0).expect("a file that can be truncated");
    // At once as long as it was: its length tells nothing.
    write(&mut file, 5..9);
    assert_eq!(numbers(&mut logs, 4, PATIENCE).await, [5, 6, 7, 8]);
}

#[tokio::test]
async fn a_file_may_be_removed_and_made_anew() {
    let directory = Directory::new("anew");
    let mut file = create(&directory.file());
    let mut logs = follow(directory.file(), false);
    write(&mut file, 0..2);
    assert_eq!(numbers(&mut logs, 2, PATIENCE).await, [0, 1]);
    fs::remove_file(directory.file()).expect("a file that can be removed");
    let mut file = create(&directory.file());
    write(&mut file, 2..4);
    assert_eq!(numbers(&mut logs, 2, PATIENCE).await, [2, 3]);
}

/// Resident memory in kilobytes.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.expect("a number of kilobytes")
}

/// Set in the process that reads a million lines alone.
const ALONE: &str = "VRRPWATCH_TEST_ALONE";

/// In a process of its own, or the memory of other tests would count.
#[test]
fn a_million_lines_come_whole_through_rotation_and_take_no_room() {
    if std::env::var_os(ALONE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        return runtime.expect("a runtime").block_on(read_a_million_lines());
    }
    let name = std::thread::current().name().map(str::to_owned);
    let this = std::env::current_exe().expect("the path of the tests");
    let status = std::process::Command::new(this)
        .args([
            "--exact",
            &name.expect("the name of this test"),
            "--nocapture",
        ])
        .env(ALONE, "1")
        .status();
    assert!(status.expect("a process").success());
}

async fn read_a_million_lines() {
    const LINES: u64 = 1_000_000;
    const AT_ONCE: u64 = 1000;
    const EACH_FILE: u64 = 250_000;
    const PACE: Duration = Duration::from_millis(10);
    let directory = Directory::new("flood");
    drop(create(&directory.file()));
    let mut logs = follow(directory.file(), true);
    let path = directory.0.clone();
    let writer = std::thread::spawn(move || {
        let mut file = create(&path.join("syslog"));
        let mut due = wall_clock();
        for start in (0..LINES).step_by(usize::try_from(AT_ONCE).expect("a small number")) {
            if start > 0 && start % EACH_FILE == 0 {
                let old = path.join(format!("syslog.{start}"));
                fs::rename(path.join("syslog"), old).expect("a rename");
                file = create(&path.join("syslog"));
            }
            write(&mut file, start..start + AT_ONCE);
            // The rate that is promised; a file that is renamed twice in a moment is nobody's log.
            due = due + PACE;
            #[expect(
                clippy::disallowed_methods,
                reason = "a rate, and not a wait for anything"
            )]
            std::thread::sleep(due.since(wall_clock()));
        }
    });
    let before = memory();
    let mut seen = vec![false; usize::try_from(LINES).expect("it fits")];
    let mut count = 0;
    let reading = async {
        while count < seen.len() {
            for entry in logs.next().await {
                let number = entry.reading.details.after.expect("a number");
                let place = &mut seen[usize::try_from(number).expect("it fits")];
                assert!(!std::mem::replace(place, true), "line {number} came twice");
                count += 1;
            }
        }
    };
    let in_time = tokio::time::timeout(Duration::from_mins(3), reading)
        .await
        .is_ok();
    assert!(in_time, "{count} of {LINES} lines came");
    writer.join().expect("a writer that ends well");
    let grown = memory().saturating_sub(before);
    assert!(grown < 64 << 10, "memory grew by {grown} kB");
}

fn notified(pipe: PathBuf) -> Result<Logs, SourceError> {
    let settings = LogSettings {
        files: Vec::new(),
        from_start: false,
        journal: None,
        notify_fifo: Some(pipe),
        zone: TimeZone::UTC,
    };
    Logs::start(&settings, wall_clock())
}

/// A pipe as keepalived makes it: written to whether or not somebody reads.
fn make_pipe(path: &Path) -> File {
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("room for a pipe");
    let mut options = OpenOptions::new();
    options.read(true).write(true).open(path).expect("the pipe")
}

#[tokio::test]
async fn notifications_come_through_the_pipe_that_keepalived_makes() {
    let directory = Directory::new("fifo");
    let path = directory.0.join("notify");
    let mut logs = notified(path.clone()).expect("it may come later");
    assert!(!path.exists(), "it is not for us to make");
    // The daemon starts, and starts again.
    for (state, event) in [
        ("MASTER", crate::log::LogEvent::StateMaster),
        ("BACKUP", crate::log::LogEvent::StateBackup),
    ] {
        let mut pipe = make_pipe(&path);
        writeln!(pipe, "INSTANCE \"VI_1\" {state} 100\nnothing").expect("room in the pipe");
        let entries = tokio::time::timeout(PATIENCE, logs.next())
            .await
            .expect("in time");
        let [entry] = &entries[..] else {
            panic!("one notification: {entries:?}");
        };
        assert_eq!(entry.reading.instance.as_deref(), Some("VI_1"));
        assert_eq!(entry.reading.event, event);
        fs::remove_file(&path).expect("our own");
    }
}

#[tokio::test]
async fn what_is_of_another_kind_is_told() {
    let directory = Directory::new("kind");
    let file = directory.file();
    File::create(&file).expect("room for a file");
    let words = |error: SourceError| crate::chain::Chain(&error).to_string();
    let error = notified(file).expect_err("no pipe");
    assert!(words(error).contains("it is no FIFO"));
    let pipe = directory.0.join("notify");
    drop(make_pipe(&pipe));
    for path in [pipe, "/dev/zero".into(), directory.0.clone()] {
        let settings = LogSettings {
            files: vec![LogFile { host: None, path }],
            from_start: false,
            journal: None,
            notify_fifo: None,
            zone: TimeZone::UTC,
        };
        let error = Logs::start(&settings, wall_clock()).expect_err("no file");
        assert!(words(error).contains("not a regular file"));
    }
}

#[test]
fn hosts_are_named_before_an_equals_sign() {
    let parse = |text: &str| text.parse::<LogFile>().expect("never fails");
    assert_eq!(parse("lb0=/var/log/syslog").host.as_deref(), Some("lb0"));
    assert_eq!(parse("/var/log/a=b").host, None);
    assert_eq!(parse("syslog").path, PathBuf::from("syslog"));
}
