//! For tests of pages: a real browser through chromedriver. The W3C WebDriver protocol is JSON over HTTP, and five of its commands are enough,
//! so no client library with its TLS stack is needed. Whatever goes wrong here fails the test that asked for it.
#![allow(clippy::unwrap_used, clippy::panic)]

mod http;

use std::{path::Path, process::Command, time::Duration};

use serde_json::{Value, json};

use crate::{
    TemporaryFolder,
    child::{Child, Program},
    ports::{self, Reserved},
};

const HOW_TO_INSTALL: &str = "this test needs a browser: apt-get install -y --no-install-recommends chromium chromium-driver (`make test` does so)";
/// Bound on anything that the page has to do.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

/// One headless window; browser and driver end with it.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    session: String,
    _profile: TemporaryFolder,
    /// Nobody else gets the driver's port before the driver has taken it.
    _port: Reserved,
}

impl Browser {
    /// Starts chromedriver, and a window through it.
    ///
    /// # Panics
    /// When there is no browser on this machine; the message says how to get one.
    pub async fn start() -> Self {
        let (port, profile) = (ports::reserve().unwrap(), TemporaryFolder::new("bellwether-browser").unwrap());
        let driver = start_driver(&port);
        let base = format!("http://{}", port.address());
        wait_for("chromedriver", async || std::net::TcpStream::connect(port.address()).ok()).await;
        let answer = http::post(&format!("{base}/session"), "application/json", capabilities(profile.path())).await;
        let json: Value = serde_json::from_slice(&answer.body).unwrap();
        let id = json["value"]["sessionId"].as_str();
        let id = id.unwrap_or_else(|| panic!("no browser session: {json}; {HOW_TO_INSTALL}"));
        Self { driver, session: format!("{base}/session/{id}"), _profile: profile, _port: port }
    }

    async fn command(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/{path}", self.session);
        let answer = http::post(&url, "application/json", serde_json::to_vec(&body).unwrap()).await;
        let mut json: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, 200, "{path}: {json}");
        json["value"].take()
    }

    /// Goes to an address, and waits for the page to have loaded.
    pub async fn open(&self, url: &str) {
        self.command("url", json!({"url": url})).await;
    }

    /// From now on the window is a telephone's, this wide; in `dark` it asks for dark pages.
    pub async fn be_a_telephone(&self, width: u32, dark: bool) {
        let scheme = json!({"name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" }});
        for (command, parameters) in [
            (
                "Emulation.setDeviceMetricsOverride",
                json!({"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": true}),
            ),
            ("Emulation.setEmulatedMedia", json!({"features": [scheme]})),
        ] {
            // Not of the W3C, which knows windows and no telephones.
            self.command("goog/cdp/execute", json!({"cmd": command, "params": parameters})).await;
        }
    }

    /// What of the page is wider than the window, each with what it holds. What has a scroller of its own may be; a page
    /// without a fault answers nothing.
    pub async fn too_wide(&self) -> Vec<String> {
        self.what_stays(include_str!("wide.js")).await
    }

    /// What of the page's charts a person cannot read: letters that are too small, or that cover each other.
    pub async fn illegible(&self) -> Vec<String> {
        self.what_stays(include_str!("legible.js")).await
    }

    /// What a script finds, and finds again until the page has come to rest: one that was just opened is laid out more
    /// than once.
    async fn what_stays(&self, script: &str) -> Vec<String> {
        const TRIES: usize = 30;
        let mut found = Vec::new();
        for _ in 0..TRIES {
            found = serde_json::from_value(self.run(script).await).unwrap();
            if found.is_empty() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        found
    }

    /// The value of a JavaScript function body.
    pub async fn run(&self, script: &str) -> Value {
        self.command("execute/sync", json!({"script": script, "args": []})).await
    }

    /// Presses keys one after the other, as a person without a mouse does: letters, or one of [`keys`].
    pub async fn press(&self, keys: &str) {
        let strokes = keys.chars().flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})));
        let strokes: Vec<Value> = strokes.collect();
        self.command("actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})).await;
    }

    /// What the page shows, as text.
    pub async fn text(&self) -> String {
        self.run("return document.body.innerText").await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page shows each of `parts`, and returns its text.
    pub async fn wait_for_text(&self, parts: &[&str]) -> String {
        wait_for(&format!("{parts:?}"), async || {
            let text = self.text().await;
            parts.iter().all(|part| text.contains(part)).then_some(text)
        })
        .await
    }

    /// Waits until the function body answers something true.
    pub async fn wait_for_script(&self, script: &str) -> Value {
        wait_for(script, async || {
            let value = self.run(script).await;
            (!value.is_null() && value != json!(false) && value != json!(0)).then_some(value)
        })
        .await
    }

    /// Writes what the window shows to a PNG in the folder that `CRM_SCREENSHOTS` names, if it does.
    pub async fn picture(&self, name: &str) {
        let Ok(folder) = std::env::var("CRM_SCREENSHOTS") else { return };
        let answer = http::get(&format!("{}/screenshot", self.session)).await;
        let json: Value = serde_json::from_slice(&answer.body).unwrap();
        let png = decode_base64(json["value"].as_str().unwrap());
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), png).unwrap();
    }

    /// Ends the window in an orderly way; without it, it ends all the same.
    pub async fn close(self) {
        let request = ::http::Request::delete(&self.session).body(http_body_util::Full::default()).unwrap();
        http::send(request).await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Gone before its profile is.
        self.driver.kill();
    }
}

/// Keys that are no letters (WebDriver, "Keyboard Actions").
pub mod keys {
    /// On to the next link, button or field.
    pub const TAB: &str = "\u{e004}";
    /// Follows a link, presses a button.
    pub const ENTER: &str = "\u{e007}";
    /// Presses a button, ticks a box.
    pub const SPACE: &str = " ";
}

fn start_driver(port: &Reserved) -> Child {
    let mut command = Command::new("chromedriver");
    command.arg(format!("--port={}", port.address().port()));
    Program::new("chromedriver", command).spawn().unwrap_or_else(|error| panic!("{error}; {HOW_TO_INSTALL}"))
}

fn capabilities(profile: &Path) -> Vec<u8> {
    let arguments = json!([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1400,900",
        format!("--user-data-dir={}", profile.display()),
    ]);
    let options = json!({"browserName": "chrome", "goog:chromeOptions": {"args": arguments}});
    serde_json::to_vec(&json!({"capabilities": {"alwaysMatch": options}})).unwrap()
}

async fn wait_for<T>(what: &str, attempt: impl AsyncFn() -> Option<T>) -> T {
    let tries = async {
        loop {
            if let Some(value) = attempt().await {
                return value;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(PATIENCE, tries).await.unwrap_or_else(|_| panic!("waited {PATIENCE:?} for {what}"))
}

fn decode_base64(text: &str) -> Vec<u8> {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.chars().filter_map(|letter| letters.find(letter)) {
        (bits, count) = (bits << 6 | u32::try_from(letter).unwrap(), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}
