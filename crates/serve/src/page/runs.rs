//! Training runs: what `maobi train` and `maobi evaluate --report` have written to run folders. Files are read, nothing else.

use super::{aside, content, events, png_file};
use crate::lock::lock;
use crate::problem::{Answer, Problem, object};
use crate::service::Service;
use axum::extract::{Path as At, State};
use axum::response::Response;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Most runs that are listed, and lines of a history that are read.
const MOST_RUNS: usize = 500;
const MOST_LINES: usize = 20_000;
/// Mistakes that are told.
const MISTAKES: usize = 30;
/// A run whose files have not changed for so long is not at work any more.
const IDLE: Duration = Duration::from_secs(600);

/// Pictures of a run folder, or of a report in it, that may be asked for.
const PICTURES: [&str; 3] = ["curves.png", "confusion.png", "mistakes.png"];

/// The folder of a run, without links. What links lead to outside the folder of runs is no run, and no part of one.
fn folder_of(service: &Service, run: &str) -> Result<PathBuf, Problem> {
    let runs = service.options.runs.as_deref();
    let runs = runs.ok_or_else(|| Problem::not_found("this server shows no runs; start it with --runs DIR"))?;
    let plain = !run.is_empty() && !run.starts_with('.') && !run.contains(['/', '\\', ':']);
    let real = |folder: PathBuf| Some(folder.canonicalize().ok()?).filter(|real| inside(runs, real));
    let found = real(runs.join(run)).filter(|folder| plain && is_file(folder, &folder.join("config.toml")));
    found.ok_or_else(|| Problem::not_found(format!("there is no run '{run}'")))
}

/// Whether a path leads into a folder, or to it.
fn inside(folder: &Path, path: &Path) -> bool {
    let real = path.canonicalize().ok().zip(folder.canonicalize().ok());
    real.is_some_and(|(path, folder)| path.starts_with(folder))
}

/// Whether a path leads to a plain file of a run.
fn is_file(folder: &Path, file: &Path) -> bool {
    file.is_file() && inside(folder, file)
}

/// `GET /page/runs`: the newest first.
pub async fn list(State(service): State<Arc<Service>>) -> Answer {
    let work = move || {
        let runs = service.options.runs.as_deref();
        let entries = runs.map(std::fs::read_dir).and_then(Result::ok).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut found: Vec<Value> = names.filter_map(|name| Some(summary(&name, &folder_of(&service, &name).ok()?))).collect();
        found.sort_by(|a, b| b["changed"].as_u64().cmp(&a["changed"].as_u64()));
        found.truncate(MOST_RUNS);
        Ok(json!({ "folder": runs.map(|runs| runs.display().to_string()), "runs": found }))
    };
    Ok(object(&aside("listing the runs", work).await?))
}

/// `GET /page/runs/{run}`.
pub async fn one(State(service): State<Arc<Service>>, At(run): At<String>) -> Answer {
    let work = move || folder_of(&service, &run).map(|folder| whole(&run, &folder));
    Ok(object(&aside("reading the run", work).await?))
}

/// `GET /page/runs/{run}/events`: the same whenever it has changed.
pub async fn events(State(service): State<Arc<Service>>, At(run): At<String>) -> Answer<Response> {
    folder_of(&service, &run)?;
    let seen = std::sync::Mutex::new((None, String::new()));
    Ok(events::told(&service, move |service| {
        let folder = folder_of(service, &run).ok()?;
        let mut seen = lock(&seen);
        let now = Some((changed(&folder), is_at_work(&folder)));
        if seen.0 != now {
            *seen = (now, whole(&run, &folder).to_string());
        }
        Some(seen.1.clone())
    }))
}

/// `GET /page/runs/{run}/files/{file}`: a picture.
pub async fn file(State(service): State<Arc<Service>>, At((run, file)): At<(String, String)>) -> Answer {
    let folder = folder_of(&service, &run)?;
    let unknown = || Problem::not_found(format!("a run has no picture {file}"));
    let name = PICTURES.into_iter().find(|name| *name == file).ok_or_else(unknown)?;
    let mut files = places(&folder).into_iter().map(|place| place.join(name));
    let file = files.find(|file| is_file(&folder, file)).ok_or_else(unknown)?;
    png_file(folder, file).await
}

/// The folder, and those in it: reports lie in either.
fn places(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.is_dir() && inside(folder, path));
    found.sort();
    found.insert(0, folder.to_owned());
    found
}

