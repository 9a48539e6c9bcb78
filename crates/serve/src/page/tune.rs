//! Learning from the samples: a copy of the served model is fine-tuned beside the service, compared with it, and put in its place when
//! the user says so. The old one comes back as easily; its file is never touched.

mod lesson;

use super::kept::{Candidate, Kept, Told};
use super::samples::can_learn;
use super::{aside, events, object_of};
use crate::lock::lock;
use crate::problem::{Answer, Problem, object};
use crate::served::Served;
use crate::service::Service;
use axum::extract::{Request, State};
use axum::response::Response;
use lesson::Lesson;
use maobi_recognize::{NONE, Preprocessing};
use maobi_train::callbacks::Action;
use maobi_train::has_forgotten;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

/// Steps of 64 pictures: some seconds.
const STEPS: u64 = 100;
const MOST_STEPS: u64 = 2000;

/// `GET /page/tune`.
pub async fn state(State(service): State<Arc<Service>>) -> Answer {
    let text = lock(&service.page.tuning.state).text();
    Ok(crate::problem::json(axum::http::StatusCode::OK, text.into_bytes()))
}

/// `GET /page/tune/events`.
pub async fn events(State(service): State<Arc<Service>>) -> Response {
    events::told(&service, |service| Some(lock(&service.page.tuning.state).text()))
}

/// `POST /page/tune`: `{"model": …, "steps": …}`, both of which may be left out.
pub async fn start(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let asked = object_of(&service, request).await?;
    let served = match asked["model"].as_str() {
        Some(name) => service.models.get(name, None)?,
        None => service.models.default_model()?,
    };
    let recognizer = super::look::recognizer(&served)?;
    if !can_learn(recognizer) {
        let name = &served.name;
        return Err(Problem::bad(format!("the model {name} does not read the ten digits; teach it with: maobi finetune")));
    }
    let steps = match &asked["steps"] {
        Value::Null => STEPS,
        steps => steps
            .as_u64()
            .filter(|steps| (1..=MOST_STEPS).contains(steps))
            .ok_or_else(|| Problem::bad(format!("steps: expected a number from 1 to {MOST_STEPS}")))?,
    };
    service.page.samples.place()?;
    {
        let mut stand = lock(&service.page.tuning.state);
        if stand.busy {
            return Err(Problem::new(axum::http::StatusCode::CONFLICT, "a model is learning already; wait for it or stop it"));
        }
        stand.busy = true;
        stand.candidate = None;
        stand.told = Told(json!({ "phase": "preparing", "model": &*served.name, "step": 0, "steps": steps }));
    }
    service.page.tuning.stop.store(false, Relaxed);
    let job = Arc::clone(&service);
    let work = move || {
        let learnt = catch_unwind(AssertUnwindSafe(|| learn(&job, &served, steps)));
        let learnt = learnt.unwrap_or_else(|_| Err(Problem::internal("fine-tuning failed")));
        let mut stand = lock(&job.page.tuning.state);
        stand.busy = false;
        match learnt {
            Ok(Some(candidate)) => {
                stand.tell(json!({ "phase": "done" }));
                stand.candidate = Some(candidate);
            }
            Ok(None) => stand.tell(json!({ "phase": "stopped" })),
            Err(problem) => stand.tell(json!({ "phase": "failed", "message": problem.message })),
        }
    };
    let spawned = std::thread::Builder::new().name("finetune".into()).spawn(work);
    if let Err(error) = spawned {
        lock(&service.page.tuning.state).busy = false;
        return Err(Problem::internal(format!("there is no thread to learn on: {error}")));
    }
    state(State(service)).await
}

/// Learns and compares; `None` when it was stopped.
fn learn(service: &Service, served: &Arc<Served>, steps: u64) -> Result<Option<Candidate>, Problem> {
    let recognizer = super::look::recognizer(served)?;
    let began = Instant::now();
    let tell = |changes: Value| lock(&service.page.tuning.state).tell(changes);
    let stopped = || service.page.tuning.stop.load(Relaxed) || service.is_draining();
    let mut names: Vec<String> = recognizer.classes().to_vec();
    recognizer.none().into_iter().for_each(|none| names.insert(none, NONE.into()));
    let own = service.page.samples.dataset(recognizer, &names)?;
    let own = own.ok_or_else(|| Problem::bad("there are no samples yet: draw a digit and say what it is"))?;
    let lesson = Lesson::new(recognizer, own)?;
    let mut model = recognizer.model().bare().map_err(|e| Problem::internal(e.to_string()))?;
    let before = lesson.measure(&model)?;
    tell(json!({
        "phase": "training", "samples": lesson.own.len(), "held": lesson.test.len(), "of": lesson.name,
        "before": { "own": before.0, "held": before.1 },
    }));
    if stopped() {
        return Ok(None);
    }
    lesson.teach(&mut model, steps, |at| {
        let loss = if at.loss.is_finite() { json!(at.loss) } else { Value::Null };
        tell(json!({ "step": at.step, "loss": loss }));
        if stopped() { Action::Stop } else { Action::Continue }
    })?;
    if stopped() {
        return Ok(None);
    }
    tell(json!({ "phase": "measuring" }));
    let after = lesson.measure(&model)?;
    let forgot = has_forgotten(before.1, after.1, lesson.test.len());
    tell(json!({
        "after": { "own": after.0, "held": after.1 }, "worse": forgot || after.0 < before.0, "seconds": began.elapsed().as_secs_f64(),
    }));
    let said = served.said.clone().unwrap_or_else(|| Preprocessing::of_scaling(recognizer.scaling()));
    let preprocessing = Preprocessing { classes: names, ..said };
    Ok(Some(Candidate { from: Arc::clone(served), model, preprocessing }))
}

