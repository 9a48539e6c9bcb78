//! `--ensemble K`: several networks of one recipe, joined into one model.

use super::plan::{Place, Plan};
use super::{Args, finish, session, single, start};
use crate::exit::Exit;
use crate::output::Console;
use crate::run::{self, Claim, RunFolder, Written};
use anyhow::bail;
use maobi_train::ensemble::ensemble;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Trains the members one after the other, joins them, tests.
pub fn run(args: &Args, members: u64, console: Console) -> anyhow::Result<Exit> {
    let existing = args.out.as_ref().map(RunFolder::new).filter(|folder| folder.has_run() && !args.overwrite);
    if let Some(folder) = existing.as_ref().filter(|folder| !member_folder(&folder.path, 1).has_run()) {
        bail!("{}: holds a run of one network already; give another --out", folder.path.display());
    }
    let mut plan = Plan::new(&Args { resume: existing.is_some(), ..args.clone() }, console)?;
    let claim = std::mem::replace(&mut plan.place, Place::Next).claim(&plan.table.name, &console)?;
    plan.place = Place::Held(claim.clone());
    let path = claim.folder().path.clone();
    if args.overwrite {
        let written = Written::of(&plan.recipe);
        let old = old_files(claim.folder(), &written);
        claim.begin_anew(written, &old)?;
    }
    let (first_seed, recipe) = (plan.seed, plan.recipe.clone());
    let mut models = Vec::new();
    for member in 1..=members {
        let own = member_folder(&path, member);
        let args = Args {
            ensemble: None,
            out: Some(own.path.clone()),
            seed: Some(first_seed + member - 1),
            resume: own.has_run(),
            overwrite: false,
            tensorboard: args.tensorboard.as_ref().map(|dir| dir.join(format!("member-{member}"))),
            ..args.clone()
        };
        match train_member(&args, &own, &claim, (member, members), console)? {
            Exit::Done => {}
            ended => return Ok(ended),
        }
        models.push(run::load(&own.model(), &run::Network::default(), &console)?.model);
    }
    // Only now does the folder hold a run: before, there is nothing in it to go on with but the members.
    let (mut session, _) = session::prepare(plan, args.threads(), Console { quiet: true, ..console })?;
    session.console = console;
    session.save(&ensemble(&recipe, &models)?)?;
    session.claim.begun()?;
    console.event(&json!({ "event": "ensemble", "members": members }))?;
    console.say(&format!("{members} networks as one:"));
    finish::test(&session)
}

fn member_folder(ensemble: &Path, member: u64) -> RunFolder {
    RunFolder::new(ensemble.join(format!("member-{member}")))
}

/// Trains a member, unless it is complete already.
fn train_member(
    args: &Args,
    folder: &RunFolder,
    ensemble: &Arc<Claim>,
    (member, members): (u64, u64),
    console: Console,
) -> anyhow::Result<Exit> {
    let mut plan = Plan::new(args, console)?;
    if plan.before.is_some() && !plan.further && !folder.is_unfinished() {
        return Ok(Exit::Done);
    }
    console.say(&format!("member {member} of {members}"));
    plan.parent = Some(ensemble.clone());
    single::run(plan, args, console)
}

/// The files (relative to the folder) that an ensemble and its members wrote.
fn old_files(folder: &RunFolder, written: &Written) -> Vec<PathBuf> {
    let mut files = start::written_by(folder, written);
    let members = (1..).map(|member| member_folder(&folder.path, member)).take_while(RunFolder::has_run);
    for member in members {
        let inside = member.path.strip_prefix(&folder.path).unwrap_or(&member.path).to_owned();
        files.extend(start::written_by(&member, written).into_iter().map(|file| inside.join(file)));
    }
    files
}
