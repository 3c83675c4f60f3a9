//! Packed listings: what goes in comes out, and nothing else is taken for one.
use _native::listing::{diff, pack, unpack, Entry, Kind, Stat};
use proptest::{collection::btree_map, collection::vec, prelude::*};

fn any_stat() -> impl Strategy<Value = Stat> {
    let kind = prop_oneof![Just(Kind::File), Just(Kind::Dir), Just(Kind::Symlink)];
    let numbers = (any::<u64>(), any::<u64>(), any::<i64>(), any::<i64>());
    (kind, 0..=0o7777u16, numbers).prop_map(|(kind, mode, (ino, size, mtime_ns, ctime_ns))| Stat {
        kind,
        mode,
        ino,
        size,
        mtime_ns,
        ctime_ns,
    })
}

fn any_listing() -> impl Strategy<Value = Vec<Entry>> {
    let byte = any::<u8>().prop_filter("no name holds it", |byte| !matches!(byte, 0 | b'/'));
    let name = vec(prop_oneof![Just(b'a'), Just(b'b'), byte], 1..40);
    let name = name.prop_filter("no entry", |name| name != b"." && name != b"..");
    btree_map(name, any_stat(), 0..20).prop_map(|all| {
        let entry = |(name, stat): (Vec<u8>, Stat)| Entry { name: name.into_boxed_slice(), stat };
        all.into_iter().map(entry).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn every_listing_comes_back(entries in any_listing()) {
        prop_assert_eq!(unpack(&pack(&entries)).unwrap(), entries);
    }

    #[test]
    fn garbage_is_refused_or_is_a_listing_in_its_one_form(bytes in vec(any::<u8>(), 0..200)) {
        let bytes = [&[1][..], &bytes].concat();
        if let Ok(entries) = unpack(&bytes) {
            prop_assert_eq!(pack(&entries), bytes);
        }
    }

    #[test]
    fn a_listing_with_one_byte_changed_is_refused_or_in_its_one_form(
        entries in any_listing(), place in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = pack(&entries);
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(entries) = unpack(&bytes) {
            prop_assert_eq!(pack(&entries), bytes);
        }
    }

    #[test]
    fn a_listing_that_is_cut_is_refused(entries in any_listing(), place in any::<prop::sample::Index>()) {
        let bytes = pack(&entries);
        prop_assert!(unpack(&bytes[..place.index(bytes.len())]).is_err());
    }

    #[test]
    fn the_difference_leads_from_one_listing_to_the_other(old in any_listing(), new in any_listing()) {
        let mut state: std::collections::BTreeMap<_, _> = old.iter().map(|e| (e.name.clone(), e.stat)).collect();
        for one in diff(Some(&pack(&old)), Some(&pack(&new))).unwrap() {
            prop_assert_eq!(state.get(&one.name).copied(), one.old);
            match one.new {
                Some(stat) => state.insert(one.name, stat),
                None => state.remove(&one.name),
            };
        }
        for Entry { name, stat } in &new {
            prop_assert!(!state.remove(name).unwrap().differs(stat));
        }
        prop_assert!(state.is_empty());
    }
}

#[test]
fn a_false_count_reserves_no_memory() {
    let huge = [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    assert!(unpack(&huge).is_err());
    assert!(unpack(&[]).is_err());
}

#[test]
fn a_checkout_takes_about_25_bytes_an_entry() {
    let entries: Vec<Entry> = (0..500u32)
        .map(|n| Entry {
            name: format!("module_with_name_{:03}_{n}.py", n * 7 % 500).into_bytes().into_boxed_slice(),
            stat: Stat {
                kind: Kind::File,
                mode: 0o644,
                ino: 7_000_000 + u64::from(n * 13 % 500),
                size: u64::from(n) * 97,
                mtime_ns: 1_790_000_000_000_000_000 + i64::from(n) * 40_000,
                ctime_ns: 1_790_000_000_000_000_000 + i64::from(n) * 40_000,
            },
        })
        .collect();
    let mut sorted = entries;
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(pack(&sorted).len() / sorted.len() < 30, "{}", pack(&sorted).len() / sorted.len());
}
