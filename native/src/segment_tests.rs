use super::*;
use crate::{
    chain::Header,
    foreign,
    observation::{Change, Name, Observation, TOPIC},
    rows::Row,
    sealing::Writer,
};
use proptest::prelude::*;
use std::path::PathBuf;

fn everything() -> Wanted {
    Wanted { after: 0, upto: i64::MAX, topics: HashSet::new() }
}

/// A row with bytes of its own.
#[derive(Clone, Debug, PartialEq)]
struct Kept {
    position: i64,
    stream: String,
    topic: String,
    caused_by: Option<i64>,
    correlation: i64,
    origin: &'static str,
    payload: Option<Vec<u8>>,
    leaf: Option<Vec<u8>>,
}

impl Kept {
    fn of(row: &Row<'_>) -> Self {
        let Header { position, stream, version, topic, v, at, caused_by, correlation, origin } = row.header;
        assert_eq!((version, v, at), (position, 1, 1_700_000_000_000_000 + position));
        let origin = if origin == foreign::ORIGIN { foreign::ORIGIN } else { "live" };
        let (payload, leaf) = (row.payload.map(<[u8]>::to_vec), row.leaf.map(<[u8]>::to_vec));
        Self { position, stream: stream.into(), topic: topic.into(), caused_by, correlation, origin, payload, leaf }
    }

    fn row(&self) -> Row<'_> {
        let header = Header {
            position: self.position,
            stream: &self.stream,
            version: self.position,
            topic: &self.topic,
            v: 1,
            at: 1_700_000_000_000_000 + self.position,
            caused_by: self.caused_by,
            correlation: self.correlation,
            origin: self.origin,
        };
        Row { header, payload: self.payload.as_deref(), leaf: self.leaf.as_deref() }
    }
}

fn open(path: &Path, wanted: Wanted) -> Result<Reader> {
    Reader::new(Opened::new(path)?, wanted)
}

fn read(path: &Path, wanted: Wanted, limit: usize) -> Result<Vec<Kept>> {
    let mut reader = open(path, wanted)?;
    let mut rows: Vec<Kept> = Vec::new();
    loop {
        let before = rows.len();
        let found = reader.visit(limit, |row| {
            rows.push(Kept::of(row));
            Ok(())
        })?;
        assert_eq!(found, rows.len() - before);
        if found == 0 {
            return Ok(rows);
        }
        assert!(found <= limit && rows.last().map(|r| r.position) <= Some(reader.scanned()));
    }
}

fn fill(writer: &mut Writer, rows: &[Kept]) -> Result<u64> {
    for row in rows {
        if writer.push(&row.row()) {
            writer.flush()?;
        }
    }
    writer.finish()
}

fn written(rows: &[Kept]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.parquet");
    let size = fill(&mut Writer::new(&path).unwrap(), rows).unwrap();
    assert_eq!(size, std::fs::metadata(&path).unwrap().len());
    (folder, path)
}

fn row(position: i64, payload: Option<Vec<u8>>, caused_by: Option<i64>) -> Kept {
    let leaf = payload.is_none().then(|| vec![7; 32]);
    let topic = if position % 2 == 0 { TOPIC } else { "Odd" }.into();
    let (stream, origin) = (format!("s{}", position % 3), if position % 5 == 0 { foreign::ORIGIN } else { "live" });
    Kept { position, stream, topic, caused_by, correlation: position, origin, payload, leaf }
}

fn rows(count: i64) -> Vec<Kept> {
    (1..=count).map(|p| row(p, Some(vec![b'x'; 5]), None)).collect()
}

