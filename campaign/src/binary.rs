//! The program that is tested.

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Builds the program from this repository, in the profile of the campaign, and returns its path.
pub fn build() -> Result<PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "-p", "maobi-cli"]).current_dir(root());
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        cargo.arg("--release");
        "release"
    };
    if !cargo.status()?.success() {
        bail!("the program could not be built; --maobi PATH names one that is built already");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let path = target.join(profile).join("maobi");
    match path.canonicalize() {
        Ok(path) => Ok(path),
        Err(error) => bail!("{}: {error}", path.display()),
    }
}
