use super::*;

fn cell(row: u64, column: &str) -> Cell {
    Cell { at: Row { file: "t.tsv".into(), row }, column: column.into() }
}

fn detect(text: &str) -> Result<Table, TableError> {
    parse("t.tsv", text.as_bytes(), &Columns::default())
}

fn row(user: &str, work: &str, plays: u64) -> Table {
    let mut table = Table::new("t.tsv");
    table.add(user, work, plays).expect("small");
    table
}

#[test]
fn columns_are_found_by_name_with_any_delimiter_and_order() {
    let expected = row("ann", "song", 3);
    for text in [
        "user\twork\tplays\nann\tsong\t3\n",
        "//userID\tartistID\tweight\r\nann\tsong\t3\r\n",
        "\u{feff}User_ID,Item,Count\nann,song,3",
        "# plays;date;artist;user\n3;2011-05-01;song;ann\n",
        "user,work,plays\n\nann , song , 3\n\n",
    ] {
        assert_eq!(detect(text).expect(text), expected, "{text}");
    }
}

#[test]
fn the_preferred_name_wins_and_given_names_override() {
    let text = "user,artist,track,plays,skips\nann,band,song,3,9\n";
    assert_eq!(detect(text).unwrap(), row("ann", "song", 3));
    let columns = Columns { work: Some("Artist".into()), plays: Some("skips".into()), ..Columns::default() };
    assert_eq!(parse("t.tsv", text.as_bytes(), &columns).unwrap(), row("ann", "band", 9));
}

#[test]
fn quotes_hold_delimiters_in_csv_and_mean_nothing_in_tsv() {
    let csv = "user,work,plays\nann,\"one, \"\"two\"\"\",3\n";
    assert_eq!(detect(csv).unwrap(), row("ann", "one, \"two\"", 3));
    assert_eq!(detect("user\twork\tplays\nann\t12\" mix\t3\n").unwrap(), row("ann", "12\" mix", 3));
    let error = detect("user,work,plays\nann,x,1\nann,\"open,3\n").unwrap_err();
    assert!(matches!(error, TableError::OpenQuote(Row { row: 3, .. })), "{error}");
}

#[test]
fn repeated_pairs_are_summed_up_to_the_limit() {
    let text = "user,work,plays\nann,a,1\nbob,a,5\nann,a,2\n";
    let table = detect(text).unwrap();
    assert_eq!(table.users()["ann"]["a"], 3);
    assert_eq!(table.pairs(), 2);
    let text = format!("user,work,plays\nann,a,{MAX_PLAYS}\n\nann,a,1\n");
    assert!(matches!(detect(&text), Err(TableError::SumTooLarge(Row { row: 4, .. }))));
}

#[test]
fn a_header_must_be_there_and_name_each_column_once() {
    for text in ["", "\n", "\u{feff}//\n1,2,3\n"] {
        assert!(matches!(detect(text), Err(TableError::NoHeader(_))), "{text:?}");
    }
    for text in ["user,work,plays", "user,work,plays\r\n\r\n"] {
        assert!(matches!(detect(text), Err(TableError::NoRows(_))), "{text:?}");
    }
    for (text, missing) in [
        ("x,work,plays\n", "user"),
        ("user,x,plays\n", "work"),
        ("user,work,x\n", "plays"),
        ("user\n", "work"),
    ] {
        let error = detect(text).unwrap_err();
        assert!(matches!(error, TableError::MissingColumn { role, .. } if role == missing), "{error}");
    }
    assert!(
        matches!(detect("user,work,plays,User\na,b,1,c\n"), Err(TableError::RepeatedColumn { column, .. }) if column == "user")
    );
    let same = Columns { work: Some("user".into()), ..Columns::default() };
    let error = parse("t", "user,plays\na,1\n".as_bytes(), &same).unwrap_err();
    assert!(matches!(error, TableError::SharedColumn { first: "user", second: "work", .. }), "{error}");
    let error = detect("user,work,pl\u{7}ays\na,b,1\n").unwrap_err();
    assert!(matches!(&error, TableError::ControlCharacter(at) if *at == cell(1, "3")), "{error}");
    let long = format!("user,work,{}\n", "x".repeat(60_000));
    assert!(detect(&long).unwrap_err().to_string().len() < 400);
    let absent = Columns { plays: Some("hits".into()), ..Columns::default() };
    let error = parse("t", "user,work,plays\na,b,1\n".as_bytes(), &absent).unwrap_err();
    assert_eq!(error.to_string(), "t: row 1: no plays column: looked for hits, found user, work, plays");
}

