//! gzip over gRPC: what comes packed, what goes packed, and what it may cost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::io::{Read, Write};

use bytes::Bytes;
use crm_proto::customers as pb;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use prost::Message;
use support::{Rig, wire, wire::Grpc};
use tonic::{Code, Status};
use tonic_types::StatusExt;

const GET: &str = "/crm.customers.v1.AccountService/GetAccount";
const CREATE: &str = "/crm.customers.v1.AccountService/CreateAccount";
const EXPORT: &str = "/crm.customers.v1.AccountService/ExportAccounts";
const CHECK: &str = "/grpc.health.v1.Health/Check";
const GZIP: (&str, &str) = ("grpc-encoding", "gzip");
const ACCEPT: (&str, &str) = ("grpc-accept-encoding", "identity, deflate, gzip");

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    [&[flag], &u32::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

fn get(id: &str) -> Vec<u8> {
    pb::GetAccountRequest { id: id.into() }.encode_to_vec()
}

fn create(name_bytes: usize) -> Vec<u8> {
    let account = pb::Account { name: "y".repeat(name_bytes), ..Default::default() };
    pb::CreateAccountRequest { account: Some(account), request_id: "1".into(), ..Default::default() }.encode_to_vec()
}

/// An answer: its headers, its messages with their flags, and its status.
struct Answered {
    headers: HeaderMap,
    messages: Vec<(u8, Vec<u8>)>,
    status: Status,
}

impl Answered {
    fn account(&self) -> pb::Account {
        assert_eq!(self.status.code(), Code::Ok, "{}", self.status);
        pb::Account::decode(&*self.messages[0].1).unwrap()
    }

    fn refusal(&self) -> (Code, String) {
        (self.status.code(), self.status.get_details_error_info().map(|info| info.reason).unwrap_or_default())
    }
}

async fn call(rig: &Rig, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answered {
    let bearer = format!("Bearer {}", rig.token());
    let headers = [headers, &[("authorization", bearer.as_str())]].concat();
    let response = Grpc::connect(rig.public).await.raw(path, &headers, body.into()).await;
    let headers = response.headers().clone();
    let collected = response.into_body().collect().await.unwrap();
    let status = Status::from_header_map(&headers);
    let status = status.or_else(|| collected.trailers().and_then(Status::from_header_map)).expect("a status");
    Answered { headers, messages: messages(collected.to_bytes()), status }
}

fn messages(mut bytes: Bytes) -> Vec<(u8, Vec<u8>)> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let prefix = bytes.split_to(5);
        let length = u32::from_be_bytes(prefix[1..].try_into().unwrap());
        let message = bytes.split_to(length as usize);
        let mut plain = Vec::new();
        match prefix[0] {
            0 => plain.extend_from_slice(&message),
            _ => drop(GzDecoder::new(&message[..]).read_to_end(&mut plain).unwrap()),
        }
        messages.push((prefix[0], plain));
    }
    messages
}

#[tokio::test]
async fn a_packed_request_is_unpacked_before_a_service_hears_of_it() {
    let rig = Rig::start().await;
    let members = [gzip(&get("7")[..1]), gzip(b""), gzip(&get("7")[1..])].concat();
    for body in [framed(1, &gzip(&get("7"))), framed(0, &get("7")), framed(1, &members)] {
        assert_eq!(call(&rig, GET, &[GZIP], body).await.account().id, "7");
    }
    let named = call(&rig, GET, &[("grpc-encoding", "identity")], framed(0, &get("7"))).await;
    assert_eq!(named.account().id, "7");
    let empty = call(&rig, GET, &[GZIP], framed(1, &gzip(b""))).await;
    assert_eq!(empty.account().id, "");
    let large = call(&rig, CREATE, &[GZIP], framed(1, &gzip(&create(2 << 20)))).await;
    assert_eq!(large.account().name.len(), 2 << 20);
    let names = call(&rig, GET, &[GZIP, ACCEPT], framed(1, &gzip(&get("names")))).await.account().name;
    assert!(!names.contains("encoding"), "{names}");
}

