//! `FilesChanged` payloads as typed values, for the columns of a segment. A payload is taken apart only when putting
//! it together again gives the same bytes; any other stays a payload.
use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The one topic whose payload segments store in columns.
pub const TOPIC: &str = "FilesChanged";

type Text<'a> = Cow<'a, str>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation<'a> {
    #[serde(borrow)]
    pub repo: Text<'a>,
    #[serde(borrow)]
    pub burst: Text<'a>,
    pub part: i64,
    pub parts: i64,
    #[serde(borrow)]
    pub changes: Vec<Change<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub path_b64: Option<Text<'a>>,
    #[serde(borrow)]
    pub kind: Text<'a>,
    #[serde(borrow, rename = "type", default = "file", skip_serializing_if = "is_file")]
    pub entry: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Was<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtime_ns: Option<i64>,
}

/// The former path of a move.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Was<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub path_b64: Option<Text<'a>>,
}

fn file<'a>() -> Text<'a> {
    Cow::Borrowed("file")
}

fn is_file(entry: &str) -> bool {
    entry == "file"
}

impl<'a> Observation<'a> {
    /// The typed form of a payload, or `None` when it would not come back byte for byte.
    pub fn of(payload: &'a [u8]) -> Option<Self> {
        let found: Self = serde_json::from_slice(payload).ok()?;
        let told = |c: &Change<'_>| c.was.as_ref().is_none_or(|w| w.path.is_some() != w.path_b64.is_some());
        (found.changes.iter().all(told) && found.encode() == payload).then_some(found)
    }

    /// The payload.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96 + 128 * self.changes.len());
        if serde_json::to_writer(&mut out, self).is_err() {
            out.clear(); // texts and integers always encode; an empty payload would fail its check
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes_back(payload: &str) -> bool {
        Observation::of(payload.as_bytes()).is_some_and(|o| o.encode() == payload.as_bytes())
    }

    #[test]
    fn a_payload_is_taken_apart_only_if_it_comes_back_the_same() {
        assert!(comes_back(r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[]}"#));
        assert!(comes_back(
            r#"{"repo":"r","burst":"b","part":1,"parts":2,"changes":[{"path":"a\"\\\u0001é","kind":"moved","was":{"path_b64":"/w=="},"size":0,"mode":420,"mtime_ns":-5},{"path_b64":"/w==","kind":"deleted","type":"dir"}],"cause":"git"}"#
        ));
        for other in [
            r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[],"more":1}"#,
            r#"{"burst":"b","repo":"r","part":1,"parts":1,"changes":[]}"#,
            r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[{"path":"a","kind":"created","type":"file"}]}"#,
            r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[{"path":"a","kind":"created","size":99999999999999999999}]}"#,
            r#"{"repo":"r","burst":"b","part":1,"parts":1,"changes":[{"path":"a","kind":"moved","was":{}}]}"#,
            r#"{"repo":"r", "burst":"b","part":1,"parts":1,"changes":[]}"#,
            "{",
        ] {
            assert!(Observation::of(other.as_bytes()).is_none(), "{other}");
        }
    }
}
