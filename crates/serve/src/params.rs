//! The parts of a route's path.

use crate::problem::Problem;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

/// What a path holds in place of its `{…}`.
#[derive(Debug)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// A part; empty when the route has none of that name.
    pub fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// A part, if the route has it.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        path.map(|Path(parts)| Self(parts)).map_err(|e| Problem::bad(format!("the path cannot be read: {e}")))
    }
}