#[test]
fn bad_plays_are_named_with_their_row_and_column() {
    let at_row_3 = |plays: &str| detect(&format!("user,work,plays\nann,a,1\nbob,b,{plays}\n")).unwrap_err();
    for plays in ["-1", "-0.5", "-inf"] {
        assert!(
            matches!(at_row_3(plays), TableError::NegativePlays(Cell { at: Row { row: 3, .. }, .. }, _)),
            "{plays}"
        );
    }
    for plays in ["1.5", "1e3", "+4"] {
        assert!(
            matches!(at_row_3(plays), TableError::FractionalPlays(Cell { at: Row { row: 3, .. }, .. }, _)),
            "{plays}"
        );
    }
    for plays in ["many", "0x10", "NaN", "1 000"] {
        assert!(
            matches!(at_row_3(plays), TableError::NotANumber(Cell { at: Row { row: 3, .. }, .. }, _)),
            "{plays}"
        );
    }
    for plays in ["1000000000001", "99999999999999999999999"] {
        assert!(
            matches!(at_row_3(plays), TableError::TooManyPlays(Cell { at: Row { row: 3, .. }, .. }, _)),
            "{plays}"
        );
    }
    assert_eq!(at_row_3("-1").to_string(), "t.tsv: row 3, column `plays`: `-1` is negative");
    assert_eq!(detect("user,work,plays\nann,a,0\n").unwrap(), row("ann", "a", 0));
}

#[test]
fn broken_rows_are_named() {
    let error = detect("user,work,plays\nann,a\n").unwrap_err();
    assert!(matches!(&error, TableError::ShortRow(at, 2) if *at == cell(2, "plays")), "{error}");
    let error = detect("user,work,plays\n\nann,,4\n").unwrap_err();
    assert!(matches!(&error, TableError::EmptyField(at) if *at == cell(3, "work")), "{error}");
    let long = "x".repeat(MAX_NAME_BYTES + 1);
    let error = detect(&format!("user,work,plays\n{long},a,1\n")).unwrap_err();
    assert!(matches!(&error, TableError::NameTooLong(at, 257) if *at == cell(2, "user")), "{error}");
    let error = detect("user,work,plays\nann,a\u{1b}[31m,1\n").unwrap_err();
    assert!(matches!(&error, TableError::ControlCharacter(at) if *at == cell(2, "work")), "{error}");
    let bytes = b"user,work,plays\nann,a,1\nbob,\xff,2\n";
    let error = parse("t.tsv", &bytes[..], &Columns::default()).unwrap_err();
    assert!(matches!(&error, TableError::NotUtf8(at) if *at == cell(3, "2")), "{error}");
    let endless = vec![b'x'; MAX_LINE_BYTES as usize + 1];
    let error = parse("t", &endless[..], &Columns::default()).unwrap_err();
    assert!(matches!(error, TableError::LineTooLong(Row { row: 1, .. })), "{error}");
}

#[test]
fn too_many_rows_are_refused() {
    let text = "user,work,plays\na,x,1\n\na,x,1\na,x,1\n";
    let read = |max| parse_at_most(max, "t", text.as_bytes(), &Columns::default());
    assert_eq!(read(3).unwrap().users()["a"]["x"], 3);
    assert!(matches!(read(2), Err(TableError::TooManyRows(Row { row: 5, .. }, 2))));
}

#[test]
fn a_file_is_opened_and_measured() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("usage.csv");
    let file = UsageFile { path: path.clone(), columns: Columns::default() };
    assert!(matches!(read(&file), Err(TableError::Open(..))));
    std::fs::write(&path, "user,work,plays\nann,a,3\n").expect("written");
    let table = read(&file).unwrap();
    assert_eq!((table.source.as_str(), table.users()["ann"]["a"]), ("usage.csv", 3));
    let sparse = File::options().write(true).open(&path).expect("opened");
    sparse.set_len(MAX_FILE_BYTES + 1).expect("lengthened");
    assert!(matches!(read(&file), Err(TableError::FileTooLong(_))));
    let here = UsageFile { path: folder.path().into(), columns: Columns::default() };
    assert!(matches!(read(&here), Err(TableError::Open(..) | TableError::Read(Row { row: 1, .. }, _))));
}
