use super::*;
use proptest::prelude::*;

fn comes_back(payload: &str) -> bool {
    let mut again = Vec::new();
    Observation::of(payload.as_bytes()).is_some_and(|o| {
        o.encode(&mut again);
        again == payload.as_bytes()
    })
}

const SHA_TEXT: &str = "00ff0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab";

#[test]
fn a_payload_is_taken_apart_if_it_comes_back_the_same() {
    assert!(comes_back(r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[]}"#));
    assert!(comes_back(
        r#"{"repo":"r","burst":"b","part":1,"parts":2,"changes":[{"path":"a\"\\\u0001\n\b\f\r\té🦉","kind":"moved","was":{"path_b64":"/w=="},"size":0,"mode":420,"mtime_ns":-5},{"path_b64":"/w==","kind":"deleted","type":"dir"},{"kind":"x"}],"cause":"git"}"#
    ));
    assert!(comes_back(&format!(
        r#"{{"repo":"r","burst":"b","part":1,"parts":1,"changes":[{{"path":"a","path_b64":"b","kind":"created","sha":"{SHA_TEXT}"}}]}}"#
    )));
}

#[test]
fn any_other_form_stays_a_payload() {
    for other in [
        r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[],"more":1}"#,
        r#"{"burst":"b","repo":"r","part":1,"parts":1,"changes":[]}"#,
        r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[{"path":"a","kind":"created","type":"file"}]}"#,
        r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[{"path":"a","kind":"created","type":"file","size":1}]}"#,
        r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[{"path":"a","kind":"created","size":99999999999999999999}]}"#,
        r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[{"path":"a","kind":"moved","was":{}}]}"#,
        r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[{"path":"a","kind":"created","sha":"00FF"}]}"#,
        r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[,]}"#,
        r#"{"repo":"r","burst":"b","part":01,"parts":1,"changes":[]}"#,
        r#"{"repo":"r","burst":"b","part":-0,"parts":1,"changes":[]}"#,
        r#"{"repo":"r","burst":"b","part":1-,"parts":1,"changes":[]}"#,
        r#"{"repo":"\u0041","burst":"b","part":1,"parts":1,"changes":[]}"#,
        r#"{"repo":"\u000a","burst":"b","part":1,"parts":1,"changes":[]}"#,
        r#"{"repo":"\/","burst":"b","part":1,"parts":1,"changes":[]}"#,
        r#"{"repo":"\ud800","burst":"b","part":1,"parts":1,"changes":[]}"#,
        r#"{"repo":"r", "burst":"b","part":1,"parts":1,"changes":[]}"#,
        "{\"repo\":\"r\u{1}\",\"burst\":\"b\",\"part\":1,\"parts\":1,\"changes\":[]}",
        r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[]}x"#,
        r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[]"#,
        "{\"repo\":\"",
        "{",
        "",
    ] {
        assert!(Observation::of(other.as_bytes()).is_none(), "{other}");
    }
}

const WHOLE: &str = r#"{"repo":"r","burst":"b","part":1,"parts":2,"changes":[{"path":"a\né","kind":"moved","type":"dir","was":{"path":"w"},"size":10,"mode":420,"mtime_ns":-5,"sha":"00ff0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"}],"cause":"git"}"#;

proptest! {
    #[test]
    fn whatever_is_taken_apart_comes_back(at in 0..WHOLE.len(), with in prop::sample::select(b"\"\\{}[]:,019-abe u\n".to_vec())) {
        let mut payload = WHOLE.as_bytes().to_vec();
        payload[at] = with;
        if let Some(found) = Observation::of(&payload) {
            let mut again = Vec::new();
            found.encode(&mut again);
            prop_assert_eq!(again, payload);
        }
    }
}
