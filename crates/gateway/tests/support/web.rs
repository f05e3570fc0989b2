//! What a client of gRPC-Web does, byte by byte.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};
use bytes::Bytes;
use crm_transcode::frame;
use prost::Message;

use super::wire::Answer;

/// A body of one message.
pub fn body(message: &impl Message) -> Bytes {
    frame::encode(&message.encode_to_vec()).unwrap()
}

/// A text of pieces that are padded each for itself.
pub fn text(bytes: &[u8], piece: usize) -> String {
    bytes.chunks(piece).map(|piece| BASE64_STANDARD.encode(piece)).collect()
}

/// The bytes that such a text stands for.
pub fn bytes(text: &[u8]) -> Vec<u8> {
    let quartets = text.chunks(4);
    quartets.flat_map(|quartet| BASE64_STANDARD.decode(quartet).unwrap()).collect()
}

/// The messages, and the trailers behind them, one a line.
pub fn read<M: Message + Default>(mut body: &[u8]) -> (Vec<M>, String) {
    let mut messages = Vec::new();
    while let Some((prefix, rest)) = body.split_at_checked(5) {
        let length = u32::from_be_bytes(prefix[1..].try_into().unwrap());
        let (content, rest) = rest.split_at(usize::try_from(length).unwrap());
        match prefix[0] {
            0 => messages.push(M::decode(content).unwrap()),
            0x80 => {
                assert!(rest.is_empty(), "trailers are the last");
                return (messages, String::from_utf8(content.to_vec()).unwrap());
            }
            other => panic!("flag {other}"),
        }
        body = rest;
    }
    panic!("no trailers behind {} messages", messages.len());
}

/// Code and reason of an answer that is nothing but a status.
pub fn refusal(answer: &Answer) -> (String, String) {
    assert!(answer.body.is_empty(), "{answer:?}");
    let details = BASE64_STANDARD_NO_PAD.decode(answer.header("grpc-status-details-bin").trim_end_matches('='));
    (answer.header("grpc-status").to_owned(), reason(&details.unwrap()))
}

/// `ErrorInfo.reason` of an encoded status.
pub fn reason(details: &[u8]) -> String {
    let status = crm_proto::google::rpc::Status::decode(details).unwrap();
    let any = status.details.iter().find(|any| any.type_url.ends_with("ErrorInfo"));
    any.map(|any| crm_proto::google::rpc::ErrorInfo::decode(&*any.value).unwrap().reason).unwrap_or_default()
}
