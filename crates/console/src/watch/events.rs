//! Follows a gateway's stream of events, over and over.

use std::time::Duration;

use crm_balance::Event;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{sleep, timeout};

use super::lines::Lines;
use crate::{
    config::Link,
    outbound::Outbound,
    room::{Happening, Mood, Room},
};

const PAUSE: Duration = Duration::from_secs(1);
/// The gateway sends a comment every 15 s: a stream that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(40);

/// That it cannot be reached is the sampler's to tell.
pub(crate) async fn watch(outbound: Outbound, link: Link, is_one_of_several: bool, room: Room) {
    let name = is_one_of_several.then(|| link.short().to_owned());
    loop {
        if let Ok(stream) = outbound.open(&link.to("/events")).await {
            follow(stream, name.as_deref(), &room).await;
        }
        sleep(PAUSE).await;
    }
}

async fn follow(mut stream: Incoming, name: Option<&str>, room: &Room) {
    let mut lines = Lines::default();
    while let Ok(Some(Ok(frame))) = timeout(SILENCE, stream.frame()).await {
        let Ok(bytes) = frame.into_data() else { continue };
        for message in lines.take(&bytes) {
            if let Some(happening) = understand(&message.event, &message.data, name) {
                room.happened(happening);
            }
        }
    }
}

fn understand(event: &str, data: &str, name: Option<&str>) -> Option<Happening> {
    match event {
        "balance" => serde_json::from_str::<Event>(data).ok().map(|event| Happening::of(&event, name)),
        "missed" => Some(Happening::now(Mood::Warning, format!("{data} events came too fast to be told"))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_left_out() {
        let data = r#"{"event":"policy_changed","upstream":"customers","from":"random","to":"peak_ewma"}"#;
        let text = |event, data| understand(event, data, Some("b:1")).map(|it| it.text);
        assert_eq!(
            text("balance", data).as_deref(),
            Some("customers: policy peak_ewma instead of random (seen by b:1)")
        );
        assert_eq!(text("balance", "{}"), None);
        assert_eq!(text("weather", data), None);
        assert!(text("missed", "3").is_some());
    }
}
