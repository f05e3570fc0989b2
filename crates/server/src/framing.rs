//! The messages of a request, as gRPC frames them: a flag, four bytes of length, the message ("gRPC over HTTP2",
//! Length-Prefixed-Message).
//!
//! What is wrong is found here, while the bytes pass, and gets the code that gRPC's list of statuses has for it. The
//! library behind takes the first message of a call that has one and drops what else comes.

use tonic::Code;

use crate::problem::Problem;
use crate::reasons::{COMPRESSION_INVALID, MESSAGE_COUNT, MESSAGE_MALFORMED, MESSAGE_TOO_LARGE};

/// The flag and the length before a message.
pub const PREFIX_BYTES: usize = 5;

/// What is expected of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Exactly one message, not a stream of them.
    pub one: bool,
    /// Messages may be packed, as `grpc-encoding` says.
    pub packed: bool,
    /// Longest message, in bytes.
    pub most_bytes: usize,
}

/// Where in its messages a request is.
#[derive(Clone, Debug)]
pub struct Framing {
    expected: Expected,
    prefix: [u8; PREFIX_BYTES],
    /// Bytes of the next prefix that have come.
    came: usize,
    /// Bytes of the message that are still to come.
    left: usize,
    /// A message has begun.
    has_message: bool,
}

impl Framing {
    /// At the beginning.
    #[must_use]
    pub fn new(expected: Expected) -> Self {
        Self { expected, prefix: [0; PREFIX_BYTES], came: 0, left: 0, has_message: false }
    }

    /// These bytes come next.
    ///
    /// # Errors
    /// They cannot be what is expected, whatever else will come.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), Problem> {
        while let Some(&first) = bytes.first() {
            if self.left > 0 {
                let taken = self.left.min(bytes.len());
                self.left -= taken;
                bytes = &bytes[taken..];
                continue;
            }
            self.check_begin(first)?;
            let taken = (PREFIX_BYTES - self.came).min(bytes.len());
            self.prefix[self.came..self.came + taken].copy_from_slice(&bytes[..taken]);
            self.came += taken;
            bytes = &bytes[taken..];
            if self.came == PREFIX_BYTES {
                self.begin()?;
            }
        }
        Ok(())
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// Something was still to come.
    pub fn end(&self) -> Result<(), Problem> {
        if self.came > 0 || self.left > 0 {
            return Err(Problem::new(Code::InvalidArgument, MESSAGE_MALFORMED, "the request ends within a message"));
        }
        if self.expected.one && !self.has_message { Err(wrong_count("none")) } else { Ok(()) }
    }

    /// Of a prefix the first byte tells enough to refuse it.
    fn check_begin(&self, first: u8) -> Result<(), Problem> {
        if self.came > 0 {
            return Ok(());
        }
        if self.expected.one && self.has_message {
            return Err(wrong_count("more"));
        }
        match first {
            0 => Ok(()),
            1 if self.expected.packed => Ok(()),
            1 => {
                Err(wrong_packing("the Compressed-Flag is set, and grpc-encoding does not say how to read the message"))
            }
            _ => Err(wrong_packing("the Compressed-Flag before a message is neither 0 nor 1")),
        }
    }

    fn begin(&mut self) -> Result<(), Problem> {
        let [_, a, b, c, d] = self.prefix;
        self.left = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        self.came = 0;
        self.has_message = true;
        if self.left > self.expected.most_bytes { Err(too_large(self.expected.most_bytes)) } else { Ok(()) }
    }
}

/// A message that no waiting makes shorter.
pub fn too_large(most_bytes: usize) -> Problem {
    let message = format!("the message is longer than {most_bytes} bytes");
    let problem = Problem::new(Code::ResourceExhausted, MESSAGE_TOO_LARGE, message);
    problem.with_metadata("max_bytes", most_bytes.to_string()).of_the_call()
}

/// gRPC calls it a violation of cardinality, and has this code for it.
fn wrong_count(came: &str) -> Problem {
    let message = format!("the method takes one message, and {came} came");
    Problem::new(Code::Unimplemented, MESSAGE_COUNT, message).of_the_call()
}

/// A message that says of its packing what cannot be.
pub fn wrong_packing(message: &str) -> Problem {
    Problem::new(Code::Internal, COMPRESSION_INVALID, message).of_the_call()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Expected = Expected { one: true, packed: false, most_bytes: 4 };

    /// The reason for which a request is refused that comes in these pieces, and whether before its end.
    fn check(expected: Expected, pieces: &[&[u8]], refused: Option<(Code, &str, bool)>) {
        let mut framing = Framing::new(expected);
        let early = pieces.iter().find_map(|piece| framing.push(piece).err());
        let is_early = early.is_some();
        let problem = early.or_else(|| framing.end().err());
        let found = problem.as_ref().map(|problem| (problem.code(), problem.reason(), is_early));
        assert_eq!(found, refused, "{pieces:?}");
    }

    #[test]
    fn a_call_of_one_message_has_one_however_it_comes() {
        let more = Some((Code::Unimplemented, MESSAGE_COUNT, true));
        check(ONE, &[&[0, 0, 0, 0, 2, 8, 1]], None);
        check(ONE, &[&[0, 0, 0], &[0, 2, 8], &[], &[1]], None);
        check(ONE, &[&[0, 0, 0, 0, 0]], None);
        check(ONE, &[], Some((Code::Unimplemented, MESSAGE_COUNT, false)));
        check(ONE, &[&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]], more);
        check(ONE, &[&[0, 0, 0, 0, 2, 8, 1], &[0]], more);
        check(ONE, &[&[0, 0, 0, 0, 2, 8, 1, 255]], more);
        let many = Expected { one: false, ..ONE };
        check(many, &[], None);
        check(many, &[&[0, 0, 0, 0, 1, 7, 0, 0], &[0, 0, 2, 7, 7]], None);
    }

    #[test]
    fn half_a_message_is_none() {
        let malformed = Some((Code::InvalidArgument, MESSAGE_MALFORMED, false));
        for half in [&[0][..], &[0, 0, 0, 0], &[0, 0, 0, 0, 2], &[0, 0, 0, 0, 2, 8]] {
            check(ONE, &[half], malformed);
            check(Expected { one: false, ..ONE }, &[half], malformed);
        }
    }

    #[test]
    fn a_message_is_as_long_as_it_may_be_and_no_longer() {
        check(ONE, &[&[0, 0, 0, 0, 4, 1, 2, 3, 4]], None);
        let refused = Some((Code::ResourceExhausted, MESSAGE_TOO_LARGE, true));
        check(ONE, &[&[0, 0, 0, 0, 5]], refused);
        check(ONE, &[&[0, 255, 255, 255, 255]], refused);
        check(Expected { one: false, ..ONE }, &[&[0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 5]], refused);
    }

    #[test]
    fn a_flag_says_what_the_headers_say() {
        let refused = Some((Code::Internal, COMPRESSION_INVALID, true));
        let packed = Expected { packed: true, ..ONE };
        check(packed, &[&[1, 0, 0, 0, 1, 7]], None);
        check(packed, &[&[0, 0, 0, 0, 1, 7]], None);
        check(ONE, &[&[1]], refused);
        for flag in [2, 128, 255] {
            check(ONE, &[&[flag, 0, 0, 0, 1, 7]], refused);
            check(packed, &[&[flag, 0, 0, 0, 1, 7]], refused);
        }
    }
}
