//! Bytes to lines, of bounded length.

use crate::log::MAX_RAW;

/// Splits what comes in at line ends, and keeps the beginning of a line until its end comes. Of a
/// line that is too long, the beginning counts and the rest is skipped.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    begun: Vec<u8>,
}

impl Splitter {
    /// Calls back with each line that ends here, without its end.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut take: impl FnMut(&[u8])) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            if self.begun.is_empty() {
                take(&line[..line.len().min(MAX_RAW)]);
            } else {
                self.keep(line);
                take(&self.begun);
                self.begun.clear();
            }
            bytes = rest;
        }
        self.keep(bytes);
    }

    /// Ends the line that is begun, for its end will not come.
    pub(super) fn end(&mut self, mut take: impl FnMut(&[u8])) {
        if !self.begun.is_empty() {
            take(&self.begun);
            self.begun.clear();
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_RAW - self.begun.len();
        self.begun
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(parts: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut splitter = Splitter::default();
        let mut lines = Vec::new();
        for part in parts {
            splitter.push(part, |line| lines.push(line.to_vec()));
        }
        splitter.end(|line| lines.push(line.to_vec()));
        lines
    }

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        assert_eq!(lines(&[b"one\ntwo\n"]), [b"one", b"two"]);
        assert_eq!(lines(&[b"o", b"ne\nt", b"wo"]), [b"one", b"two"]);
        assert_eq!(lines(&[b"\n\n"]), [b"", b""]);
    }

    #[test]
    fn a_line_without_end_takes_no_more_than_its_room() {
        let long = vec![b'x'; MAX_RAW];
        let got = lines(&[&long, &long, b"\nnext\n"]);
        assert_eq!(got.len(), 2);
        assert_eq!((got[0].len(), &got[1][..]), (MAX_RAW, &b"next"[..]));
    }
}
