//! An error and what caused it, in one line for people.

use std::{error::Error, fmt, io};

use nix::errno::Errno;

/// Shows an error with all its sources, the last of which is what the system said.
///
/// Errors here do not repeat their source in their own text. Those of some crates do: what was said
/// is not said again.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl<'a> Chain<'a> {
    fn links(&self) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
        std::iter::successors(Some(self.0), |error| (*error).source())
    }

    /// Whether it comes of the limit of open files, which the one who runs the program can raise.
    fn is_want_of_files(&self) -> bool {
        let is_limit = |code| matches!(Errno::from_raw(code), Errno::EMFILE | Errno::ENFILE);
        self.links().any(|error| {
            let system = error.downcast_ref::<io::Error>();
            system
                .and_then(io::Error::raw_os_error)
                .is_some_and(is_limit)
                || error
                    .downcast_ref::<Errno>()
                    .is_some_and(|errno| is_limit(*errno as i32))
        })
    }
}

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(said.trim_end())?;
        for error in self.links().skip(1) {
            let text = error.to_string();
            if !said.contains(&text) {
                write!(f, ": {}", text.trim_end())?;
                said = text;
            }
        }
        if self.is_want_of_files() {
            f.write_str("; allow more open files (`ulimit -n 1024`)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the kernel refused the object")]
    struct Outer(#[source] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error("map error: {0}")]
    struct Middle(#[source] io::Error);

    #[test]
    fn every_source_is_said_once() {
        let error = Outer(Middle(io::Error::other("no room")));
        assert_eq!(
            Chain(&error).to_string(),
            "the kernel refused the object: map error: no room"
        );
    }

    #[test]
    fn a_limit_that_can_be_raised_is_named() {
        let error = Outer(Middle(Errno::EMFILE.into()));
        let text = Chain(&error).to_string();
        assert!(text.contains("Too many open files"), "{text}");
        assert!(text.contains("ulimit -n"), "{text}");
    }
}
