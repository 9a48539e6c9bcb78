//! `--ensemble K`: several networks of one recipe, joined into one model.

use super::plan::Plan;
use super::{Args, finish, session};
use crate::exit::Exit;
use crate::output::Console;
use crate::run::{self, RunFolder};
use anyhow::bail;
use maobi_train::ensemble::ensemble;
use serde_json::json;

/// Trains the members one after the other, joins them, tests.
pub fn run(args: &Args, members: u64, console: Console) -> anyhow::Result<Exit> {
    let mut plan = Plan::new(&Args { ensemble: None, out: None, ..args.clone() })?;
    let folder = match &args.out {
        Some(out) => RunFolder::new(out),
        None => RunFolder::create_next(&plan.table.name)?,
    };
    let member_folder = |member: u64| RunFolder::new(folder.path.join(format!("member-{member}")));
    if folder.has_run() && !member_folder(1).has_run() {
        bail!("{}: holds a run of one network already; give another --out", folder.path.display());
    }
    plan.folder = Some(folder.clone());
    let (first_seed, recipe) = (plan.seed, plan.recipe.clone());
    let mut models = Vec::new();
    for member in 1..=members {
        let own = member_folder(member);
        if !own.model().is_file() || own.is_unfinished() {
            console.say(&format!("member {member} of {members}"));
            let args = Args {
                ensemble: None,
                out: Some(own.path.clone()),
                seed: Some(first_seed + member - 1),
                resume: own.has_run(),
                tensorboard: args.tensorboard.as_ref().map(|dir| dir.join(format!("member-{member}"))),
                ..args.clone()
            };
            match session::run(Plan::new(&args)?, &args, console)? {
                Exit::Done => {}
                ended => return Ok(ended),
            }
        }
        models.push(run::load(&own.model(), &run::Network::default(), &console)?.model);
    }
    // Only now does the folder hold a run: before, there is nothing in it to go on with but the members.
    let (mut session, _) = session::prepare(plan, session::threads(args), Console { quiet: true, ..console })?;
    session.console = console;
    session::save(&session, &ensemble(&recipe, &models)?)?;
    console.event(&json!({ "event": "ensemble", "members": members }))?;
    console.say(&format!("{members} networks as one:"));
    finish::test(&session)
}
