use super::*;
use crate::{observation::TOPIC, sealing::write};
use proptest::prelude::*;

fn everything() -> Wanted {
    Wanted { after: 0, upto: i64::MAX, limit: usize::MAX, topics: HashSet::new() }
}

fn row(position: i64, payload: Option<Vec<u8>>, caused_by: Option<i64>) -> Row {
    let leaf = payload.is_none().then(|| vec![7; 32]);
    Row {
        position,
        stream: format!("s{}", position % 3).into(),
        version: position,
        topic: if position % 2 == 0 { TOPIC } else { "Odd" }.into(),
        v: 1,
        at: 1_700_000_000_000_000 + position,
        caused_by,
        correlation: position,
        origin: "live".into(),
        payload,
        leaf,
    }
}

fn observed() -> impl Strategy<Value = Vec<u8>> {
    let change = (
        prop::option::of("[a-zé/]{1,9}"),
        prop::option::of("[A-Z=]{1,4}"),
        prop::sample::select(vec!["created", "modified", "moved"]),
        prop::sample::select(vec!["file", "dir"]),
        prop::option::of("[a-z\"\\\\]{1,4}"),
        (prop::option::of(any::<i64>()), prop::option::of(0i64..512), prop::option::of(any::<i64>())),
    );
    let changes = prop::collection::vec(change, 0..5);
    (changes, prop::option::of(Just("git"))).prop_map(|(changes, cause)| {
        let changes = changes
            .into_iter()
            .map(|(path, path_b64, kind, entry, was, (size, mode, mtime_ns))| Change {
                path: path.map(Cow::Owned),
                path_b64: path_b64.map(Cow::Owned),
                kind: kind.into(),
                entry: entry.into(),
                was: was.map(|w| Was { path: Some(Cow::Owned(w)), path_b64: None }),
                size,
                mode,
                mtime_ns,
            })
            .collect();
        let cause = cause.map(Cow::Borrowed);
        Observation { repo: "r".into(), burst: "b".into(), part: 1, parts: 2, changes, cause }.encode()
    })
}

proptest! {
    #[test]
    fn rows_come_back_as_they_went_in(
        parts in prop::collection::vec(
            (prop::option::of(prop_oneof![observed(), prop::collection::vec(any::<u8>(), 0..60)]),
             prop::option::of(1i64..9)), 1..120)
    ) {
        let rows: Vec<Row> =
            parts.into_iter().enumerate().map(|(i, (payload, cause))| row(i as i64 + 1, payload, cause)).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.parquet");
        write(&path, &rows).unwrap();
        let found = read(&path, &everything()).unwrap();
        prop_assert_eq!(&found.rows, &rows);
        let mut chain = Chain::from([3; 32]);
        for row in &rows {
            chain.push(&row.header(), &row.leaf_hash().unwrap());
        }
        prop_assert_eq!(link(&path, [3; 32], i64::MAX).unwrap(), chain.link);
    }
}

#[test]
fn a_range_a_topic_and_a_limit_select_rows() {
    let rows: Vec<Row> = (1..=20_000).map(|p| row(p, Some(vec![b'x'; 5]), None)).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.parquet");
    write(&path, &rows).unwrap();
    let wanted = Wanted { after: 9_000, upto: 9_010, limit: 3, topics: HashSet::from(["Odd".to_owned()]) };
    let found = read(&path, &wanted).unwrap();
    assert_eq!(found.rows.iter().map(|r| r.position).collect::<Vec<_>>(), [9_001, 9_003, 9_005]);
    assert_eq!(found.scanned, 9_005);
}

#[test]
fn pieces_end_at_row_groups_and_make_the_whole() {
    let rows: Vec<Row> = (1..=20_000).map(|p| row(p, Some(vec![b'x'; 5]), None)).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.parquet");
    write(&path, &rows).unwrap();
    let (mut seen, mut after, mut sizes) = (Vec::new(), 0, Vec::new());
    while after < 20_000 {
        let found = read(&path, &Wanted { after, upto: 20_000, limit: GROUP, topics: HashSet::new() }).unwrap();
        sizes.push(found.rows.len());
        seen.extend(found.rows);
        after = found.scanned;
    }
    assert_eq!(sizes, [GROUP, GROUP, 20_000 - 2 * GROUP]);
    assert!(seen == rows);
}

#[test]
fn garbage_is_an_error_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.parquet");
    std::fs::write(&path, b"PAR1 not really PAR1").unwrap();
    assert!(read(&path, &everything()).is_err());
}