/// When something in it was last written, in milliseconds.
fn changed(folder: &Path) -> u64 {
    let files = ["history.csv", "config.toml", "model.keras", "report.json"];
    let times = places(folder).into_iter().flat_map(|place| files.map(|file| place.join(file)));
    let times = times.filter_map(|file| file.metadata().and_then(|about| about.modified()).ok());
    let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok().and_then(|since| u64::try_from(since.as_millis()).ok());
    times.filter_map(since).max().unwrap_or(0)
}

/// Whether its training seems to go on.
fn is_at_work(folder: &Path) -> bool {
    let unfinished = folder.join("backup").exists() || !folder.join("model.keras").is_file();
    let age = SystemTime::now().duration_since(UNIX_EPOCH + Duration::from_millis(changed(folder))).unwrap_or_default();
    unfinished && age < IDLE
}

fn text(folder: &Path, file: &Path) -> Option<String> {
    String::from_utf8(content(folder, file)?).ok()
}

/// Columns and lines of `history.csv`; what is no number is `null`.
fn history(folder: &Path) -> (Vec<String>, Vec<Vec<Value>>) {
    let text = text(folder, &folder.join("history.csv")).unwrap_or_default();
    let mut lines = text.lines();
    let columns: Vec<String> = lines.next().unwrap_or_default().split(',').map(|name| name.trim().to_owned()).collect();
    let number = |cell: &str| cell.trim().parse::<f64>().ok().filter(|v| v.is_finite()).map_or(Value::Null, |v| json!(v));
    let rows = lines.map(|line| line.split(',').map(number).collect::<Vec<Value>>());
    // A line on its way is shorter.
    let whole: Vec<Vec<Value>> = rows.filter(|row| row.len() == columns.len()).take(MOST_LINES).collect();
    (columns, whole)
}

fn summary(name: &str, folder: &Path) -> Value {
    let (columns, rows) = history(folder);
    let last: Map<String, Value> =
        rows.last().map(|row| columns.iter().cloned().zip(row.iter().cloned()).collect()).unwrap_or_default();
    let at_work = is_at_work(folder);
    json!({
        "name": name, "recipe": setting(folder, "recipe"), "dataset": setting(folder, "dataset"), "at_work": at_work,
        "finished": folder.join("model.keras").is_file() && !folder.join("backup").exists(), "epochs": rows.len(),
        "last": last, "changed": changed(folder),
    })
}

/// A text of the section `[run]` of `config.toml`.
fn setting(folder: &Path, key: &str) -> Option<String> {
    let table: toml::Table = text(folder, &folder.join("config.toml"))?.parse().ok()?;
    table.get("run")?.get(key)?.as_str().map(str::to_owned)
}

fn whole(name: &str, folder: &Path) -> Value {
    let (columns, rows) = history(folder);
    let mut told = summary(name, folder);
    told["columns"] = json!(columns);
    told["rows"] = json!(rows);
    let places = places(folder);
    let pictures = PICTURES.into_iter().filter(|name| places.iter().any(|place| is_file(folder, &place.join(name))));
    told["pictures"] = json!(pictures.collect::<Vec<_>>());
    let report = places.iter().find_map(|place| text(folder, &place.join("report.json")));
    if let Some(report) = report.and_then(|text| serde_json::from_str::<Value>(&text).ok()) {
        told["report"] = report_of(&report);
    }
    told
}

