//! Generates the types, clients, servers and descriptor set from `/proto`, without `protoc`.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use prost::Message;
use prost_types::FileDescriptorSet;
use protox::Compiler;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());

    let mut compiler = Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(proto_files(&root)?)?;

    // The encoded set keeps the options that prost has no types for, google.api.http among them.
    let encoded = compiler.encode_file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), &encoded)?;

    let set = FileDescriptorSet::decode(encoded.as_slice())?;
    tonic_prost_build::configure().build_transport(false).bytes(".").compile_fds(set)?;
    Ok(())
}

/// Every `.proto` below `root`, in a stable order.
fn proto_files(root: &Path) -> Result<Vec<PathBuf>, std::io::Error> {
    let (mut folders, mut files) = (vec![root.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
