//! Several networks of one recipe as one model that answers with the mean of their answers.

use crate::error::{Error, Result};
use crate::recipe::Recipe;
use maobi_nn::Model;
use maobi_nn::graph::{Graph, Tensor, apply};
use maobi_nn::layers::registry::{UnknownKeys, from_config};
use maobi_nn::layers::{Average, InputLayer, Layer};
use std::sync::Arc;

/// Most members: each is kept whole in the model.
pub const MAX_MEMBERS: usize = 100;

/// A Functional model of `members` networks of `recipe` with the members' weights, compiled as the recipe says. Its layers are the
/// members' own, named `member_1_…` and so on, joined by an `Average`: an ordinary model, for files of any format.
///
/// # Errors
/// Fewer than two members or more than [`MAX_MEMBERS`]; members that are not of this recipe, or whose weights are NaN or infinite.
pub fn ensemble(recipe: &Recipe, members: &[Model]) -> Result<Model> {
    if !(2..=MAX_MEMBERS).contains(&members.len()) {
        return Err(Error::argument("ensemble", format!("expected 2 to {MAX_MEMBERS} members, got {}", members.len())));
    }
    for (at, member) in members.iter().enumerate() {
        member.check_finite().map_err(|error| Error::argument("ensemble", format!("member {}: {error}", at + 1)))?;
    }
    let input = InputLayer::new(recipe.input_shape.clone()).input();
    let mut answers = Vec::new();
    for (at, member) in members.iter().enumerate() {
        let mut x: Tensor = input.clone();
        let names = layer_names(member);
        if names.len() != recipe.layers.len() {
            return Err(misfit(recipe, at));
        }
        for ((class, config), name) in recipe.layers.iter().zip(names) {
            let mut config = config.clone();
            config.insert("name".into(), format!("{}{name}", prefix(at)).into());
            let layer = from_config(class, &config, UnknownKeys::Refuse)?;
            x = apply(&Arc::from(layer), &[&x])?;
        }
        answers.push(x);
    }
    let mean: Arc<dyn Layer> = Arc::new(Average::new());
    let mean = apply(&mean, &answers.iter().collect::<Vec<_>>())?;
    let name = format!("{}_ensemble", recipe.name.replace('-', "_"));
    let mut model = Model::from_graph(Graph::between(name, &[&input], &[&mean])?, 1)?;
    for (at, member) in members.iter().enumerate() {
        for weight in member.weights() {
            let path = format!("{}{}", prefix(at), weight.path);
            let own = model.weights_mut().iter_mut().find(|own| own.path == path && own.shape == weight.shape);
            own.ok_or_else(|| misfit(recipe, at))?.values_mut().copy_from_slice(&weight.values());
        }
    }
    model.set_precision(recipe.training.precision)?;
    model.compile(recipe.compile())?;
    Ok(model)
}

fn prefix(member: usize) -> String {
    format!("member_{}_", member + 1)
}

/// Names of a member's layers, the input's left out.
fn layer_names(member: &Model) -> Vec<String> {
    let layers = member.graph().layers.iter().filter(|layer| !layer.layer.is_input());
    layers.map(|layer| layer.name.clone()).collect()
}

fn misfit(recipe: &Recipe, member: usize) -> Error {
    Error::argument("ensemble", format!("member {} is not a network of the recipe {}", member + 1, recipe.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use maobi_nn::model::Output;

    #[test]
    fn a_member_with_nan_is_named() {
        let recipe = Recipe::builtin("softmax").unwrap();
        let mut members: Vec<Model> = (1..=2).map(|seed| recipe.model(seed).unwrap()).collect();
        members[1].weights_mut()[1].values_mut()[4] = f32::NAN;
        let message = ensemble(&recipe, &members).unwrap_err().to_string();
        assert_eq!(message, "ensemble: member 2: weight bias of layer \"dense\" holds NaN (value 5 of 10)");
    }

    #[test]
    fn it_answers_with_the_mean_of_its_members() {
        let recipe = Recipe::builtin("best").unwrap();
        let members: Vec<Model> = (1..=3).map(|seed| recipe.model(seed).unwrap()).collect();
        let pixels: Vec<f32> = (0..2 * 784).map(|i| (i % 29) as f32 / 29.0).collect();
        let joined = ensemble(&recipe, &members).unwrap();
        assert_eq!(joined.count_params(), 3 * members[0].count_params());
        let answer = joined.predict(&[&pixels]).unwrap().remove(0);
        let single: Vec<Output> = members.iter().map(|member| member.predict(&[&pixels]).unwrap().remove(0)).collect();
        for (at, value) in answer.iter().enumerate() {
            let mean = single.iter().map(|row| row[at]).sum::<f32>() / 3.0;
            // Three roundings of numbers of at most 1.
            assert!((value - mean).abs() < 1e-6, "{value} {mean}");
        }
    }

    #[test]
    fn strangers_are_refused() {
        let recipe = Recipe::builtin("softmax").unwrap();
        let other = Recipe::builtin("tiny-cnn").unwrap();
        let of = |seeds: [&Recipe; 2]| seeds.map(|recipe| recipe.model(1).unwrap());
        let message = ensemble(&recipe, &of([&recipe, &other])).unwrap_err().to_string();
        assert!(message.contains("member 2 is not a network of the recipe softmax"), "{message}");
        assert!(ensemble(&recipe, &[recipe.model(1).unwrap()]).is_err());
    }
}
