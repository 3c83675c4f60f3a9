//! Builds the programs of the wheel (each a crate of its own) and leaves them in `OUT_DIR`: `kairos-exec`, the launcher
//! of confined commands, and `kairos-guard`, the pre-commit hook. Compiles the one file in C.
//!
//! maturin drops a `[[bin]]` beside a cdylib without a word, so the wheel takes them from here
//! (`[tool.maturin] include`, `from = "out-dir"`). Its own target directory keeps the two cargo runs from
//! waiting for each other's lock.
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

fn main() {
    for source in ["launcher", "guard", "secrets"] {
        println!("cargo:rerun-if-changed={source}");
    }
    println!("cargo:rerun-if-changed=../Cargo.lock");
    cc::Build::new()
        .file("src/bounded_parse.c")
        .include(env::var_os("DEP_TREE_SITTER_INCLUDE").expect("tree-sitter says where its header lies"))
        .std("gnu11")
        .compile("kairos_parse");
    println!("cargo:rerun-if-changed=src/bounded_parse.c");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for (source, name) in [("launcher", "kairos-exec"), ("guard", "kairos-guard")] {
        build(source, name, &out);
    }
}

fn build(source: &str, name: &str, out: &Path) {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let target = out.join("launcher-target");
    let status = Command::new(env::var_os("CARGO").expect("cargo sets CARGO"))
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(here.join(source).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .status()
        .expect("cargo can be started for a program of the wheel");
    assert!(status.success(), "building {name} failed");
    fs::copy(target.join("release").join(name), out.join(name)).expect("the binary was built");
}
