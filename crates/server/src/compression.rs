//! Answers in gzip, for who asks.
//!
//! Only what lies there whole is packed, before it goes out: a packer takes 300 KiB while it works, which nobody should
//! hold for as long as a slow reader reads. What has a strong tag is never packed: the tag names its very bytes.

use std::io::{Read, Write};
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use tokio::sync::Semaphore;
use tonic::body::Body;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::stack::BoxService;

/// Less than this goes in one packet whether it is packed or not.
const WORTH_BYTES: usize = 1024;
/// How much is packed at a time before others have a turn: less than half a millisecond's work.
const TURN_BYTES: usize = 32 * 1024;
/// Answers that are packed at a time; what finds no place goes out as it is.
const PLACES: usize = 16;

static PLACE: Semaphore = Semaphore::const_new(PLACES);

/// Whether a request asks for gzip rather than for plain bytes (RFC 9110, 12.5.3).
///
/// Who says nothing gets plain bytes. Plain bytes are what there is without a packer, so that they are sent even to who
/// refuses them (`identity;q=0`): an answer that somebody may not read is better than none.
#[must_use]
pub fn is_asked_for(headers: &HeaderMap) -> bool {
    let (mut gzip, mut identity, mut any) = (None, None, None);
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    for coding in lines.flat_map(|line| line.split(',')) {
        let (name, weight) = coding.split_once(';').map_or((coding, None), |(name, weight)| (name, Some(weight)));
        let Some(weight) = weight.map_or(Some(1000), weight_of) else { continue };
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip = Some(weight),
            "identity" => identity = Some(weight),
            "*" => any = Some(weight),
            _ => {}
        }
    }
    let gzip = gzip.or(any).unwrap_or_default();
    gzip > 0 && gzip >= identity.unwrap_or_default()
}

/// `q=0.123` in thousandths; `None` if it is no weight (RFC 9110, 12.4.2).
#[must_use]
pub fn weight_of(parameter: &str) -> Option<u32> {
    let (name, value) = parameter.split_once('=')?;
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let is_weight = name.trim().eq_ignore_ascii_case("q")
        && matches!(whole, "0" | "1")
        && fraction.len() <= 3
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths = format!("{whole}{fraction:0<3}").parse().ok().filter(|weight| *weight <= 1000);
    thousandths.filter(|_| is_weight)
}

/// Packs a body and says so in its headers, if that is worth it.
pub async fn pack(asked: bool, body: Bytes, headers: &mut HeaderMap) -> Bytes {
    vary(headers);
    if !asked || body.len() < WORTH_BYTES {
        return body;
    }
    let Ok(_place) = PLACE.try_acquire() else { return body };
    // Into memory, where writing never fails.
    let mut packer = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    for part in body.chunks(TURN_BYTES) {
        if packer.write_all(part).is_err() {
            return body;
        }
        tokio::task::yield_now().await;
    }
    let Ok(packed) = packer.finish() else { return body };
    say(headers);
    packed.into()
}

/// What never changes is packed once, as small as it gets.
pub(crate) fn pack_once(body: &Bytes) -> Option<Bytes> {
    if body.len() < WORTH_BYTES {
        return None;
    }
    let mut packer = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::default());
    packer.write_all(body).ok()?;
    packer.finish().ok().map(Bytes::from)
}

/// What was packed beforehand, for who does not take it so. `None` if it is no gzip.
#[must_use]
pub fn unpack(packed: &[u8]) -> Option<Bytes> {
    let mut body = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut body).ok()?;
    Some(body.into())
}

/// Says that the answer may be another to who asks otherwise.
pub fn vary(headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
}

/// Says that the body is gzip.
pub fn say(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.remove(header::CONTENT_LENGTH);
}

