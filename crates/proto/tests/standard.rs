//! What `build.rs` writes from the descriptors, shown: a change of the protos changes this file, to be looked at.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[test]
fn the_impls_of_standard_messages_are_those_of_the_golden_file() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/standard.rs");
    let (written, kept) = (crm_proto::standard::GENERATED, std::fs::read_to_string(golden).unwrap_or_default());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden, written).unwrap();
    } else if let Some((line, text)) = written.lines().enumerate().find(|(n, line)| kept.lines().nth(*n) != Some(line))
    {
        panic!("line {} is {text}; with UPDATE_GOLDEN=1 this test writes the file", line + 1);
    } else {
        assert_eq!(written, kept);
    }
}
