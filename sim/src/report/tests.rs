use super::*;

fn fact(label: &str, value: &str) -> Fact {
    Fact { label: label.into(), value: value.into() }
}

/// A run that looks like a real one.
fn example() -> ReportData {
    let verdict =
        |claim: &str, detail: &str| Verdict { claim: claim.into(), holds: true, detail: detail.into() };
    let attack = |attack: &str, refusal: &str| RefusedAttack {
        attack: attack.into(),
        refusal: refusal.into(),
        count: 1,
        refused: true,
    };
    let payouts: Vec<WorkPayout> = (0..256_u64)
        .map(|i| WorkPayout {
            name: format!("work-{:05}", i * 37 % 4_099),
            payout: Credits(600_000_000 / (i + 3) / (1 + i / 60)),
        })
        .collect();
    let pool = payouts.iter().map(|w| w.payout).sum::<Credits>().0;
    let (eco, infra, fee) = (pool / 17, pool * 8 / 85, pool * 2 / 85);
    let actor = |(name, messages): (&str, u64)| ActorCount { name: name.into(), messages };
    let actors = [
        ("intake", 162),
        ("verifier", 158),
        ("party 1", 486),
        ("party 2", 486),
        ("party 3", 485),
        ("coordinator", 1_204),
        ("settlement", 9),
    ];
    ReportData {
        title: "Epoch 1".into(),
        subtitle: "120 subscribers and 256 works, synthetic, shaped after the HetRec 2011 Last.fm set".into(),
        verdicts: vec![
            verdict(
                "A light client accepts the epoch.",
                "headers, tally proof, weights, payouts and Merkle root recomputed",
            ),
            verdict(
                "Totals match.",
                "a plaintext count by other code equals the opened totals of all 256 works",
            ),
            verdict("Paid equals the pool.", "to the micro-credit"),
        ],
        facts: vec![
            fact("subscribers", "120"),
            fact("events accepted", "3,601"),
            fact("bundles accepted", "148"),
            fact("works paid", "256"),
            fact("credits in the creator pool", "2,117.22"),
            fact("claims paid", "83"),
        ],
        money: MoneyFlow {
            revenue: Credits(pool + eco + infra + fee),
            creators: Credits(pool),
            eco_reserve: Credits(eco),
            infrastructure: Credits(infra),
            fee: Credits(fee),
        },
        payouts,
        tiers: vec![
            TierCount { tier: "1".into(), sold: 74, counted: 73 },
            TierCount { tier: "2".into(), sold: 34, counted: 34 },
            TierCount { tier: "3".into(), sold: 12, counted: 11 },
        ],
        regions: vec![RegionCount { region: "4".into(), receipts: 141, views: 305 }],
        counting: vec!["Capped subscribers: 3 of 120, 59 events beyond the cap.".into()],
        funds: vec![("Eco-Reserve".into(), Credits(eco)), ("infrastructure".into(), Credits(infra))],
        rewards: vec![("aggregation".into(), Credits(12_000_000))],
        rewarded: "12.000000 credits of node rewards were claimed, for 1 epoch scored.".into(),
        attacks: vec![
            attack("The same bundle twice", "intake: the bundle was already accepted"),
            attack(
                "An event of an accepted bundle again",
                "party 2: tag of event 4 is not new in this epoch",
            ),
            attack(
                "A forged proof",
                "verifier: the batch fails, bisection names bundle 3f9a…, inner product",
            ),
            attack("64 votes in one digit", "verifier: entry 0 of a digit is not 0 or 1"),
            attack(
                "A share that does not open its commitment",
                "party 3: share 2 of bundle 81c0… is complained about",
            ),
        ],
        actors: actors.map(actor).into(),
        remarks: vec![
            fact("scale", "0.001289 events a play, chosen: 30.0 events a subscriber"),
            fact("tiers", "tier 1: 61.6 %, tier 2: 28.3 %, tier 3: 10.0 %"),
            fact("threshold", "k_anonymity is 0 in this run: cells of few listeners are published too"),
        ],
        provenance: Provenance {
            seed: 7,
            version: "0.1.0".into(),
            config_hash: "9d1f0c7b5e2a48f6c3b7a1d0e9f8574632b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7".into(),
            command: "cwe demo --subscribers 120 --works 256 --seed 7 --preset spec --out runs/demo".into(),
        },
    }
}

#[test]
fn gini_agrees_with_values_by_hand() {
    let close = |values: &[u64], expected: f64| {
        assert!((gini(values) - expected).abs() < 1e-12, "{values:?}: {}", gini(values));
    };
    close(&[], 0.0);
    close(&[0, 0], 0.0);
    close(&[5], 0.0);
    close(&[4, 4, 4], 0.0);
    close(&[0, 0, 0, 8], 0.75);
    close(&[3, 1], 0.25);
    // 1, 2, 3, 4: (-3 - 2 + 3 + 12) / (4 * 10)
    close(&[4, 2, 1, 3], 0.25);
    close(&[u64::MAX, 0], 0.5);
}

