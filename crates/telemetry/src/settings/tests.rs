use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use opentelemetry::Key;

use super::*;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value)));
    Settings::read("customers", Environment::new(pairs))
}

const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317");

/// The variables that are told of, in order.
fn told(pairs: &[(&str, &str)]) -> Vec<String> {
    settings(pairs).warnings.into_iter().map(|warning| warning.variable).collect()
}

fn attribute(settings: &Settings, key: &'static str) -> Option<String> {
    settings.resource.get(&Key::new(key)).map(|value| value.to_string())
}

#[test]
fn nothing_is_exported_without_a_collector_or_when_switched_off() {
    let exports = |pairs: &[(&str, &str)]| settings(pairs).collector.is_some();
    assert!(!exports(&[]));
    assert!(exports(&[ENDPOINT]));
    assert!(exports(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4317")]));
    assert!(!exports(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]) && !exports(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]));
    for off in ["TRUE", "true", "True"] {
        assert!(!exports(&[ENDPOINT, ("OTEL_SDK_DISABLED", off)]), "{off}");
    }
    for on in ["false", "1", "yes", ""] {
        assert!(exports(&[ENDPOINT, ("OTEL_SDK_DISABLED", on)]), "{on}");
    }
    for (exporters, expected) in [
        ("none", false),
        ("NONE", false),
        ("otlp", true),
        ("none,otlp", true),
        ("console", true),
        ("zipkin", true),
        ("", true),
    ] {
        assert_eq!(exports(&[ENDPOINT, ("OTEL_TRACES_EXPORTER", exporters)]), expected, "{exporters}");
    }
    assert!(exports(&[("OTEL_TRACES_EXPORTER", "otlp")]), "wanted, so that the default address is used");
    assert!(!exports(&[("OTEL_TRACES_EXPORTER", "console")]));
}

#[test]
fn an_address_is_taken_as_the_specification_has_it() {
    let check = |text: &str, expected: Option<&str>| {
        let settings = settings(&[("OTEL_EXPORTER_OTLP_ENDPOINT", text)]);
        assert_eq!(settings.collector.as_ref().map(|collector| &*collector.endpoint), expected, "{text}");
        settings.warnings.len()
    };
    assert_eq!(check("http://collector:4317", Some("http://collector:4317")), 0);
    assert_eq!(check(" HTTP://collector:4317/ ", Some("http://collector:4317")), 0);
    assert_eq!(check("https://collector:4317", Some("https://collector:4317")), 0);
    assert_eq!(check("https://collector", Some("https://collector")), 0);
    assert_eq!(check("http://[::1]:4317", Some("http://[::1]:4317")), 0);
    for unix in ["unix:///run/collector.sock", "unix:/run/collector.sock"] {
        assert_eq!(check(unix, Some("unix:///run/collector.sock")), 0);
    }
    // Something of it is left out, or read as what it may not have been meant to be.
    assert_eq!(check("collector:4317", Some("https://collector:4317")), 1);
    assert_eq!(check("localhost", Some("https://localhost")), 1);
    assert_eq!(check("http://collector:4317/v1/traces", Some("http://collector:4317")), 1);
    assert_eq!(check("http://collector:4317?a=b", Some("http://collector:4317")), 1);
    assert_eq!(check("http://user:secret@collector:4317", Some("http://collector:4317")), 1);
    for none in [
        "ftp://collector",
        "http://",
        "http://:4317",
        "http://collector:99999",
        "http://collector:x",
        "http://[::1",
        "a b",
    ] {
        assert!(check(none, None) > 0, "{none}");
    }
    let insecure = [("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"), ("OTEL_EXPORTER_OTLP_INSECURE", "True")];
    assert_eq!(settings(&insecure).collector.unwrap().endpoint, "http://collector:4317");
    assert!(told(&insecure).is_empty());
}

#[test]
fn what_is_said_of_traces_goes_before_what_is_said_of_everything() {
    let pairs = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:1"),
        ENDPOINT,
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "5"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "nonsense"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    ];
    let collector = settings(&pairs).collector.unwrap();
    assert_eq!((&*collector.endpoint, collector.timeout), ("http://traces:1", Duration::from_millis(5)));
    assert!(told(&pairs).is_empty(), "what is overruled is no fault");
    let empty = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ""), ENDPOINT];
    assert_eq!(settings(&empty).collector.unwrap().endpoint, ENDPOINT.1);
}

