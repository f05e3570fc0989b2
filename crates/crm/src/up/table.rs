//! What runs where, and where to look: the last thing that `crm up` prints.

use std::fmt::Write;

use super::state::{Process, State};
use crate::places::Places;

/// The table, without a line break at its end.
pub(super) fn render(places: &Places, state: &State) -> String {
    let mut text = String::from("\n");
    let seconds = f64::from(u32::try_from(state.ready_after_ms).unwrap_or(u32::MAX)) / 1000.0;
    let _ = writeln!(
        text,
        "Bellwether is up (ready after {seconds:.1} s). Data, keys and logs: {}\n",
        places.root().display()
    );
    let _ = writeln!(text, "  {:<16} {:<8} address", "process", "pid");
    for process in &state.processes {
        let _ = writeln!(text, "  {}", row(process));
    }
    text.push('\n');
    for (what, link) in links(state) {
        let _ = writeln!(text, "  {what:<16} {link}");
    }
    let _ = write!(text, "\n{}", hints(places, state));
    text
}

fn row(process: &Process) -> String {
    let pid = process.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
    format!("{:<16} {:<8} {}", process.name, pid, process.address.as_deref().unwrap_or("-"))
}

fn links(state: &State) -> Vec<(&'static str, String)> {
    let gateway = state.gateways.first();
    let mut links = Vec::new();
    links.extend(state.console.map(|address| ("live room", format!("http://{address}/"))));
    links.extend(gateway.map(|address| ("start page", format!("http://{address}/"))));
    links.extend(gateway.map(|address| ("API", format!("http://{address}/docs"))));
    links.extend(state.viewer.map(|address| ("traces", format!("http://{address}/search?service=gateway"))));
    links.extend(state.otlp.map(|address| ("spans, gRPC", format!("http://{address}"))));
    links.extend(state.otlp_http.map(|address| ("spans, HTTP", format!("http://{address}"))));
    links.extend(state.control.map(|address| ("replicas", format!("http://{address}/upstreams"))));
    links
}

/// With the program and the folder named as they have to be, so that the lines can be copied.
fn hints(places: &Places, state: &State) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "crm".to_owned());
    let found_by_itself = Places::new(std::env::var_os("CRM_DIR").map(Into::into)).root() == places.root();
    let folder = if found_by_itself { String::new() } else { format!(" --dir {}", places.root().display()) };
    let crm = format!("{program}{folder}");
    let gateway = state.gateways.first().map(ToString::to_string).unwrap_or_default();
    format!(
        "  curl -H \"authorization: Bearer $({crm} token)\" 'http://{gateway}/v1/accounts?pageSize=3'\n  \
         {crm} status\n  {crm} load lookups\n  {crm} down\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::up::state::Condition;

    #[test]
    fn table_names_each_process_and_link() {
        let process = |name: &str, pid| Process {
            name: name.to_owned(),
            role: name.to_owned(),
            replica: 0,
            pid,
            address: Some("127.0.0.1:1".to_owned()),
            admin: None,
            restarts: 0,
            condition: Condition::Running,
        };
        let state = State {
            supervisor: 1,
            ready: true,
            announced: true,
            ready_after_ms: 1234,
            gateways: vec![([127, 0, 0, 1], 8080).into()],
            control: Some(([127, 0, 0, 1], 8081).into()),
            controls: Vec::new(),
            console: Some(([127, 0, 0, 1], 8000).into()),
            viewer: Some(([127, 0, 0, 1], 16686).into()),
            otlp: Some(([127, 0, 0, 1], 4317).into()),
            otlp_http: Some(([127, 0, 0, 1], 4318).into()),
            database_urls: [("customers".to_owned(), "postgres://secret".to_owned())].into(),
            processes: vec![process("gateway/0", Some(77)), process("postgres/0", None)],
        };
        let text = render(&Places::new(Some("/somewhere".into())), &state);
        for part in [
            "1.2 s",
            "/somewhere",
            "gateway/0        77",
            "postgres/0       -",
            "live room        http://127.0.0.1:8000/",
            "http://127.0.0.1:8080/docs",
            "16686/search",
            "spans, gRPC      http://127.0.0.1:4317\n",
            "spans, HTTP      http://127.0.0.1:4318\n",
            "8081/upstreams",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(!text.contains("secret"));
    }
}
