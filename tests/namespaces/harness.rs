//! Runs one test as the standard harness would, with one thing more: that it cannot run on this machine is found out when it
//! is to run, and counts as ignored.

use std::{process::ExitCode, time::Instant};

/// Options of the standard harness that have a value of their own.
const VALUED: [&str; 6] = ["--skip", "--test-threads", "--format", "--color", "--logfile", "-Z"];

/// What came of the test.
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// This machine does not allow it, for a reason.
    Ignored(String),
}

/// Whether a test of this name is asked for.
fn is_asked_for(name: &str, arguments: &[String]) -> bool {
    let (mut filters, mut skipped) = (Vec::new(), Vec::new());
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        match argument {
            "--skip" => skipped.extend(arguments.next()),
            valued if VALUED.contains(&valued) => drop(arguments.next()),
            option if option.starts_with('-') => {}
            filter => filters.push(filter),
        }
    }
    let names = |part: &&str| name.contains(*part);
    (filters.is_empty() || filters.iter().any(names)) && !skipped.iter().any(names)
}

/// Runs the test if it is asked for, and says what came of it in the lines of the standard harness.
pub(crate) fn run(name: &str, arguments: &[String], test: impl FnOnce() -> Verdict) -> ExitCode {
    let asked_for = is_asked_for(name, arguments);
    if arguments.iter().any(|argument| argument == "--list") {
        if asked_for {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} test{}", u8::from(asked_for), if asked_for { "" } else { "s" });
    let begun = Instant::now();
    let verdict = asked_for.then(test);
    let (word, [passed, failed, ignored]) = match &verdict {
        None => (None, [0, 0, 0]),
        Some(Verdict::Passed) => (Some("ok".to_owned()), [1, 0, 0]),
        Some(Verdict::Failed) => (Some("FAILED".to_owned()), [0, 1, 0]),
        Some(Verdict::Ignored(reason)) => (Some(format!("ignored, {reason}")), [0, 0, 1]),
    };
    if let Some(word) = word {
        println!("test {name} ... {word}");
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    let (filtered, seconds) = (u8::from(!asked_for), begun.elapsed().as_secs_f64());
    println!(
        "\ntest result: {result}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; {filtered} filtered out; \
         finished in {seconds:.2}s\n"
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