/// A service whose pages and other texts are packed for who asks.
#[must_use]
pub fn packing(service: BoxService) -> BoxService {
    let service = Arc::new(service);
    BoxService::new(ServiceBuilder::new().service(service_fn(move |mut request: Request<Body>| {
        let service = BoxService::clone(&service);
        async move {
            let asked = is_asked_for(request.headers());
            // What `HEAD` says is what `GET` would; the port leaves out the body.
            if request.method() == Method::HEAD {
                *request.method_mut() = Method::GET;
            }
            let response = service.oneshot(request).await?;
            Ok(if may_be_packed(&response) { pack_whole(asked, response).await } else { response })
        }
    })))
}

async fn pack_whole(asked: bool, response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let Ok(body) = body.collect().await else {
        return Response::builder().status(StatusCode::INTERNAL_SERVER_ERROR).body(Body::empty()).unwrap_or_default();
    };
    let body = pack(asked, body.to_bytes(), &mut parts.headers).await;
    Response::from_parts(parts, Body::new(Full::new(body)))
}

/// A text that lies there whole, and has not been packed already.
fn may_be_packed(response: &Response<Body>) -> bool {
    let headers = response.headers();
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_text = kind.starts_with("text/") || kind.starts_with("application/json") || kind.starts_with("image/svg");
    let is_strong = headers.get(header::ETAG).is_some_and(|tag| !tag.as_bytes().starts_with(b"W/"));
    let is_ready = !headers.contains_key(header::CONTENT_ENCODING) && !headers.contains_key(header::VARY);
    is_text && !is_strong && is_ready && response.body().size_hint().exact().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&'static str], asked: bool) {
        let headers = lines.iter().map(|line| (header::ACCEPT_ENCODING, HeaderValue::from_static(line)));
        assert_eq!(is_asked_for(&headers.collect()), asked, "{lines:?}");
    }

    #[test]
    fn gzip_is_for_who_takes_it_and_likes_it_no_less_than_plain_bytes() {
        for taken in
            ["gzip", "GZIP", "x-gzip", "deflate, gzip;q=1.0", "gzip; q=0.001", "br;q=1, *;q=0.5", "*", "gzip , br"]
        {
            check(&[taken], true);
        }
        check(&["identity;q=0.5, gzip;q=0.5"], true);
        check(&["identity;q=0, gzip;q=0.1"], true);
        check(&["br", "gzip"], true);
        for refused in
            ["", "identity", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *", "gzip;q=0.4, identity;q=0.5"]
        {
            check(&[refused], false);
        }
        for nonsense in ["gzip;q=2", "gzip;q=x", "gzip;q=0.0001", "gzip;q", "gzip;p=1", "gzipped", "g zip", "gzip;q=-1"]
        {
            check(&[nonsense], false);
        }
        check(&[], false);
    }

    #[tokio::test]
    async fn what_is_worth_it_is_packed() {
        for (length, asked, packed) in
            [(WORTH_BYTES - 1, true, false), (WORTH_BYTES, true, true), (100_000, true, true), (100_000, false, false)]
        {
            let (body, mut headers) = (Bytes::from(vec![b'x'; length]), HeaderMap::new());
            headers.insert(header::CONTENT_LENGTH, length.into());
            let sent = pack(asked, body.clone(), &mut headers).await;
            assert_eq!(headers[header::VARY], "accept-encoding", "{length}");
            assert_eq!(headers.contains_key(header::CONTENT_ENCODING), packed, "{length}");
            assert_eq!(headers.contains_key(header::CONTENT_LENGTH), !packed, "{length}");
            assert_eq!(if packed { unpack(&sent).unwrap() } else { sent.clone() }, body);
            assert_eq!(sent.len() < 1000, packed, "{length}");
        }
    }

    #[tokio::test]
    async fn what_finds_no_place_goes_out_as_it_is() {
        let _all = PLACE.acquire_many(u32::try_from(PLACES).unwrap()).await.unwrap();
        let (body, mut headers) = (Bytes::from(vec![b'x'; 100_000]), HeaderMap::new());
        assert_eq!(pack(true, body.clone(), &mut headers).await, body);
        assert_eq!(headers.get(header::CONTENT_ENCODING), None);
    }
}