fn observed() -> impl Strategy<Value = Vec<u8>> {
    let name = (prop::option::of("[a-zé/\n]{1,9}"), prop::option::of("[A-Z=]{1,4}"))
        .prop_map(|(path, path_b64)| Name { path: path.map(Into::into), path_b64: path_b64.map(Into::into) });
    let change = (
        name,
        prop::sample::select(vec!["created", "modified", "moved"]),
        prop::sample::select(vec!["file", "dir"]),
        prop::option::of("[a-z\"\\\\]{1,4}"),
        (prop::option::of(any::<i64>()), prop::option::of(0i64..512), prop::option::of(any::<i64>())),
        prop::option::of(any::<[u8; 32]>()),
    );
    let changes = prop::collection::vec(change, 0..5);
    (changes, prop::option::of(Just("git"))).prop_map(|(changes, cause)| {
        let changes = changes.into_iter().map(|(name, kind, entry, was, (size, mode, mtime_ns), sha)| Change {
            name,
            kind: kind.into(),
            entry: entry.into(),
            was: was.map(|w| Name { path: Some(w.into()), path_b64: None }),
            size,
            mode,
            mtime_ns,
            sha,
        });
        let changes = changes.collect();
        let mut payload = Vec::new();
        let (repo, burst, cause) = ("r".into(), "b".into(), cause.map(Into::into));
        Observation { repo, burst, part: 1, parts: 2, changes, cause }.encode(&mut payload);
        payload
    })
}

fn many() -> impl Strategy<Value = Vec<Kept>> {
    let texts = prop::sample::select(vec!["\"61\"", "\"", "\"\"", "{}", "[1]", "null", "1e999", "\"\\ud800\""]);
    let any_bytes = prop::collection::vec(any::<u8>(), 0..60);
    let payload = prop::option::of(prop_oneof![observed(), any_bytes, texts.prop_map(|text| text.into())]);
    prop::collection::vec((payload, prop::option::of(1i64..9)), 1..120).prop_map(|parts| {
        parts.into_iter().enumerate().map(|(i, (payload, cause))| row(i as i64 + 1, payload, cause)).collect()
    })
}

proptest! {
    #[test]
    fn rows_come_back_as_they_went_in(rows in many(), limit in 1usize..50, after in 0i64..120, upto in 0i64..120) {
        let (_folder, path) = written(&rows);
        prop_assert_eq!(&read(&path, everything(), limit).unwrap(), &rows);
        let wanted = Wanted { after, upto, topics: HashSet::from([TOPIC.to_owned()]) };
        let among = |r: &&Kept| r.position > after && r.position <= upto && &*r.topic == TOPIC;
        let some: Vec<Kept> = rows.iter().filter(among).cloned().collect();
        prop_assert_eq!(read(&path, wanted, limit).unwrap(), some);
        let mut chain = Chain::from([3; 32]);
        for row in &rows {
            chain.push(&row.row().header, &row.row().leaf_hash().unwrap());
        }
        let walked = walk(&path, [3; 32], i64::MAX).unwrap();
        let digest = *blake3::hash(&std::fs::read(&path).unwrap()).as_bytes();
        prop_assert_eq!(walked, Walked { rows: rows.len(), link: chain.link, runs: vec![], digest });
    }

    #[test]
    fn a_damaged_file_does_not_pass_the_walk_or_tells_the_same_rows_to_every_question(
        rows in many(), at in 0.0..1.0, with in 1u8.., limit in 1usize..50, after in -1i64..120, upto in 0i64..120,
    ) {
        let (_folder, path) = written(&rows);
        let whole = walk(&path, [3; 32], i64::MAX).unwrap();
        let mut content = std::fs::read(&path).unwrap();
        let at = (at * content.len() as f64) as usize;
        content[at] ^= with;
        std::fs::write(&path, &content).unwrap();
        let walked = walk(&path, [3; 32], i64::MAX);
        prop_assert!(!walked.as_ref().is_ok_and(|walked| walked.digest == whole.digest));
        if walked.is_ok_and(|walked| (walked.rows, walked.link) == (whole.rows, whole.link)) {
            prop_assert_eq!(&read(&path, everything(), limit).unwrap(), &rows);
            let wanted = Wanted { after, upto, topics: HashSet::from([TOPIC.to_owned()]) };
            let among = |r: &&Kept| r.position > after && r.position <= upto && &*r.topic == TOPIC;
            let some: Vec<Kept> = rows.iter().filter(among).cloned().collect();
            prop_assert_eq!(read(&path, wanted, limit).unwrap(), some);
        } else {
            let _ = read(&path, everything(), limit);
        }
        std::fs::write(&path, &content[..at]).unwrap();
        prop_assert!(walk(&path, [3; 32], i64::MAX).is_err());
    }
}

