//! `maobi data list`.

use crate::exit::Exit;
use crate::output::Console;
use maobi_data::source::{Origin, Request, Wanted, resolve};
use maobi_data::{DataError, DatasetName, Silent};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `maobi data list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to look for mnist/ and fashion-mnist/, and nowhere else.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Print one JSON object for each data set.
    #[arg(long)]
    json: bool,
}

/// Lists what there is.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console { json: args.json, quiet: false };
    for name in DatasetName::ALL {
        let (state, place) = state(name, args);
        console.result(&format!("{:<14} {:<58} {state}", name.as_str(), what(name)))?;
        console.event(&json!({ "name": name.as_str(), "description": what(name), "available": place.is_some() || name == DatasetName::Builtin, "state": state, "place": place }))?;
    }
    Ok(Exit::Done)
}

fn what(name: DatasetName) -> &'static str {
    match name {
        DatasetName::Mnist => "handwritten digits, 60,000 to train and 10,000 to test",
        DatasetName::FashionMnist => "articles of clothing, 60,000 to train and 10,000 to test",
        DatasetName::Builtin => "digits that the program draws itself, no file needed",
    }
}

/// Where it is, in words, and the place.
fn state(name: DatasetName, args: &Args) -> (String, Option<PathBuf>) {
    if name == DatasetName::Builtin {
        return ("always there".into(), None);
    }
    let mut request = Request::new(Wanted::Name(name), &Silent);
    (request.data_dir, request.offline) = (args.data_dir.clone(), true);
    match resolve(&request) {
        Ok(found) => {
            let place = found.place.unwrap_or_default();
            let how = match found.origin {
                Origin::Environment => " (MAOBI_DATA_DIR)",
                Origin::Cache | Origin::Downloaded => " (cache)",
                _ => "",
            };
            (format!("in {}{how}", place.display()), Some(place))
        }
        Err(DataError::NotFound { .. }) => (format!("not here; get it with: maobi data download {name}"), None),
        Err(error) => (format!("damaged: {error}"), None),
    }
}
