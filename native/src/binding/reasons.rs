//! A forest's reasons on their way to JavaScript: three numbers each, that `reasons.js` makes objects of.
//!
//! Through the C interface each reason would cost eight calls and two texts. Names, units and what
//! training saw are the forest's, so they cross once. Limit: a small plain array is the cheapest carrier
//! for the few reasons of a row; a typed array costs more to make than nine numbers to set.
use napi::bindgen_prelude::{Env, FnArgs, Function, FunctionRef, Object, Result};

use crate::forest::Forest;

type Usual = FnArgs<(Vec<String>, Vec<f64>)>;
type Maker<'a> = Function<'a, Vec<f64>, Object<'static>>;

/// The function that makes the objects of one forest.
pub struct ReasonMaker(FunctionRef<Vec<f64>, Object<'static>>);

impl ReasonMaker {
    /// Compiles it and hands it what is the same for every row.
    pub fn new(env: Env, forest: &Forest) -> Result<Self> {
        let bind: Function<'_, Usual, Maker<'_>> = env.run_script(include_str!("reasons.js"))?;
        let texts =
            forest.features().iter().flat_map(|feature| [feature.name.clone(), feature.unit.clone()]);
        let usual = forest.summaries().iter().flat_map(|seen| [seen.median, seen.p5, seen.p95].map(finite));
        let maker = bind.call((texts.collect::<Vec<_>>(), usual.collect::<Vec<_>>()).into())?;
        Ok(Self(maker.create_ref()?))
    }

    /// An array of `Reason`, of features by number and their shares.
    pub fn make(&self, env: Env, row: &[f64], shares: &[(usize, f64)]) -> Result<Object<'static>> {
        let triple = |&(index, share): &(usize, f64)| [index as f64, finite(row[index]), share];
        self.0.borrow_back(&env)?.call(shares.iter().flat_map(triple).collect())
    }
}

/// Infinite counts as unknown, which is NaN on the way and null there.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}
