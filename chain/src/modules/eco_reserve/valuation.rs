//! What an asset is worth: what enough oracles report, within what changes without governance.

use super::{
    AcceptValuation, EcoAsset, EcoChange, EcoError, EcoReport, EcoRules, Figures, Mrv, PushValuation,
    Valuation, Valued,
    decide::held,
    journal::{MAX_REPORTS, record},
};
use crate::{
    ledger::Context,
    modules::{
        identity::{Roles, acts_as},
        treasury,
    },
    state::Draft,
};
use primitives::{BasisPoints, Credits, PersonId, Time};

/// Runs [`PushValuation`]. Chain spec 6.5: "Oracles and auditors: periodically push updated valuations and MRV data".
pub(crate) fn push_valuation(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &PushValuation,
) -> Result<(), EcoError> {
    if !acts_as(draft, signer, Roles::ORACLE) {
        return Err(EcoError::NotOracle { signer });
    }
    let PushValuation { asset, figures, document } = *action;
    let valued = held(draft, asset)?;
    if valued.concerns(signer) {
        return Err(EcoError::Interested { asset, signer });
    }
    let earliest = valued.valuation.at.after(draft.base().in_force(at.genesis).rules.eco.pause);
    if at.now < earliest {
        return Err(EcoError::TooSoon { asset, earliest });
    }
    treasury::cite(draft, signer, document)?;
    draft.put(EcoReport { asset, oracle: signer, figures, document, round: valued.round, at: at.now });
    Ok(())
}

/// Runs [`AcceptValuation`]: takes what is reported, or has it wait for governance if it changes too much.
pub(crate) fn accept_valuation(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    action: &AcceptValuation,
) -> Result<(), EcoError> {
    let AcceptValuation { asset, round } = *action;
    let mut valued = held(draft, asset)?;
    if round != valued.round {
        return Err(EcoError::OtherRound { asset, expected: valued.round, found: round });
    }
    let rules = &draft.base().in_force(at.genesis).rules.eco;
    if let Some(pending) = &valued.pending
        && at.now <= pending.at.after(rules.report_age)
    {
        return Err(EcoError::AwaitsGovernance { asset, round: valued.round });
    }
    let reports = counted(draft, at.now, &valued, rules);
    let (expected, found) = (usize::from(rules.oracles), reports.len());
    let oldest = reports.iter().map(|report| report.at).min().filter(|_| found >= expected);
    let oldest = oldest.ok_or(EcoError::TooFewReports { asset, expected, found })?;
    let figures = medians(&reports, rules.haircuts.of(valued.kind));
    let documents = reports.iter().map(|report| (report.oracle, report.document)).collect();
    let what = Valued { asset, figures, oldest, reports: documents };
    let (before, after) = (valued.valuation.figures, Valuation { figures, at: oldest });
    // Reports that were taken together count no more.
    valued.round += 1;
    if changes_more(&before, &figures, rules.free_change) {
        valued.pending = Some(after);
        draft.put(valued);
        record(draft, at, EcoChange::Proposed(what));
    } else {
        (valued.valuation, valued.pending) = (after, None);
        draft.put(valued);
        record(draft, at, EcoChange::Valued(what));
    }
    Ok(())
}

/// Reports of an asset that count: of this round, not too old, not too soon after the valuation before, and of oracles
/// who are active by now and have no part in the asset.
fn counted(draft: &Draft<'_>, now: Time, asset: &EcoAsset, rules: &EcoRules) -> Vec<EcoReport> {
    let earliest = asset.valuation.at.after(rules.pause);
    let counts = |report: &&EcoReport| {
        report.round == asset.round
            && now <= report.at.after(rules.report_age)
            && report.at >= earliest
            && acts_as(draft, report.oracle, Roles::ORACLE)
            && !asset.concerns(report.oracle)
    };
    let of_asset = (asset.id, PersonId([0; 32]))..=(asset.id, PersonId([u8::MAX; 32]));
    draft.base().eco_reports.range(of_asset).filter(counts).take(MAX_REPORTS).cloned().collect()
}

/// The lower median of each figure, and the upper one of haircuts: where two oracles differ, the careful one is heard.
/// No haircut is below the least of the asset's kind.
fn medians(reports: &[EcoReport], least: BasisPoints) -> Figures {
    let lower = (reports.len() - 1) / 2;
    let middle = |place: usize, figure: fn(&Figures) -> u64| {
        let mut figures: Vec<u64> = reports.iter().map(|report| figure(&report.figures)).collect();
        figures.sort_unstable();
        figures[place]
    };
    let haircut = middle(reports.len() / 2, |f| f.haircut.get().into());
    let haircut =
        u16::try_from(haircut).ok().and_then(BasisPoints::new).expect("one of the haircuts reported");
    Figures {
        value: Credits(middle(lower, |f| f.value.0)),
        haircut: haircut.max(least),
        mrv: Mrv { hectares: middle(lower, |f| f.mrv.hectares), tonnes: middle(lower, |f| f.mrv.tonnes) },
    }
}

/// Whether a figure, of the value before the haircut and after it, changes by more than a part of what it was.
fn changes_more(before: &Figures, after: &Figures, part: BasisPoints) -> bool {
    let more = |old: u64, new: u64| {
        let change = u128::from(old.abs_diff(new)) * u128::from(BasisPoints::WHOLE.get());
        change > u128::from(old) * u128::from(part.get())
    };
    let figures = |f: &Figures| [f.value.0, f.after_haircut().0, f.mrv.hectares, f.mrv.tonnes];
    figures(before).into_iter().zip(figures(after)).any(|(old, new)| more(old, new))
}
