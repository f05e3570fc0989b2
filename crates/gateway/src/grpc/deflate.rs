//! Messages into gzip, for callers who ask for it.
//!
//! This saves bytes and must never cost an answer: a message for which there is no room, or nobody to pack it now, goes as
//! it is, which gRPC allows message by message.

mod packing;

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use crm_server::framing::PREFIX_BYTES;
use crm_shares::{Holder, Share, Shares};
use flate2::CompressError;
use http::{HeaderValue, Response};
use http_body::Frame;
use tonic::{Status, body::Body};

use self::packing::{Packing, Tables};
use super::encoding::ENCODING;

/// What is shorter hardly becomes shorter: a packet holds it either way.
const LEAST_BYTES: usize = 512;
/// What is longer would keep much in memory: the length of a packed message stands before it.
const MOST_BYTES: usize = 4 << 20;
/// All that is being packed, or is packed and not yet sent; one tenant's is half of it at most.
const ROOM_BYTES: usize = 32 << 20;
/// Packed in a row; then other calls have their turn.
const BYTES_IN_A_ROW: usize = 256 * 1024;

/// Packs answers, within bounds of the process.
#[derive(Clone, Debug)]
pub(crate) struct Packer {
    room: Shares,
    tables: Tables,
}

impl Packer {
    pub(crate) fn new() -> Self {
        Self { room: Shares::new(ROOM_BYTES), tables: Tables::default() }
    }

    /// Packs the messages of an answer that has any, and that nobody has packed before.
    pub(crate) fn pack(&self, mut response: Response<Body>, holder: Holder) -> Response<Body> {
        let headers = response.headers_mut();
        if headers.contains_key("grpc-status") || headers.contains_key(ENCODING) {
            return response;
        }
        headers.insert(ENCODING, HeaderValue::from_static("gzip"));
        headers.remove(http::header::CONTENT_LENGTH);
        response.map(|inner| Body::new(Packed::new(inner, self.clone(), holder)))
    }

    fn begin(&self, length: usize, holder: Holder) -> Option<Packing> {
        let room = self.room.take(holder, length).ok()?;
        Some(Packing::new(self.tables.lend()?, length, room))
    }
}

/// Where in its messages an answer is.
enum Message {
    /// So many bytes of a prefix have come.
    Next(usize),
    /// So many bytes pass as they are.
    Plain(usize),
    Packing(Box<Packing>),
}

/// An answer whose messages are packed as they come.
struct Packed {
    inner: Body,
    packer: Packer,
    holder: Holder,
    came: Bytes,
    prefix: [u8; PREFIX_BYTES],
    message: Message,
    out: BytesMut,
    /// Of what was handed out last, and is taken when more is asked for.
    held: Option<Share>,
    in_a_row: usize,
}

impl Packed {
    fn new(inner: Body, packer: Packer, holder: Holder) -> Self {
        let prefix = [0; PREFIX_BYTES];
        let (message, came, out) = (Message::Next(0), Bytes::new(), BytesMut::new());
        Self { inner, packer, holder, came, prefix, message, out, held: None, in_a_row: 0 }
    }

    /// Goes through what has come, up to the end of a message that is packed then.
    fn advance(&mut self) -> Result<Option<Bytes>, CompressError> {
        while !self.came.is_empty() {
            match &mut self.message {
                Message::Next(begun) => {
                    let taken = self.came.split_to(self.came.len().min(PREFIX_BYTES - *begun));
                    self.prefix[*begun..*begun + taken.len()].copy_from_slice(&taken);
                    *begun += taken.len();
                    if *begun == PREFIX_BYTES {
                        self.begin();
                    }
                }
                Message::Plain(left) => {
                    let taken = self.came.split_to(self.came.len().min(*left));
                    self.out.extend_from_slice(&taken);
                    *left -= taken.len();
                    if *left == 0 {
                        self.message = Message::Next(0);
                    }
                }
                Message::Packing(packing) => {
                    let taken = self.came.split_to(self.came.len().min(packing.left()));
                    packing.push(&taken)?;
                    if packing.left() == 0 {
                        return self.finish();
                    }
                }
            }
        }
        Ok(None)
    }

    fn begin(&mut self) {
        let [flag, a, b, c, d] = self.prefix;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let is_worth_it = flag == 0 && (LEAST_BYTES..=MOST_BYTES).contains(&length);
        let packing = is_worth_it.then(|| self.packer.begin(length, self.holder)).flatten();
        self.message = match packing {
            Some(packing) => Message::Packing(Box::new(packing)),
            None => {
                self.out.extend_from_slice(&self.prefix);
                if length == 0 { Message::Next(0) } else { Message::Plain(length) }
            }
        };
    }

    /// What lies before the message goes with it.
    fn finish(&mut self) -> Result<Option<Bytes>, CompressError> {
        let Message::Packing(packing) = std::mem::replace(&mut self.message, Message::Next(0)) else { return Ok(None) };
        let (packed, room) = packing.finish()?;
        self.held = Some(room);
        if self.out.is_empty() {
            return Ok(Some(packed));
        }
        self.out.extend_from_slice(&packed);
        Ok(Some(self.out.split().freeze()))
    }
}

