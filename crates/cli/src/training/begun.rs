//! Tells a run folder that training has begun.

use crate::run::Claim;
use maobi_train::callbacks::{Callback, Context};
use maobi_train::{Error, Result};
use std::sync::Arc;

/// From its first epoch on, what a run wrote is kept.
pub struct Begun {
    /// Holds the folder.
    pub claim: Arc<Claim>,
}

impl Callback for Begun {
    fn name(&self) -> &'static str {
        "Begun"
    }

    fn on_epoch_begin(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.claim.begun().map_err(|source| Error::File { path: self.claim.folder().path.clone(), source })
    }
}