#[tokio::test]
async fn what_cannot_be_unpacked_is_refused_in_grpcs_words() {
    let rig = Rig::start().await;
    let (packed, garbage) = (gzip(&get("7")), b"no gzip at all".to_vec());
    let mut wrong_sum = packed.clone();
    let at = wrong_sum.len() - 8;
    wrong_sum[at] ^= 1;
    let cut = packed[..packed.len() - 1].to_vec();
    let trailing = [packed.clone(), garbage.clone()].concat();
    for path in [GET, CHECK] {
        for message in [&garbage, &cut, &trailing, &wrong_sum, &Vec::new()] {
            let refused = call(&rig, path, &[GZIP], framed(1, message)).await.refusal();
            assert_eq!(refused, (Code::Internal, "COMPRESSION_INVALID".to_owned()), "{path}: {message:?}");
        }
        for (headers, flag) in [(&[][..], 1), (&[("grpc-encoding", "identity")], 1), (&[], 2), (&[GZIP], 2)] {
            let refused = call(&rig, path, headers, framed(flag, &packed)).await.refusal();
            assert_eq!(refused, (Code::Internal, "COMPRESSION_INVALID".to_owned()), "{path}: {headers:?} {flag}");
        }
        let unknown = call(&rig, path, &[("grpc-encoding", "zstd")], framed(1, &packed)).await;
        assert_eq!(unknown.refusal(), (Code::Unimplemented, "COMPRESSION_UNSUPPORTED".to_owned()), "{path}");
        assert_eq!(unknown.headers["grpc-accept-encoding"], "identity,gzip");
    }
    let upstream = wire::rest(rig.control, Method::GET, "/upstreams/customers", &[], "").await.json();
    assert_eq!(upstream["replicas"][0]["failures"], 0, "{upstream}");
    let metrics = wire::rest(rig.admin, Method::GET, "/metrics", &[], "").await.text();
    let failed = "crm_rpc_server_calls_total{method=\"crm.customers.v1.AccountService/GetAccount\",outcome=\"error\"}";
    assert!(!metrics.contains(failed), "a caller's rubbish is no failure of ours");
}