#[test]
fn lorenz_agrees_with_values_by_hand() {
    let expected = [(0.0, 0.0), (0.25, 0.1), (0.5, 0.3), (0.75, 0.6), (1.0, 1.0)];
    let points = lorenz(&[4, 2, 1, 3]);
    assert_eq!(points.len(), expected.len());
    for ((x, y), (a, b)) in points.iter().zip(expected) {
        assert!((x - a).abs() < 1e-12 && (y - b).abs() < 1e-12, "{points:?}");
    }
    assert_eq!(lorenz(&[]), [(0.0, 0.0), (1.0, 1.0)]);
    assert_eq!(lorenz(&[0, 0, 0]), [(0.0, 0.0), (1.0, 1.0)]);
}

#[test]
fn gini_is_twice_the_area_between_curve_and_equality() {
    let values: Vec<u64> = (1..=50).map(|i| i * i * i).collect();
    let area: f64 = lorenz(&values).windows(2).map(|w| (w[1].0 - w[0].0) * (w[1].1 + w[0].1) / 2.0).sum();
    assert!((gini(&values) - (1.0 - 2.0 * area)).abs() < 1e-9);
}

#[test]
fn the_page_holds_what_it_was_given_and_is_the_same_each_time() {
    let data = example();
    let page = render(&data);
    assert_eq!(page, render(&data));
    for text in
        ["All 3 checks hold", "the parts sum to it", "Gini of payouts", "1,204", "--seed 7", "64 votes"]
    {
        assert!(page.contains(text), "{text}");
    }
    assert_eq!(page.matches("<svg role=\"img\"").count(), 3);
    assert_eq!(page.matches("<desc ").count(), 3);
    let mut reversed = data.clone();
    reversed.payouts.reverse();
    assert_eq!(render(&reversed), page, "the order of payouts does not matter");
}

#[test]
fn the_page_says_who_was_counted() {
    let page = render(&example());
    for text in [
        "Subscribers by tier",
        "Receipts by region",
        "<td>1</td><td class=\"n\">74</td><td class=\"n\">73</td>",
        "<td>4</td><td class=\"n\">141</td><td class=\"n\">305</td>",
        "59 events beyond the cap.",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(render(&ReportData::default()).contains("No receipt was spent."));
}

/// On a narrow screen lines are broken between words, not in a number.
#[test]
fn numbers_and_words_of_tables_stay_whole() {
    let page = render(&example());
    assert!(page.contains(".n, .words, .words td { overflow-wrap: normal; }"), "the rule");
    assert!(page.contains("<table class=\"words\">"), "the table of attacks");
}

#[test]
fn the_page_needs_no_network_and_runs_no_script() {
    let page = render(&example());
    for text in ["<script", "<link", "<img", "<iframe", "http://", "https://", "url(", "@import", " onload"] {
        assert!(!page.contains(text), "{text}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("size: A4"));
}

#[test]
fn names_are_escaped_everywhere() {
    let evil = "</title><script>alert('x')</script>&\"";
    let mut data = example();
    data.payouts[0].name = evil.into();
    data.title = evil.into();
    data.subtitle = evil.into();
    data.verdicts[0].claim = evil.into();
    data.verdicts[0].detail = evil.into();
    data.facts[0] = fact(evil, evil);
    data.remarks[0] = fact(evil, evil);
    data.attacks[0].attack = evil.into();
    data.attacks[0].refusal = evil.into();
    data.actors[0].name = evil.into();
    data.tiers[0].tier = evil.into();
    data.regions[0].region = evil.into();
    data.counting[0] = evil.into();
    data.funds[0].0 = evil.into();
    data.rewards[0].0 = evil.into();
    data.rewarded = evil.into();
    data.provenance.command = evil.into();
    data.provenance.version = evil.into();
    data.provenance.config_hash = evil.into();
    let page = render(&data);
    assert!(!page.contains("<script"));
    assert!(page.contains("&lt;script&gt;"));
}

#[test]
fn what_fails_is_said_in_words() {
    let mut data = example();
    data.verdicts[1].holds = false;
    data.attacks[2].refused = false;
    data.money.fee = Credits::ZERO;
    let page = render(&data);
    for text in ["1 of 3 checks do not hold", "Not refused. ", "the parts do not sum to it"] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn an_empty_run_still_has_a_page() {
    let page = render(&ReportData::default());
    for text in [
        "Nothing was checked",
        "None in this run.",
        "No actor took part.",
        "Every fund is empty.",
        "No work earned anything.",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("NaN"));
}

#[test]
fn numbers_are_written_for_people() {
    assert_eq!(credits(Credits(1_234_567_000_001)), "1,234,567.000001");
    assert_eq!(several(1, "batch", "batches"), "1 batch");
    assert_eq!([0, 1_000].map(|n| several(n, "batch", "batches")), ["0 batches", "1,000 batches"]);
    assert_eq!(numbers::short(2_500_000), "2.5");
    assert_eq!(numbers::short(20_000_000), "20");
    assert_eq!(numbers::short(0), "0");
    assert_eq!(numbers::ticks(47), [0, 10, 20, 30, 40]);
    assert_eq!(numbers::ticks(0), [0]);
    assert_eq!(numbers::ticks(u64::MAX).len(), 4);
    assert_eq!(numbers::clip("short"), "short");
    assert_eq!(numbers::clip(&"x".repeat(40)).chars().count(), 24);
    assert_eq!(numbers::clip(&"音".repeat(40)).chars().count(), 12);
}