/// `POST /page/tune/stop`.
pub async fn stop(State(service): State<Arc<Service>>, request: Request) -> Answer {
    object_of(&service, request).await?;
    service.page.tuning.stop.store(true, Relaxed);
    Ok(object(&json!({})))
}

/// `POST /page/tune/keep`: what was learnt is written to a file of its own and served from here on.
pub async fn keep(State(service): State<Arc<Service>>, request: Request) -> Answer {
    object_of(&service, request).await?;
    let at = Arc::clone(&service);
    let work = move || {
        let candidate = lock(&at.page.tuning.state).candidate.take();
        let candidate = candidate.ok_or_else(|| Problem::bad("nothing was learnt that could be kept"))?;
        let made = candidate.written(&at);
        let mut stand = lock(&at.page.tuning.state);
        let (taught, file) = match made {
            Ok(made) => made,
            Err(problem) => {
                // The disk may have room the next time.
                if !stand.busy {
                    stand.candidate.get_or_insert(candidate);
                }
                return Err(problem);
            }
        };
        let old = at.models.replace(Arc::clone(&taught));
        at.log.event("taught", &[("model", &taught.name), ("file", &file.display())]);
        // Back means back to what its file says, however often it was taught since.
        let earlier = stand.kept.take().filter(|kept| old.as_ref().is_some_and(|old| Arc::ptr_eq(old, &kept.taught)));
        stand.kept = earlier.map(|kept| kept.before).or(old).map(|before| Kept { taught, before });
        stand.tell(json!({ "phase": "kept", "file": file.display().to_string() }));
        Ok(())
    };
    aside("keeping the model", work).await?;
    state(State(service)).await
}

/// `POST /page/tune/undo`: drops what was learnt, or takes back what was kept.
pub async fn undo(State(service): State<Arc<Service>>, request: Request) -> Answer {
    object_of(&service, request).await?;
    {
        let mut stand = lock(&service.page.tuning.state);
        if stand.candidate.take().is_some() {
            stand.tell(json!({ "phase": "dropped" }));
        } else if let Some(kept) = stand.kept.take() {
            if !kept.is_served(&service) {
                return Err(Problem::bad("the model's file has been replaced since: that one is served"));
            }
            service.log.event("untaught", &[("model", &kept.before.name)]);
            service.models.replace(kept.before);
            stand.tell(json!({ "phase": "undone" }));
        } else {
            return Err(Problem::bad("there is nothing to undo"));
        }
    }
    state(State(service)).await
}

impl Kept {
    /// Whether it is what is served: its file may have been replaced since.
    fn is_served(&self, service: &Service) -> bool {
        let now = service.models.get(&self.taught.name, Some(self.taught.version));
        now.is_ok_and(|now| Arc::ptr_eq(&now, &self.taught))
    }
}

impl Candidate {
    /// Written to a file of its own and ready to be served: beside the model's file, or among the samples where it has none or its folder
    /// takes nothing.
    fn written(&self, service: &Service) -> Result<(Arc<Served>, PathBuf), Problem> {
        let failed = |e: &dyn std::fmt::Display| Problem::internal(format!("the model cannot be kept: {e}"));
        let bytes = self.preprocessing.to_bytes().map_err(|e| failed(&e))?;
        let model = self.model.bare().map_err(|e| failed(&e))?;
        let member = (maobi_recognize::preprocessing::MEMBER, &bytes[..]);
        let Served { name, version, metrics, .. } = &*self.from;
        let own = service.models.file(name).filter(|file| file.is_file());
        let stem = own.and_then(|file| file.file_stem()).and_then(|stem| stem.to_str()).unwrap_or(name);
        let beside = own.and_then(|file| file.parent());
        let write = |folder: &Path| {
            let file = free_file(folder, stem)?;
            let written = maobi_formats::keras::save_with(&model, &file, &[member]);
            written.map(|()| file).map_err(|e| Problem::internal(e.to_string()))
        };
        let file = match beside.map(write) {
            Some(Ok(file)) => file,
            _ => write(service.page.samples.place()?)?,
        };
        let served = Served::new(Arc::clone(name), *version, model, Some(self.preprocessing.clone()), Arc::clone(metrics));
        Ok((Arc::new(served.map_err(Problem::internal)?), file))
    }
}

/// A name that is free in a folder.
fn free_file(folder: &Path, stem: &str) -> Result<PathBuf, Problem> {
    let names = (1..10_000).map(|n: u32| if n == 1 { String::new() } else { format!("-{n}") });
    let mut files = names.map(|n| folder.join(format!("{stem}-finetuned{n}.keras")));
    files.find(|file| !file.exists()).ok_or_else(|| Problem::internal(format!("{}: no name is free", folder.display())))
}
