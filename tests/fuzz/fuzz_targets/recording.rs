//! A recording: whatever its blocks say, it is read and replayed without a panic, in bounded time.
//!
//! The input is a line for each block, as the text of a Custom Block. `seeds/recording` has some of a real
//! run.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vrrp_user::{
    input::Input,
    model::Timestamp,
    observer::Observer,
    recording::{Part, read},
};

fuzz_target!(|raw: &[u8]| {
    let mut observer: Option<Observer> = None;
    for line in raw.split(|byte| *byte == b'\n') {
        match read(line) {
            Ok(Part::Settings(settings)) => observer = Some(Observer::new(*settings)),
            Ok(Part::Told(at, input)) => tell(observer.as_mut(), at, &input),
            Err(_) => {}
        }
    }
});

fn tell(observer: Option<&mut Observer>, at: Timestamp, input: &Input) {
    let Some(observer) = observer else { return };
    observer.handle(at, input);
    while let Some(output) = observer.poll_output() {
        drop(format!("{output:?}"));
    }
}
