//! git's patterns, as far as a table and random bytes can say; git itself is asked in tests/native.
use std::time::{Duration, Instant};

use _native::{ignoring::Rules, ignoring::Tracked, pattern::Pattern};
use proptest::{collection::vec, prelude::*};

/// What wildmatch means, said as plainly as possible; slow.
fn by_the_book(glob: &[u8], text: &[u8], start: bool) -> bool {
    match glob {
        [] => text.is_empty(),
        [b'*', b'*', rest @ ..] if start && rest.is_empty() => true,
        [b'*', b'*', b'/', rest @ ..] if start => {
            let deeper = |place: &usize| text[*place] == b'/' && by_the_book(rest, &text[place + 1..], true);
            by_the_book(rest, text, true) || (0..text.len()).any(|place| deeper(&place))
        }
        [b'*', b'*', rest @ ..] => by_the_book(&[b"*", rest].concat(), text, false),
        [b'*', rest @ ..] => {
            let upto = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=upto).any(|place| by_the_book(rest, &text[place..], false))
        }
        [b'?', rest @ ..] => !text.is_empty() && text[0] != b'/' && by_the_book(rest, &text[1..], false),
        [byte, rest @ ..] => text.first() == Some(byte) && by_the_book(rest, &text[1..], *byte == b'/'),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]
    #[test]
    fn wildcards_mean_what_the_book_says(
        glob in vec(prop::sample::select(b"aab/**?".to_vec()), 0..10),
        text in vec(prop::sample::select(b"aab/".to_vec()), 1..12),
    ) {
        // Three stars and more are two.
        let fewer = String::from_utf8(glob.clone()).unwrap();
        let fewer = (0..9).fold(fewer, |glob, _| glob.replace("***", "**"));
        prop_assert_eq!(Pattern::new(&glob).matches(&text), by_the_book(fewer.as_bytes(), &text, true));
    }

    #[test]
    fn no_bytes_are_too_odd(lines in vec(any::<u8>(), 0..200), path in vec(any::<u8>(), 1..300)) {
        let rules = Rules::parse(&lines);
        let _ = (rules.judge(&path, true), rules.judge(&path, false));
    }

    #[test]
    fn classes_are_never_too_odd(class in vec(prop::sample::select(b"[]!^-\\:ab/".to_vec()), 0..12), byte in any::<u8>()) {
        let _ = Pattern::new(&[b"[", &class[..]].concat()).matches(&[byte]);
    }
}

#[test]
fn a_pattern_that_hangs_a_backtracking_matcher_is_quick() {
    let start = Instant::now();
    let text = b"a/".repeat(2000);
    assert!(!Pattern::new(&[&b"**/*a*".repeat(300)[..], b"b"].concat()).matches(&text));
    assert!(!Pattern::new(&[&b"*a".repeat(300)[..], b"[b]"].concat()).matches(&b"a".repeat(4000)));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn the_last_line_that_matches_decides() {
    let rules = Rules::parse(b"*.o\n!keep.o\n/top\nsub/x\n# c\n\\#c\ndir/\na\\ \nb  \n{a,b}\n");
    let judged = |path: &str, is_dir| rules.judge(path.as_bytes(), is_dir);
    assert_eq!(judged("x/y.o", false), Some(true));
    assert_eq!(judged("x/keep.o", false), Some(false));
    assert_eq!((judged("top", false), judged("x/top", false)), (Some(true), None));
    assert_eq!((judged("sub/x", false), judged("y/sub/x", false)), (Some(true), None));
    assert_eq!((judged("dir", true), judged("dir", false)), (Some(true), None));
    assert_eq!((judged("#c", false), judged("# c", false)), (Some(true), None));
    assert_eq!((judged("a ", false), judged("b", false)), (Some(true), Some(true)));
    assert_eq!((judged("{a,b}", false), judged("a", false)), (Some(true), None));
}

#[test]
fn a_directory_is_tracked_if_it_leads_to_a_tracked_path() {
    let tracked = Tracked::new(["a/b/c", "a-b", "ab/x"].map(|path| path.as_bytes().to_vec()));
    assert!(tracked.holds(b"a", true) && tracked.holds(b"a/b", true) && tracked.holds(b"a/b/c", false));
    assert!(!tracked.holds(b"a", false) && !tracked.holds(b"a/b/c/d", true) && !tracked.holds(b"b", true));
}
