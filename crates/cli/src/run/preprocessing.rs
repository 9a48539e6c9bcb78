//! What a run's models know about their pictures.

use super::config::RunConfig;
use maobi_recognize::{Preprocessing, Scaling};
use maobi_train::Recipe;
use maobi_train::recipe::Validation;

/// What a run's models need.
pub fn of_run(config: &RunConfig, recipe: &Recipe) -> Preprocessing {
    Preprocessing {
        classes: config.run.classes.clone(),
        dataset: Some(config.run.dataset.clone()),
        recipe: Some(config.run.recipe.clone()),
        ..of_recipe(recipe)
    }
}

/// What a recipe says of its own.
pub fn of_recipe(recipe: &Recipe) -> Preprocessing {
    let (head, tail) = match recipe.data.validation {
        Validation::Head(n) => (Some(n), None),
        Validation::Tail(share) => (None, Some(share)),
        Validation::None | Validation::Test => (None, None),
    };
    Preprocessing {
        dataset: Some(recipe.data.dataset.to_string()),
        recipe: Some(recipe.name.clone()),
        validation_head: head,
        validation_tail: tail,
        ..Preprocessing::of_scaling(Scaling { scale: recipe.data.scale, offset: recipe.data.offset })
    }
}
