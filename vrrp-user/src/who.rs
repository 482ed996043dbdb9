//! Who has an address: all the evidence, and what it comes to.
//!
//! Pure: the evidence is gathered elsewhere, [`Who::new`] weighs it.

mod evidence;
mod line;
mod service;
mod tally;
mod traffic;
mod verdict;

pub use evidence::{Advertised, Answered, Held, Who};
pub use line::Line;
pub use service::{Service, Shown};
pub use tally::{AnswerLine, MacTally, Tally};
pub use traffic::{Rate, Seen};
pub use verdict::Verdict;