/// What is followed is not told, what is not followed is told once, and no value stops anything.
#[test]
fn each_variable_is_followed_or_told() {
    for (name, followed, refused) in [
        ("OTEL_SDK_DISABLED", &["false", "FALSE"][..], &["true", "1", "yes"][..]),
        ("OTEL_SERVICE_NAME", &["x", ""], &[]),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            &["a=b", "a=b,c=d,", "a=", "a=%C3%A9"],
            &["a", "=b", "a=b,c", "a=%", "a=%4", "a=%zz", "a=%ff"],
        ),
        ("OTEL_PROPAGATORS", &["tracecontext,baggage", "baggage", "none", ""], &["b3", "xray", "tracecontext,jaeger"]),
        (
            "OTEL_TRACES_SAMPLER",
            &["always_on", "ALWAYS_OFF", "parentbased_traceidratio"],
            &["xray", "jaeger_remote", "nonsense", "parentbased_xray"],
        ),
        ("OTEL_BSP_SCHEDULE_DELAY", &["0", "5", "18446744073709551615"], &["-1", "x", "1.5", "18446744073709551616"]),
        ("OTEL_BSP_EXPORT_TIMEOUT", &["0", "5"], &["-1", "x"]),
        ("OTEL_BSP_MAX_QUEUE_SIZE", &["1", "9000"], &["0", "-1", "x"]),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", &["1", "8192"], &["0", "-1", "8193"]),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", &["1"], &["-1", "x"]),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", &["1"], &["x"]),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", &["0"], &["x"]),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", &["0"], &["x"]),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", &["0"], &["x"]),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", &["0"], &["x"]),
        ("OTEL_TRACES_EXPORTER", &["otlp", "none", ""], &["console", "zipkin", "x"]),
        ("OTEL_METRICS_EXPORTER", &["prometheus", ""], &["otlp", "none", "console"]),
        ("OTEL_LOGS_EXPORTER", &["none"], &["otlp", "console"]),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", &["grpc", "GRPC"], &["http/protobuf", "http/json", "x"]),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", &["none"], &["gzip", "zstd", "x"]),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", &["0", "1", "18446744073709551615"], &["-1", "10s", "x"]),
        ("OTEL_EXPORTER_OTLP_INSECURE", &["true", "false"], &["1"]),
        ("OTEL_EXPORTER_OTLP_HEADERS", &["a=b", "a=b,c=d", "a=b=c", "a=b,"], &["a", "a=", "=b", "a b=c", "a=\u{7f}"]),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", &[], &["/no/such/file"]),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", &[], &["/no/such/file"]),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &[""], &["http://x"]),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", &[], &["http://x"]),
        ("OTEL_METRIC_EXPORT_INTERVAL", &[], &["5"]),
        ("OTEL_BLRP_SCHEDULE_DELAY", &[], &["5"]),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", &[], &["5"]),
        ("OTEL_LOG_LEVEL", &[], &["debug"]),
        ("OTEL_CONFIG_FILE", &[], &["/etc/otel.yaml"]),
        ("OTEL_NEVER_HEARD_OF", &[], &["x"]),
    ] {
        for value in followed {
            assert_eq!(told(&[ENDPOINT, (name, value)]), [""; 0], "{name}={value}");
        }
        for value in refused {
            assert_eq!(told(&[ENDPOINT, (name, value)]), [name], "{name}={value}");
        }
    }
}

#[test]
fn what_may_be_a_secret_is_not_shown() {
    let secrets = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2,authorization=hunter2"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization=hunter2\u{7f}"),
        ("OTEL_RESOURCE_ATTRIBUTES", "hunter2"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hunter2@collector:4317/path?token=hunter2"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://hunter2@collector?token=hunter2"),
        ("OTEL_EXPORTER_SOMEBODY_S_API_KEY", "hunter2"),
    ];
    for secret in secrets {
        let settings = settings(&[ENDPOINT, secret]);
        assert!(!settings.warnings.is_empty(), "{secret:?}");
        assert!(!format!("{settings:?}").replace(secret.0, "").contains("hunter2"), "{settings:?}");
    }
}

#[test]
fn a_value_that_is_no_text_counts_as_not_set() {
    let name = "OTEL_EXPORTER_OTLP_ENDPOINT".to_owned();
    let settings = Settings::read("customers", Environment::new([(name, OsString::from_vec(vec![0xff]))]));
    assert!(settings.collector.is_none());
    assert_eq!(settings.warnings.len(), 1);
}