#[tokio::test]
async fn a_message_is_as_long_as_it_is_unpacked() {
    let rig = Rig::start().await;
    let around = create(4 << 20).len() - (4 << 20);
    let fits = create((4 << 20) - around);
    assert_eq!(fits.len(), 4 << 20);
    assert_eq!(call(&rig, CREATE, &[GZIP], framed(1, &gzip(&fits))).await.account().name.len(), (4 << 20) - around);
    let beyond = create((4 << 20) - around + 1);
    let bomb = gzip(&vec![0; 64 << 20]);
    for body in [framed(0, &beyond), framed(1, &gzip(&beyond)), framed(1, &bomb)] {
        let refused = call(&rig, CREATE, &[GZIP], body).await;
        assert_eq!(refused.refusal(), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE".to_owned()));
        assert!(refused.status.get_details_retry_info().is_none(), "no waiting makes it shorter");
    }
    let refused = call(&rig, CHECK, &[GZIP], framed(1, &gzip(&vec![0; 64 * 1024 + 1]))).await;
    assert_eq!(refused.refusal(), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE".to_owned()));
}

#[tokio::test]
async fn what_is_unpacked_takes_up_room_of_its_tenant() {
    let rig = Rig::start_with(1, |config| config.calls.max_buffered_bytes = 200_000).await;
    let packed = |bytes| framed(1, &gzip(&create(bytes)));
    assert!(packed(120_000).len() < 1_000);
    assert_eq!(call(&rig, CREATE, &[GZIP], packed(60_000)).await.account().name.len(), 60_000);
    let refused = call(&rig, CREATE, &[GZIP], packed(120_000)).await;
    assert_eq!(refused.refusal(), (Code::ResourceExhausted, "TENANT_SHARE_TAKEN".to_owned()));
    assert!(refused.status.get_details_retry_info().is_some(), "room there will be again");
    assert_eq!(call(&rig, CREATE, &[GZIP], packed(60_000)).await.account().name.len(), 60_000);
}

#[tokio::test]
async fn answers_are_packed_for_who_asks_while_the_switch_is_on() {
    let rig = Rig::start().await;
    let large = |headers| call(&rig, GET, headers, framed(0, &get("large")));
    let packed = large(&[ACCEPT]).await;
    assert_eq!((&packed.headers["grpc-encoding"], packed.messages[0].0), (&"gzip".parse().unwrap(), 1));
    assert_eq!(packed.account().name, "x".repeat(2 << 20));
    let small = call(&rig, GET, &[ACCEPT], framed(0, &get("7"))).await;
    assert_eq!((small.messages[0].0, small.account()), (0, support::fake::account("7")));
    for headers in [&[][..], &[("grpc-accept-encoding", "identity")], &[GZIP]] {
        let plain = large(headers).await;
        assert!(plain.messages[0].0 == 0 && !plain.headers.contains_key("grpc-encoding"), "{headers:?}");
    }
    let missing = call(&rig, GET, &[ACCEPT], framed(0, &get("missing"))).await;
    assert_eq!(missing.refusal(), (Code::NotFound, "ACCOUNT_NOT_FOUND".to_owned()));

    let json = [("content-type", "application/json")];
    wire::rest(rig.control, Method::PUT, "/switches/compression", &json, r#"{"on":false}"#).await;
    let plain = large(&[ACCEPT]).await;
    assert!(plain.messages[0].0 == 0 && !plain.headers.contains_key("grpc-encoding"));
    assert_eq!(call(&rig, GET, &[GZIP], framed(1, &gzip(&get("7")))).await.account().id, "7", "callers need not know");
}

#[tokio::test]
async fn each_message_of_a_stream_is_packed_and_its_status_comes_behind() {
    let rig = Rig::start().await;
    let export = |filter: &str| pb::ExportAccountsRequest { filter: filter.into(), ..Default::default() };
    let ask = async |filter| call(&rig, EXPORT, &[ACCEPT], framed(0, &export(filter).encode_to_vec())).await;
    let all = ask("300").await;
    assert_eq!((all.messages.len(), all.status.code()), (300, Code::Ok));
    for (number, (flag, message)) in all.messages.iter().enumerate() {
        assert_eq!((*flag, pb::Account::decode(&**message).unwrap().id), (1, number.to_string()));
    }
    let broken = ask("breaks").await;
    assert_eq!((broken.messages.len(), broken.status.code()), (2, Code::Aborted));
}

#[tokio::test]
async fn the_gateways_own_services_take_packed_messages_too() {
    use tonic_reflection::pb::v1::{ServerReflectionRequest, server_reflection_request::MessageRequest};
    let rig = Rig::start().await;
    let healthy = call(&rig, CHECK, &[GZIP], framed(1, &gzip(b""))).await;
    assert_eq!((healthy.status.code(), &healthy.messages[0].1[..]), (Code::Ok, &[8, 1][..]));
    let list = MessageRequest::ListServices(String::new());
    let list = ServerReflectionRequest { host: String::new(), message_request: Some(list) }.encode_to_vec();
    let two = [framed(1, &gzip(&list)), framed(0, &list)].concat();
    let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let listed = call(&rig, path, &[GZIP], two).await;
    assert_eq!((listed.status.code(), listed.messages.len()), (Code::Ok, 2));
    let broken = call(&rig, path, &[GZIP], [framed(1, &gzip(&list)), framed(1, b"x")].concat()).await;
    assert_eq!(broken.refusal(), (Code::Internal, "COMPRESSION_INVALID".to_owned()));
}