#[test]
fn a_range_a_topic_and_a_limit_select_rows() {
    let (_folder, path) = written(&rows(50_000));
    let wanted = Wanted { after: 39_000, upto: 39_010, topics: HashSet::from(["Odd".to_owned()]) };
    let mut reader = open(&path, wanted).unwrap();
    let mut next = || {
        let mut positions = Vec::new();
        let take = |row: &Row<'_>| {
            positions.push(row.header.position);
            Ok(())
        };
        reader.visit(4, take).unwrap();
        (positions, reader.scanned())
    };
    assert_eq!(next(), (vec![39_001, 39_003], 39_004));
    assert_eq!(next(), (vec![39_005, 39_007], 39_008));
    assert_eq!(next(), (vec![39_009], 39_010));
    assert_eq!(next(), (vec![], 39_010));
}

#[test]
fn pieces_cross_row_groups_and_make_the_whole() {
    let rows = rows(100_000);
    let (_folder, path) = written(&rows);
    for limit in [1_000, 7_777, usize::MAX] {
        assert!(read(&path, everything(), limit).unwrap() == rows);
    }
    for after in [0, 1, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 98_303, 98_304, 98_305, 99_999, 100_000] {
        for upto in [after, after + 1, after + 2, after + 40_000] {
            let wanted = Wanted { after, upto, ..everything() };
            let last = (upto as usize).min(rows.len());
            assert!(read(&path, wanted, usize::MAX).unwrap() == rows[after as usize..last], "{after}..{upto}");
        }
    }
}

#[test]
fn what_the_statistics_of_a_file_say_hides_no_row() {
    let first = 0x0102_0304_0506_0700_i64;
    let rows: Vec<Kept> = (0..70_000).map(|i| row(first + i, Some(vec![b'x'; 5]), None)).collect();
    let (_folder, path) = written(&rows);
    let mut content = std::fs::read(&path).unwrap();
    let mut lies = 0;
    for i in 0..content.len() - 8 {
        let said = i64::from_le_bytes(content[i..i + 8].try_into().unwrap());
        if (first..first + 70_000).contains(&said) {
            content[i..i + 8].copy_from_slice(&(if lies % 2 == 0 { i64::MIN } else { i64::MAX }).to_le_bytes());
            lies += 1;
        }
    }
    assert!(lies >= 6, "the least and the greatest position of three row groups");
    std::fs::write(&path, &content).unwrap();
    for after in [0, first, first + 40_000] {
        let some = rows.iter().filter(|row| row.position > after);
        assert!(read(&path, Wanted { after, ..everything() }, usize::MAX).unwrap().iter().eq(some), "{after}");
    }
}

#[test]
fn a_file_that_is_written_to_while_it_is_read_is_an_error_and_one_that_lost_its_name_is_none() {
    let rows = rows(9);
    let (_folder, path) = written(&rows);
    let opened = Opened::new(&path).unwrap();
    let digest = opened.digest().unwrap();
    let mut reader = Reader::new(opened.again().unwrap(), everything()).unwrap();
    assert_eq!(reader.visit(4, |_| Ok(())).unwrap(), 4);
    let kept = path.with_extension("kept");
    std::fs::rename(&path, &kept).unwrap();
    assert_eq!(reader.visit(1, |_| Ok(())).unwrap(), 1);
    let mut content = std::fs::read(&kept).unwrap();
    content.push(0);
    std::fs::write(&kept, &content).unwrap();
    assert!(reader.visit(1, |_| Ok(())).is_err());
    assert_ne!(opened.digest().unwrap(), digest);
    assert_eq!(Opened::new(&kept).unwrap().stamp(), None, "the next write may carry the same time");
}

