//! What was seen, for a person and for a program.
use std::fmt::Write;

use kairos_secrets::{label, Confidence};
use serde::Serialize;

use crate::shown::shown;
use crate::staged::{Found, Seen};

const LISTED: usize = 20;

#[derive(Serialize)]
struct FoundRecord {
    path: String,
    line: usize,
    kind: &'static str,
    label: &'static str,
    confidence: &'static str,
}

#[derive(Serialize)]
struct SkippedRecord {
    path: String,
    why: &'static str,
}

#[derive(Serialize)]
struct SeenRecord {
    files: u64,
    bytes: u64,
    binary: u64,
    others: u64,
    skipped: Vec<SkippedRecord>,
    found: Vec<FoundRecord>,
    refuses: bool,
}

pub fn as_json(seen: &Seen) -> String {
    let record = SeenRecord {
        files: seen.files,
        bytes: seen.bytes,
        binary: seen.binary,
        others: seen.others,
        skipped: seen.skipped.iter().map(|(path, why)| SkippedRecord { path: shown(path), why }).collect(),
        found: seen
            .found
            .iter()
            .map(|f| FoundRecord {
                path: shown(&f.path),
                line: f.line,
                kind: f.kind,
                label: label(f.kind),
                confidence: f.confidence.name(),
            })
            .collect(),
        refuses: seen.refuses(),
    };
    serde_json::to_string(&record).expect("a record of texts and numbers")
}

pub fn as_text(seen: &Seen) -> String {
    let mut out = String::new();
    let (sure, unsure): (Vec<&Found>, Vec<&Found>) = seen.found.iter().partition(|f| f.confidence == Confidence::High);
    if !sure.is_empty() {
        let what = if sure.len() == 1 { "a value looks like a credential" } else { "values look like credentials" };
        let _ = writeln!(out, "kairos guard: {what}; nothing was committed:");
        list(&mut out, &sure);
        out.push_str(
            "Take it out of the file and stage the file again (git add); rotate it if it was ever shared.\n\
             If a line holds no secret, write kairos:allow in a comment on it.\n\
             Commit without this check: git commit --no-verify\n",
        );
    }
    if !unsure.is_empty() {
        out.push_str("kairos guard: these may be credentials; that is not sure enough to refuse the commit:\n");
        list(&mut out, &unsure);
    }
    let _ = writeln!(
        out,
        "kairos guard: looked at {} staged {}, {} {}{}{}",
        seen.files,
        if seen.files == 1 { "file" } else { "files" },
        seen.bytes,
        if seen.bytes == 1 { "byte" } else { "bytes" },
        if seen.found.is_empty() { ": no credential found" } else { "" },
        left_out(seen),
    );
    out
}

fn left_out(seen: &Seen) -> String {
    let mut out = String::new();
    if seen.binary > 0 {
        let _ = write!(out, "; {} binary not looked at", seen.binary);
    }
    if seen.others > 0 {
        let _ = write!(out, "; {} in folders of others' code, looked at for tokens of a known form only", seen.others);
    }
    for (path, why) in seen.skipped.iter().take(LISTED) {
        let _ = write!(out, "; {} not looked at: {why}", shown(path));
    }
    if seen.skipped.len() > LISTED {
        let _ = write!(out, "; {} more not looked at", seen.skipped.len() - LISTED);
    }
    out
}

fn list(out: &mut String, found: &[&Found]) {
    for f in found.iter().take(LISTED) {
        let _ = writeln!(out, "  {}:{}  {}", shown(&f.path), f.line, label(f.kind));
    }
    if found.len() > LISTED {
        let _ = writeln!(out, "  and {} more", found.len() - LISTED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(confidence: Confidence) -> Seen {
        let found = vec![Found { path: b"a\x1b[2J.env".to_vec(), line: 3, kind: "aws-access-key", confidence }];
        Seen { files: 2, bytes: 40, found, ..Seen::default() }
    }

    #[test]
    fn what_is_sure_refuses_and_says_what_to_do() {
        let text = as_text(&seen(Confidence::High));
        assert!(text.contains("a\\u001b[2J.env:3  AWS key"), "{text}");
        assert!(text.contains("--no-verify") && text.contains("2 staged files, 40 bytes"));
        assert!(seen(Confidence::High).refuses());
    }

    #[test]
    fn what_is_unsure_only_gets_a_note() {
        assert!(!seen(Confidence::Medium).refuses());
        assert!(as_text(&seen(Confidence::Medium)).contains("not sure enough"));
    }

    #[test]
    fn a_clean_answer_says_what_was_looked_at() {
        let clean = Seen { files: 1, bytes: 7, binary: 2, ..Seen::default() };
        assert_eq!(
            as_text(&clean),
            "kairos guard: looked at 1 staged file, 7 bytes: no credential found; 2 binary not looked at\n"
        );
        let vendored = Seen { files: 3, bytes: 7, others: 2, ..Seen::default() };
        assert!(
            as_text(&vendored).contains("; 2 in folders of others' code, looked at for tokens of a known form only")
        );
    }
}
