//! Verifying many bundles of one epoch and shard at once, and naming the culprits when that fails.

use crate::{
    bundle::{
        equations::{Combination, Weights},
        statement::Published,
        verifier::{BundleError, Prepared, find_broken_rule, prepare},
    },
    epoch::EpochContext,
    halving::halve,
    sharing::{Accepted, check::random_weight},
};
use primitives::{Digest, Domain, hash};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rand_core::{CryptoRng, RngCore};
use rayon::prelude::*;

/// Checks one bundle, and names the rule that it breaks.
///
/// The weights of its equations come from a generator that the hash of the context and of all that is published of the
/// bundle seeds: nobody knows them before both are fixed.
pub fn verify(context: &EpochContext, bundle: &Published) -> Result<Accepted, BundleError> {
    verify_all(context, &[bundle]).swap_remove(0)
}

/// Checks every bundle as [`verify_batch`] does, with weights that the hash of the context and of all the bundles
/// expands to. Whoever makes bundles may try as often as they can hash, each time with a chance of 2^-128.
pub fn verify_all(context: &EpochContext, bundles: &[&Published]) -> Vec<Result<Accepted, BundleError>> {
    let ids: Vec<Digest> = bundles.par_iter().map(|bundle| bundle.id()).collect();
    let parts: Vec<&[u8]> = [&context.digest].into_iter().chain(&ids).map(|digest| &digest.0[..]).collect();
    verify_batch(context, bundles, &mut ChaCha20Rng::from_seed(hash::hash(Domain::Weights, &parts).0))
}

/// Checks every bundle; the results are in the order of the bundles.
///
/// Each equation of each bundle gets an independent 128-bit weight, drawn from a generator that `rng` seeds with 256
/// bits, and the whole sum is one multi-scalar multiplication. A batch with a false equation passes with probability
/// 2^-128. A batch that fails is halved until the false bundles stand alone, and each is told its broken rule.
///
/// The results do not depend on the number of threads.
pub fn verify_batch(
    context: &EpochContext,
    bundles: &[&Published],
    rng: &mut (impl RngCore + CryptoRng),
) -> Vec<Result<Accepted, BundleError>> {
    let prepared: Vec<_> = bundles.par_iter().map(|bundle| prepare(context, bundle)).collect();
    let accept =
        |p: &Result<Prepared<'_>, BundleError>| p.as_ref().map(Prepared::accepted).map_err(Clone::clone);
    let mut results: Vec<_> = prepared.iter().map(accept).collect();
    // Check (e) holds no group element and is not part of the combination: a bundle that fails it never enters one.
    let readable = prepared.iter().enumerate().filter_map(|(at, p)| p.as_ref().ok().map(|p| (at, p)));
    let (candidates, miscounted): (Vec<_>, Vec<_>) = readable.partition(|(_, p)| p.backed_count_holds());
    for (at, p) in miscounted {
        results[at] = find_broken_rule(context, p);
    }
    if !candidates.is_empty() && !combination_holds(context, &candidates, rng) {
        // A single bundle is looked at rule by rule at once.
        let mut fails =
            |half: &[(usize, &Prepared<'_>)]| half.len() == 1 || !combination_holds(context, half, rng);
        halve(&candidates, &mut fails, &mut |(at, only)| results[*at] = find_broken_rule(context, only));
    }
    // Bytes that are no range proof have no equation, and all else of the bundle is checked before.
    for (result, p) in results.iter_mut().zip(&prepared) {
        if result.is_ok() && p.as_ref().is_ok_and(|p| p.cap.is_none()) {
            *result = Err(BundleError::Cap);
        }
    }
    results
}

fn combination_holds(
    context: &EpochContext,
    bundles: &[(usize, &Prepared<'_>)],
    rng: &mut (impl RngCore + CryptoRng),
) -> bool {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    let mut weights = ChaCha20Rng::from_seed(seed);
    let weighted: Vec<_> = bundles.iter().map(|(_, p)| (*p, draw_weights(&mut weights))).collect();
    let share = weighted.len().div_ceil(rayon::current_num_threads());
    let partial = |part: &[(&Prepared<'_>, Weights)]| {
        let mut combination = Combination::new(context);
        part.iter().for_each(|(p, weights)| combination.add(p, weights));
        combination
    };
    let sum = weighted.par_chunks(share).map(partial).reduce_with(Combination::merge);
    sum.is_none_or(|combination| combination.holds(context))
}

fn draw_weights(rng: &mut ChaCha20Rng) -> Weights {
    let mut draw = || random_weight(rng);
    Weights {
        digits: draw(),
        vector: draw(),
        tags: draw(),
        key: draw(),
        amount: draw(),
        ephemerals: [draw(), draw(), draw()],
        cap: [draw(), draw()],
    }
}