#[test]
fn a_row_with_a_payload_and_a_kept_leaf_does_not_pass_the_walk() {
    let mut rows = rows(9);
    rows[4].leaf = Some(vec![7; 32]);
    let (_folder, path) = written(&rows);
    assert!(walk(&path, [3; 32], i64::MAX).is_err());
}

#[test]
fn an_observation_of_more_changes_than_a_row_group_has_lines_comes_back() {
    let change = Change {
        name: Name { path: Some("a".into()), path_b64: None },
        kind: "created".into(),
        entry: "file".into(),
        was: None,
        size: Some(1),
        mode: None,
        mtime_ns: None,
        sha: None,
    };
    let mut rows = rows(5);
    let mut payload = Vec::new();
    let (repo, burst, changes) = ("r".into(), "b".into(), vec![change; 70_000]);
    Observation { repo, burst, part: 1, parts: 1, changes, cause: None }.encode(&mut payload);
    rows[1].payload = Some(payload);
    let (_folder, path) = written(&rows);
    for limit in [1, 2, usize::MAX] {
        assert!(read(&path, everything(), limit).unwrap() == rows);
    }
}

#[test]
fn a_jump_row_is_a_run_and_sets_the_link() {
    let mut rows = rows(9);
    let jump = Kept { topic: "".into(), payload: None, leaf: Some(vec![9; 32]), correlation: 4, ..rows[5].clone() };
    rows.splice(3..6, [jump]);
    let (_folder, path) = written(&rows);
    assert!(read(&path, everything(), 100).unwrap() == rows);
    let before = walk(&path, [3; 32], 3).unwrap().link;
    let walked = walk(&path, [3; 32], i64::MAX).unwrap();
    assert_eq!(walked.runs, [Run { first: 4, last: 6, before, after: [9; 32] }]);
    assert_eq!(walked.rows, 7);
    assert_eq!(walk(&path, [3; 32], 6).unwrap().link, [9; 32]);
    let mut chain = Chain::from([9; 32]);
    for row in &rows[4..] {
        chain.push(&row.row().header, &row.row().leaf_hash().unwrap());
    }
    assert_eq!(walked.link, chain.link);
}

#[test]
fn positions_that_do_not_follow_one_another_are_an_error() {
    let mut rows = rows(9);
    rows.remove(4);
    let (_folder, path) = written(&rows);
    assert!(walk(&path, [3; 32], i64::MAX).is_err());
    assert!(walk(&path, [3; 32], 4).is_ok());
}

#[test]
fn garbage_is_an_error_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.parquet");
    std::fs::write(&path, b"PAR1 not really PAR1").unwrap();
    assert!(read(&path, everything(), 1).is_err());
    assert!(open(&folder.path().join("none"), everything()).is_err());
}

#[test]
fn a_full_disk_is_an_error() {
    assert!(Writer::new(Path::new("/dev/full")).and_then(|mut writer| fill(&mut writer, &rows(9))).is_err());
}

#[test]
fn the_first_layout_is_still_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layout-1.parquet");
    let mut found = 0;
    let mut reader = open(&path, everything()).unwrap();
    while let rows @ 1.. = reader.visit(3, |_| Ok(())).unwrap() {
        found += rows;
    }
    assert_eq!(found, 12);
    let link = walk(&path, [0; 32], i64::MAX).unwrap().link;
    assert_eq!(link.iter().map(|b| format!("{b:02x}")).collect::<String>(), include_str!("../tests/layout-1.link"));
}

#[test]
fn whoever_takes_rows_may_stop_and_its_error_is_told() {
    let (_folder, path) = written(&rows(9));
    let mut seen = 0;
    let stopped = open(&path, everything()).unwrap().visit(9, |row| {
        seen = row.header.position;
        if seen < 4 {
            Ok(())
        } else {
            Err(Error::Invalid("enough".into()))
        }
    });
    assert!(matches!(stopped, Err(Error::Invalid(why)) if why == "enough"));
    assert_eq!(seen, 4);
}
