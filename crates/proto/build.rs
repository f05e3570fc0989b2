//! Generates the types, clients, servers and descriptor set from `/proto`, without `protoc`.

#[path = "build/rights.rs"]
mod rights;
#[path = "build/standard.rs"]
mod standard;

use std::{
    collections::BTreeSet,
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use prost::Message;
use prost_types::FileDescriptorSet;
use protox::Compiler;
use protox::prost_reflect::{DescriptorPool, MethodDescriptor};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());

    let mut compiler = Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(proto_files(&root)?)?;

    // The encoded set keeps the options that prost has no types for, google.api.http among them.
    let encoded = compiler.encode_file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), &encoded)?;

    fs::write(out.join("standard.rs"), standard::impls(&compiler.descriptor_pool()))?;
    fs::write(out.join("waiting.rs"), waiting(&compiler.descriptor_pool()))?;

    let set = FileDescriptorSet::decode(encoded.as_slice())?;
    let table = root.join("rights.md");
    let rights = rights::read(&fs::read_to_string(&table)?, &public_rpcs(&set));
    let rights = rights.map_err(|error| format!("proto/rights.md: {error}"))?;
    fs::write(out.join("rights.rs"), rights::write(&rights))?;

    fs::write(out.join("services.rs"), aliases(&set))?;
    let tonic = tonic_prost_build::configure().build_transport(false).bytes(".").include_file("packages.rs");
    // What an `Any` says of the message in it.
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names().type_name_domain(["."], "type.googleapis.com");
    // Equal messages are equal bytes, too: by their hash a request is told from another one with the same id.
    config.btree_map([".crm"]);
    tonic.compile_fds_with_config(set, config)?;
    Ok(())
}

/// Our packages' modules under the names of the packages: `crm.sales.v1` is `sales`.
fn aliases(set: &FileDescriptorSet) -> String {
    let packages: BTreeSet<&str> = set.file.iter().map(|file| file.package()).collect();
    let names = packages.iter().filter_map(|package| package.strip_prefix("crm.")?.strip_suffix(".v1"));
    names.map(|name| format!("pub use crm::{name}::v1 as {name};\n")).collect()
}

/// The paths of all RPCs that wait more than they work (`crm.api.v1.waits`).
fn waiting(pool: &DescriptorPool) -> String {
    let option = pool.get_extension_by_name("crm.api.v1.waits");
    let waits =
        |method: &MethodDescriptor| option.as_ref().is_some_and(|option| method.options().has_extension(option));
    let path = |method: MethodDescriptor| format!("/{}/{}", method.parent_service().full_name(), method.name());
    let services: Vec<_> = pool.services().collect();
    let paths: BTreeSet<_> = services.iter().flat_map(|service| service.methods()).filter(waits).map(path).collect();
    format!("&{paths:?}\n").replace('{', "[").replace('}', "]")
}

/// The full names of all RPCs of ours but those that the gateway itself asks of replicas, and forwards for nobody.
fn public_rpcs(set: &FileDescriptorSet) -> BTreeSet<String> {
    let is_public = |package: &str| package.starts_with("crm.") && package != "crm.server.v1";
    let files = set.file.iter().filter(|file| is_public(file.package()));
    let services = files.flat_map(|file| file.service.iter().map(move |service| (file.package(), service)));
    services
        .flat_map(|(package, service)| {
            service.method.iter().map(move |method| format!("{package}.{}/{}", service.name(), method.name()))
        })
        .collect()
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
