//! `maobi self-test`.

mod kernels;
mod learning;
mod parts;

use crate::exit::Exit;
use crate::output::{Console, error};
use maobi_kernels::isa;
use serde_json::json;

/// Arguments of `maobi self-test`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Print one JSON object for each check.
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "\
Examples:
  maobi self-test
  MAOBI_ISA=avx2 maobi self-test     as on a machine without AVX-512

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

/// Runs every check; the reasons of those that fail go to stderr.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console { json: args.json, quiet: false };
    let mut failed = 0;
    let mut report = |name: &str, result: anyhow::Result<String>| -> anyhow::Result<()> {
        let (ok, detail) = match result {
            Ok(detail) => (true, detail),
            Err(reason) => (false, format!("{reason:#}")),
        };
        if ok {
            console.result(&format!("ok      {name}: {detail}"))?;
        } else {
            failed += 1;
            console.result(&format!("FAILED  {name}"))?;
            error(&format!("{name}: {detail}"));
        }
        console.event(&json!({ "check": name, "ok": ok, "detail": detail }))?;
        Ok(())
    };
    for isa in isa::available() {
        report(&format!("matrix product, {isa}"), kernels::product(isa))?;
        report(&format!("convolution, {isa}"), kernels::convolution(isa))?;
    }
    report("learning on fake data", learning::fake_data())?;
    report("same bits for 1, 2 and 3 threads", learning::threads())?;
    report("model file", parts::model_file())?;
    report("pictures", parts::pictures())?;
    console.result(&format!("instruction set in use: {}", isa::active()))?;
    if failed > 0 {
        console.result(&format!("{failed} checks failed"))?;
        return Ok(Exit::Failed);
    }
    console.result("all is well")?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_well_here() {
        for isa in isa::available() {
            kernels::product(isa).unwrap();
            kernels::convolution(isa).unwrap();
        }
        learning::fake_data().unwrap();
        learning::threads().unwrap();
        parts::model_file().unwrap();
        parts::pictures().unwrap();
    }
}