/// What is shown of a report.
fn report_of(report: &Value) -> Value {
    let classes = report["per_class"].as_array().into_iter().flatten().map(|class| class["class"].clone());
    let mistakes = report["mistakes"].as_array().map_or(&[][..], Vec::as_slice);
    json!({
        "accuracy": report["accuracy"], "images": report["images"], "dataset": report["dataset"],
        "classes": classes.collect::<Vec<Value>>(), "confusion": report["confusion_matrix"],
        "wrong": mistakes.len(), "mistakes": mistakes.iter().take(MISTAKES).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(history: &str) -> (tempfile::TempDir, PathBuf) {
        let runs = tempfile::tempdir().unwrap();
        let folder = runs.path().join("tiny-1");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), "[run]\nrecipe = \"tiny\"\ndataset = \"mnist\"\n[recipe]\n").unwrap();
        std::fs::write(folder.join("history.csv"), history).unwrap();
        (runs, folder)
    }

    #[test]
    fn a_run_at_work_and_one_that_is_over() {
        let (_runs, folder) = run("epoch,loss,accuracy\n1,0.5,0.9\n2,nan,0.95\n3,0.");
        let told = whole("tiny-1", &folder);
        assert_eq!((&told["recipe"], &told["epochs"], &told["at_work"]), (&json!("tiny"), &json!(2), &json!(true)));
        assert_eq!((&told["rows"], &told["last"]["accuracy"]), (&json!([[1.0, 0.5, 0.9], [2.0, null, 0.95]]), &json!(0.95)));
        std::fs::write(folder.join("model.keras"), "").unwrap();
        let report = folder.join("report");
        std::fs::create_dir(&report).unwrap();
        std::fs::write(report.join("confusion.png"), "").unwrap();
        let text = r#"{"accuracy": 0.5, "per_class": [{"class": "a"}], "confusion_matrix": [[1]], "mistakes": [{"index": 3}]}"#;
        std::fs::write(report.join("report.json"), text).unwrap();
        let told = whole("tiny-1", &folder);
        assert_eq!(
            (&told["at_work"], &told["finished"], &told["pictures"]),
            (&json!(false), &json!(true), &json!(["confusion.png"]))
        );
        assert_eq!((&told["report"]["classes"], &told["report"]["wrong"]), (&json!(["a"]), &json!(1)));
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_nowhere_else_and_pipes_are_not_waited_for() {
        use crate::{Log, Models, Options};
        use std::os::unix::fs::symlink;
        let ((runs, folder), (_other, elsewhere)) = (run("epoch,loss\n1,0.5\n"), run("epoch,loss\n1,0.25\n"));
        symlink(&elsewhere, runs.path().join("linked")).unwrap();
        symlink(&folder, runs.path().join("same")).unwrap();
        // A run with parts from somewhere else.
        let mixed = runs.path().join("mixed");
        std::fs::create_dir_all(mixed.join("own")).unwrap();
        std::fs::copy(folder.join("config.toml"), mixed.join("config.toml")).unwrap();
        std::fs::create_dir(elsewhere.join("report")).unwrap();
        for (file, text) in [("report/report.json", "{\"accuracy\": 0.5}"), ("report/curves.png", "x")] {
            std::fs::write(elsewhere.join(file), text).unwrap();
        }
        symlink(elsewhere.join("history.csv"), mixed.join("history.csv")).unwrap();
        symlink(elsewhere.join("report"), mixed.join("report")).unwrap();
        symlink(elsewhere.join("report/curves.png"), mixed.join("own/curves.png")).unwrap();
        let piped = runs.path().join("piped");
        std::fs::create_dir(&piped).unwrap();
        std::fs::copy(folder.join("config.toml"), piped.join("config.toml")).unwrap();
        for pipe in ["history.csv", "report.json", "curves.png"] {
            assert!(std::process::Command::new("mkfifo").arg(piped.join(pipe)).status().unwrap().success());
        }
        let models = Models::open(Vec::new(), Box::new(|_| Err("no files".into()))).unwrap();
        let options = Options { threads: 1, runs: Some(runs.path().to_owned()), ..Options::default() };
        let service = Service::new(options, models, Log::silent()).unwrap();
        let told = |name: &str| folder_of(&service, name).map(|folder| whole(name, &folder));
        assert!(told("linked").is_err());
        assert_eq!(told("same").unwrap()["rows"], json!([[1.0, 0.5]]));
        for name in ["mixed", "piped"] {
            let told = told(name).unwrap();
            assert_eq!((&told["rows"], &told["pictures"], &told["report"]), (&json!([]), &json!([]), &Value::Null), "{name}");
        }
        assert_eq!(content(&mixed, &mixed.join("own/curves.png")), None);
        assert!(content(&folder, &folder.join("history.csv")).is_some());
    }

    #[test]
    fn damaged_files_are_no_runs_worth_an_error() {
        let (_runs, folder) = run("");
        std::fs::write(folder.join("config.toml"), [0xff, 0xfe]).unwrap();
        std::fs::write(folder.join("report.json"), "{").unwrap();
        let told = whole("tiny-1", &folder);
        assert_eq!((&told["recipe"], &told["epochs"], &told["report"]), (&Value::Null, &json!(0), &Value::Null));
    }
}