#[test]
fn the_sampler_is_the_one_that_is_named() {
    let sampler = |name: &str, argument: &str| {
        let settings = settings(&[("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", argument)]);
        (format!("{:?}", settings.sampler), settings.warnings.len())
    };
    for (name, argument, expected, warnings) in [
        ("", "", "ParentBased(AlwaysOn)", 0),
        ("always_on", "", "AlwaysOn", 0),
        ("always_off", "", "AlwaysOff", 0),
        ("parentbased_always_off", "", "ParentBased(AlwaysOff)", 0),
        ("traceidratio", "", "TraceIdRatioBased(1.0)", 0),
        ("traceidratio", "0.25", "TraceIdRatioBased(0.25)", 0),
        ("ParentBased_TraceIdRatio", "0", "ParentBased(TraceIdRatioBased(0.0))", 0),
        ("traceidratio", "1.5", "TraceIdRatioBased(1.0)", 1),
        ("traceidratio", "-0.1", "TraceIdRatioBased(1.0)", 1),
        ("traceidratio", "NaN", "TraceIdRatioBased(1.0)", 1),
        ("traceidratio", "half", "TraceIdRatioBased(1.0)", 1),
        ("always_on", "0.5", "AlwaysOn", 1),
        ("xray", "", "ParentBased(AlwaysOn)", 1),
        ("parentbased_jaeger_remote", "endpoint=x", "ParentBased(AlwaysOn)", 2),
    ] {
        assert_eq!(sampler(name, argument), (expected.to_owned(), warnings), "{name} {argument}");
    }
}

#[test]
fn bounds_are_read_and_bad_ones_are_not_used() {
    let batching = |pairs: &[(&str, &str)]| settings(pairs).batching;
    let default = Batching::default();
    assert_eq!(batching(&[]), default);
    let all = [
        ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "0"),
    ];
    assert_eq!(batching(&all), Batching { queue: 10, batch: 5, delay: Duration::ZERO, timeout: None });
    assert_eq!(batching(&[("OTEL_BSP_MAX_QUEUE_SIZE", "10")]), Batching { queue: 10, batch: 10, ..default });
    for (name, _) in all {
        assert_eq!(batching(&[(name, "-1")]), default, "{name}");
    }
    let limits = settings(&[("OTEL_ATTRIBUTE_COUNT_LIMIT", "7"), ("OTEL_SPAN_EVENT_COUNT_LIMIT", "8")]).limits;
    assert_eq!(limits, Limits { attributes: Some(7), events: Some(8), ..Limits::default() });
    assert_eq!(
        settings(&[ENDPOINT, ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1")]).collector.unwrap().timeout,
        Duration::from_secs(10)
    );
    assert!(
        settings(&[ENDPOINT, ("OTEL_EXPORTER_OTLP_TIMEOUT", "0")]).collector.unwrap().timeout
            > Duration::from_secs(86_400)
    );
}

#[test]
fn the_environment_may_rename_the_service() {
    let name = |pairs: &[(&str, &str)]| {
        let settings = settings(pairs);
        assert_eq!(attribute(&settings, "service.name").as_ref(), Some(&settings.service));
        settings.service
    };
    let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=us-customers");
    assert_eq!(name(&[]), "customers");
    assert_eq!(name(&[("OTEL_SERVICE_NAME", "")]), "customers");
    assert_eq!(name(&[attributes]), "us-customers");
    assert_eq!(name(&[("OTEL_SERVICE_NAME", "eu-customers"), attributes]), "eu-customers");
}

#[test]
fn what_is_said_of_the_process_is_decoded_and_kept_whole_or_not_at_all() {
    let pairs =
        [("OTEL_RESOURCE_ATTRIBUTES", "service.version=9, team = a%2Cb%3D%C3%A9,team=last"), ("CRM_REPLICA", "7")];
    let given = settings(&pairs);
    for (key, value) in
        [("service.version", "9"), ("team", "last"), ("service.instance.id", "7"), ("service.namespace", "bellwether")]
    {
        assert_eq!(attribute(&given, key).as_deref(), Some(value), "{key}");
    }
    let decoded = settings(&[("OTEL_RESOURCE_ATTRIBUTES", "team=a%2Cb%3D%C3%A9")]);
    assert_eq!(attribute(&decoded, "team").as_deref(), Some("a,b=é"));
    let broken = settings(&[("OTEL_RESOURCE_ATTRIBUTES", "service.version=9,team")]);
    assert_eq!(attribute(&broken, "service.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_filter_that_cannot_be_read_falls_back_to_info() {
    let settings = settings(&[("RUST_LOG", "crm=loud")]);
    assert!(settings.filter.would_enable("crm", &tracing::Level::INFO));
    assert!(!settings.filter.would_enable("crm", &tracing::Level::DEBUG));
    assert_eq!(settings.warnings.len(), 1);
}
