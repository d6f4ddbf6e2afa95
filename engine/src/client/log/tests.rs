use super::*;
use primitives::Time;

const WORK: &str = "0700000000000000000000000000000000000000000000000000000000000007";

fn parse(text: &str) -> Result<UsageLog, LogError> {
    UsageLog::parse("log", text.as_bytes(), |_| ())
}

fn fault(text: &str) -> (u64, Fault) {
    match parse(text) {
        Err(LogError::Line { line, fault, .. }) => (line, fault),
        other => panic!("{other:?} of {text}"),
    }
}

#[test]
fn both_forms_say_the_same_in_whatever_order_of_columns() {
    let csv =
        format!("time,work,seconds_played,length_seconds,backed\n9,{WORK},100,200,yes\n5,{WORK},1,2,no\n");
    let turned =
        format!("backed,work,length_seconds,seconds_played,time\r\nyes,{WORK},200,100,9\r\nno,{WORK},2,1,5");
    let json = format!(
        "{{\"time\":9,\"work\":\"{WORK}\",\"seconds_played\":100,\"length_seconds\":200,\"backed\":true}}\n\
         {{\"time\":5,\"work\":\"{WORK}\",\"seconds_played\":1,\"length_seconds\":2,\"backed\":false}}\n"
    );
    let log = parse(&csv).unwrap();
    assert_eq!((log.plays().len(), log.plays()[0].time), (2, 5), "in order of time");
    assert_eq!(parse(&turned).unwrap(), log);
    assert_eq!(parse(&format!("\u{feff}{csv}")).unwrap(), log, "a spreadsheet marks its files");
    assert_eq!(parse(&json).unwrap(), log);
    assert_eq!(parse(&json).unwrap().digest(), log.digest());
}

#[test]
fn plays_of_another_time_are_found_with_their_lines() {
    let head = "time,work,seconds_played,length_seconds,backed";
    let plays: String = [30, 9, 20, 31, 8].map(|time| format!("{time},{WORK},100,200,yes\n")).concat();
    let log = parse(&format!("{head}\n{plays}")).unwrap();
    let before = |time| log.find(|play| play.time < time);
    assert_eq!(before(10), Some(Lines { plays: 2, first: vec![3, 6] }));
    assert_eq!(before(8), None);
}

#[test]
fn plays_are_found_with_their_first_lines() {
    let head = "time,work,seconds_played,length_seconds,backed";
    let plays: String = (0..9).rev().map(|time| format!("{time},{WORK},100,200,yes\n")).collect();
    let log = parse(&format!("{head}\n{plays}")).unwrap();
    let found = |from| log.find(|play| play.time >= from);
    assert_eq!(found(9), None);
    assert_eq!(found(8), Some(Lines { plays: 1, first: vec![2] }));
    let said = [8, 7, 4, 3].map(|from| found(from).unwrap().to_string());
    assert_eq!(said, ["line 2", "lines 2 and 3", "lines 2, 3, 4, 5 and 6", "lines 2, 3, 4, 5, 6 and more"]);
    assert_eq!((log.last(), parse(head).unwrap().last()), (Some(Time(8)), None));
}

#[test]
fn quarters_are_whole_ones() {
    let play = |played, length| Play { time: 0, work: WorkId([0; 32]), played, length, backed: false };
    let quarters = [(0, 100), (24, 100), (25, 100), (99, 100), (100, 100), (500, 100), (u32::MAX, 1)];
    let counted = quarters.map(|(played, length)| play(played, length).quarters());
    assert_eq!(counted, [0, 0, 1, 3, 4, 4, 4]);
}

#[test]
fn an_error_names_its_line_and_says_nothing_of_the_work() {
    let head = "time,work,seconds_played,length_seconds,backed";
    let field = |column, expected| Fault::Field { column, expected };
    let seconds = "a whole number of seconds";
    for (text, expected) in [
        ("time,work".to_owned(), (1, Fault::Header)),
        (format!("{head},time"), (1, Fault::Header)),
        (format!("{head}\n1,{WORK},1,1,no\n1,2\n"), (3, Fault::Fields { found: 2 })),
        (format!("{head}\n"), (0, Fault::Header)),
        (format!("{head}\n\n"), (2, Fault::Fields { found: 1 })),
        (format!("{head}\n+1,{WORK},1,1,no"), (2, field("time", "a whole number of seconds since 1970"))),
        (format!("{head}\n1,abc,1,1,no"), (2, field("work", "64 lower-case hexadecimal digits"))),
        (format!("{head}\n1,{WORK},-1,1,no"), (2, field("seconds_played", seconds))),
        (format!("{head}\n1,{WORK},1,4294967296,no"), (2, field("length_seconds", seconds))),
        (format!("{head}\n1,{WORK},1,0,no"), (2, Fault::Length)),
        (format!("{head}\n1,{WORK},1,1,true"), (2, field("backed", "yes or no"))),
        (format!("{head}\n{}", "1".repeat(5000)), (2, Fault::TooLong)),
        ("{\"time\":1}".to_owned(), (1, Fault::Json { column: 10 })),
    ] {
        if expected.0 == 0 {
            assert_eq!(parse(&text).unwrap().plays(), [] as [Play; 0]);
            continue;
        }
        assert_eq!(fault(&text), expected, "{text}");
        assert!(!parse(&text).unwrap_err().to_string().contains(WORK));
    }
    let both = format!(
        "{{\"time\":9,\"work\":\"{WORK}\",\"seconds_played\":1,\"length_seconds\":2,\"backed\":true,\"x\":1}}"
    );
    assert!(matches!(fault(&both), (1, Fault::Json { .. })));
    assert!(matches!(parse(""), Err(LogError::Empty { .. })));
    let bytes = [b"time,work,seconds_played,length_seconds,backed\n".as_slice(), &[0xff, b'\n']].concat();
    let unread = UsageLog::parse("log", &bytes[..], |_| ());
    assert!(matches!(unread, Err(LogError::Line { line: 2, fault: Fault::NotText, .. })));
}

#[test]
fn a_log_has_an_end() {
    let mut text = String::from("time,work,seconds_played,length_seconds,backed\n");
    (0..=MAX_PLAYS).for_each(|n| text.push_str(&format!("{n},{WORK},1,1,no\n")));
    assert!(matches!(parse(&text), Err(LogError::TooMany { line, .. }) if line == MAX_PLAYS as u64 + 2));
    let mut told = 0;
    let shorter = text.lines().take(2001).collect::<Vec<_>>().join("\n");
    UsageLog::parse("log", shorter.as_bytes(), |_| told += 1).unwrap();
    assert_eq!(told, 2);
}