impl http_body::Body for Packed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.held = None;
        loop {
            let broken = |_| Status::internal("the answer cannot be packed");
            if let Some(packed) = self.advance().map_err(broken)? {
                return Poll::Ready(Some(Ok(Frame::data(packed))));
            }
            if !self.out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(self.out.split().freeze()))));
            }
            if self.in_a_row > BYTES_IN_A_ROW {
                self.in_a_row = 0;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let frame = match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                end => return Poll::Ready(end),
            };
            match frame.into_data() {
                Ok(data) => {
                    self.in_a_row += data.len();
                    self.came = data;
                }
                // A message that was not whole then is none.
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.came.is_empty() && self.out.is_empty() && self.inner.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use http_body_util::{BodyExt, StreamBody};

    use super::{packing::PACKERS, *};

    const ALICE: Holder = Some(1);

    fn framed(message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).expect("short");
        [&[0], &length.to_be_bytes()[..], message].concat()
    }

    /// An answer in pieces of so many bytes, packed.
    fn packed(packer: &Packer, plain: &[u8], piece: usize) -> Packed {
        let pieces: Vec<_> = plain.chunks(piece).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
        let trailers = Ok::<_, Status>(Frame::trailers(http::HeaderMap::new()));
        let body = StreamBody::new(futures_util::stream::iter(pieces.into_iter().chain([trailers])));
        Packed::new(Body::new(body), packer.clone(), ALICE)
    }

    /// The messages of an answer, and which of them were packed.
    async fn read(body: Packed) -> Vec<(bool, Vec<u8>)> {
        let collected = body.collect().await.expect("an answer");
        assert!(collected.trailers().is_some());
        let mut bytes = &collected.to_bytes()[..];
        let mut messages = Vec::new();
        while let Some((&[flag, a, b, c, d], rest)) = bytes.split_first_chunk::<PREFIX_BYTES>() {
            let (message, rest) = rest.split_at(u32::from_be_bytes([a, b, c, d]) as usize);
            let mut plain = Vec::new();
            match flag {
                0 => plain.extend_from_slice(message),
                _ => assert!(GzDecoder::new(message).read_to_end(&mut plain).expect("gzip") > message.len()),
            }
            messages.push((flag == 1, plain));
            bytes = rest;
        }
        assert!(bytes.is_empty());
        messages
    }

    /// Hardly compressible in its first part, and well in the rest.
    fn message(length: usize) -> Vec<u8> {
        let mut state = 7_u32;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        });
        noise.take(length / 4).chain(std::iter::repeat(b'x')).take(length).collect()
    }

    #[tokio::test]
    async fn messages_are_packed_one_by_one_however_they_come() {
        let packer = Packer::new();
        let lengths = [0, 3, LEAST_BYTES - 1, LEAST_BYTES, 0, 700_000, 1];
        let plain: Vec<u8> = lengths.iter().flat_map(|length| framed(&message(*length))).collect();
        for piece in [1, 4, 5, 1_000, 16_384, plain.len()] {
            let expected: Vec<_> = lengths.iter().map(|length| (*length >= LEAST_BYTES, message(*length))).collect();
            assert_eq!(read(packed(&packer, &plain, piece)).await, expected, "{piece}");
        }
        assert_eq!((packer.room.taken(), packer.tables.count()), (0, (0, 1)));
    }

    #[tokio::test]
    async fn what_finds_no_room_or_nobody_to_pack_it_goes_as_it_is() {
        let packer = Packer::new();
        let plain = framed(&message(10_000));
        let is_packed = async || read(packed(&packer, &plain, 16_384)).await[0].0;
        assert!(is_packed().await);
        let all = packer.room.take(ALICE, ROOM_BYTES / 2).expect("half");
        assert!(!is_packed().await);
        drop(all);
        let mut lent: Vec<_> = std::iter::repeat_with(|| packer.tables.lend()).take(PACKERS).collect();
        assert!(lent.iter().all(Option::is_some) && !is_packed().await);
        lent.pop();
        assert!(is_packed().await);
        let beyond = framed(&message(MOST_BYTES + 1));
        assert!(!read(packed(&packer, &beyond, 16_384)).await[0].0);
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_within_a_message_gives_back_what_it_held() {
        let packer = Packer::new();
        let plain = framed(&message(10_000));
        let mut body = packed(&packer, &plain[..5_000], 1_000);
        let end = body.frame().await.expect("an end").expect("no error");
        assert!(end.is_trailers());
        assert_eq!((packer.room.taken(), packer.tables.count()), (10_000, (1, 0)));
        drop(body);
        assert_eq!((packer.room.taken(), packer.tables.count()), (0, (0, 1)));
    }

    #[tokio::test]
    async fn a_packed_message_takes_up_room_until_more_is_asked_for() {
        let packer = Packer::new();
        let mut body = packed(&packer, &framed(&message(10_000)), 16_384);
        let sent = body.frame().await.expect("a message").expect("no error").into_data().expect("data");
        assert_eq!(packer.room.taken(), sent.len());
        assert!(body.frame().await.expect("an end").expect("no error").is_trailers());
        assert_eq!(packer.room.taken(), 0);
    }

    #[test]
    fn an_answer_that_is_packed_already_or_only_a_status_is_left_alone() {
        let packer = Packer::new();
        let with = |name: &'static str, value| {
            let mut response = Response::new(Body::empty());
            response.headers_mut().insert(name, HeaderValue::from_static(value));
            packer.pack(response, ALICE).headers().get(ENCODING).cloned()
        };
        assert_eq!(with("grpc-status", "5"), None);
        assert_eq!(with("grpc-encoding", "zstd"), Some(HeaderValue::from_static("zstd")));
        assert_eq!(with("x-other", "1"), Some(HeaderValue::from_static("gzip")));
    }
}
