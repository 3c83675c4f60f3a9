//! Builds the `kairos-exec` launcher (a crate of its own) and leaves the binary in `OUT_DIR`.
//!
//! maturin drops a `[[bin]]` beside a cdylib without a word, so the wheel takes the launcher from here
//! (`[tool.maturin] include`, `from = "out-dir"`). Its own target directory keeps the two cargo runs from
//! waiting for each other's lock.
use std::{env, fs, path::PathBuf, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=launcher/src");
    println!("cargo:rerun-if-changed=launcher/Cargo.toml");
    println!("cargo:rerun-if-changed=../Cargo.lock");
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let target = out.join("launcher-target");
    let status = Command::new(env::var_os("CARGO").expect("cargo sets CARGO"))
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(here.join("launcher/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .status()
        .expect("cargo can be started for the launcher");
    assert!(status.success(), "building kairos-exec failed");
    fs::copy(target.join("release/kairos-exec"), out.join("kairos-exec")).expect("the launcher binary was built");
}
