//! Tells the linker how the program is to be put together.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Relative relocations take 10 KB instead of 500, which every process would read at its start (glibc from 2.36 on).
    if std::env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
