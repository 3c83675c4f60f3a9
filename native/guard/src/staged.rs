//! What is staged: each changed blob, what it brings in that no blob before it held.
use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use kairos_secrets::{scan, Confidence, Held};

/// Blobs above this size (bytes) are not read: no source file is so long.
const LARGEST: u64 = 16 << 20;
/// Bytes of all blobs of one commit that are read.
const MOST: u64 = 1 << 30;

/// A value that looks like a credential, in a staged file.
pub struct Found {
    pub path: Vec<u8>,
    pub line: usize,
    pub kind: &'static str,
    pub confidence: Confidence,
}

#[derive(Default)]
pub struct Seen {
    /// Staged files that were read as text, and their bytes.
    pub files: u64,
    pub bytes: u64,
    pub binary: u64,
    /// Files in folders of code of others, in which only tokens of an issuer's form are looked for.
    pub others: u64,
    /// Files that were not read, each with the reason.
    pub skipped: Vec<(Vec<u8>, &'static str)>,
    pub found: Vec<Found>,
}

impl Seen {
    /// Whether a commit is refused: what is unsure only gets a note.
    pub fn refuses(&self) -> bool {
        self.found.iter().any(|f| f.confidence == Confidence::High)
    }
}

struct Change {
    path: Vec<u8>,
    old: String,
    new: String,
}

pub fn look() -> Result<Seen, String> {
    let changes = changes()?;
    let mut seen = Seen::default();
    if changes.is_empty() {
        return Ok(seen);
    }
    let mut blobs = Blobs::start().map_err(|e| format!("git cat-file could not be started ({e})"))?;
    for change in changes {
        look_at(change, &mut blobs, &mut seen).map_err(|e| format!("a staged file could not be read ({e})"))?;
    }
    Ok(seen)
}

fn look_at(change: Change, blobs: &mut Blobs, seen: &mut Seen) -> io::Result<()> {
    let data = match blobs.read(&change.new, MOST - seen.bytes)? {
        Blob::Data(data) => data,
        Blob::Missing => {
            seen.skipped.push((change.path, "its content is not in this clone"));
            return Ok(());
        }
        Blob::Large => {
            seen.skipped.push((change.path, "too large"));
            return Ok(());
        }
    };
    let scanned = scan(&change.path, &data);
    if !scanned.text {
        seen.binary += 1;
        return Ok(());
    }
    seen.files += 1;
    seen.others += u64::from(scanned.others);
    seen.bytes += data.len() as u64;
    if scanned.held.is_empty() {
        return Ok(());
    }
    let before = match blobs.read(&change.old, LARGEST)? {
        Blob::Data(old) => scan(&change.path, &old).held,
        _ => Vec::new(),
    };
    let known: HashSet<&[u8]> = before.iter().map(|h| h.value.as_slice()).collect();
    let fresh: Vec<Held> = scanned.held.into_iter().filter(|h| !known.contains(h.value.as_slice())).collect();
    for Held { kind, line, confidence, .. } in fresh {
        seen.found.push(Found { path: change.path.clone(), line, kind, confidence });
    }
    Ok(())
}

/// git as a reader: it runs no program of the repository, fetches nothing and waits for no lock.
fn git(words: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .args(["--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never"])
        .args(words)
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn output(words: &[&str]) -> Result<Result<Vec<u8>, String>, String> {
    let out = git(words).output().map_err(|e| format!("git could not be started ({e})"))?;
    if out.status.success() {
        return Ok(Ok(out.stdout));
    }
    Ok(Err(String::from_utf8_lossy(&out.stderr).lines().next().unwrap_or("no reason given").to_owned()))
}

/// The staged regular files that differ from HEAD; before the first commit, all of them.
fn changes() -> Result<Vec<Change>, String> {
    let compared = output(&["diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "HEAD", "--"])?;
    if let Ok(raw) = compared {
        return Ok(compared_files(&raw));
    }
    if output(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?.is_ok() {
        return Err("git could not compare the index with HEAD".to_owned());
    }
    match output(&["ls-files", "--stage", "-z"])? {
        Ok(raw) => Ok(first_files(&raw)),
        Err(why) => Err(format!("git could not read the index: {}", crate::shown::shown(why.as_bytes()))),
    }
}

/// `:mode mode old new status NUL path NUL` …
fn compared_files(raw: &[u8]) -> Vec<Change> {
    let mut fields = raw.split(|b| *b == 0);
    let mut out = Vec::new();
    while let (Some(head), Some(path)) = (fields.next(), fields.next()) {
        let head = String::from_utf8_lossy(head);
        let words: Vec<&str> = head.trim_start_matches(':').split(' ').collect();
        if let [_, mode, old, new, _] = words[..] {
            if mode.starts_with("100") {
                out.push(Change { path: path.to_vec(), old: old.to_owned(), new: new.to_owned() });
            }
        }
    }
    out
}

/// `mode oid stage TAB path NUL` …
fn first_files(raw: &[u8]) -> Vec<Change> {
    let mut out = Vec::new();
    for entry in raw.split(|b| *b == 0) {
        let Some(tab) = entry.iter().position(|b| *b == b'\t') else { continue };
        let head = String::from_utf8_lossy(&entry[..tab]);
        let words: Vec<&str> = head.split(' ').collect();
        if let [mode, oid, _] = words[..] {
            if mode.starts_with("100") {
                out.push(Change { path: entry[tab + 1..].to_vec(), old: String::new(), new: oid.to_owned() });
            }
        }
    }
    out
}

enum Blob {
    Data(Vec<u8>),
    Missing,
    Large,
}

struct Blobs {
    child: Child,
    asked: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Blobs {
    fn start() -> io::Result<Self> {
        let mut child =
            git(&["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (asked, answers) = (child.stdin.take().expect("it is a pipe"), child.stdout.take().expect("it is a pipe"));
        Ok(Self { child, asked, answers: BufReader::with_capacity(1 << 16, answers) })
    }

    fn read(&mut self, oid: &str, left: u64) -> io::Result<Blob> {
        if oid.is_empty() || oid.bytes().all(|b| b == b'0') {
            return Ok(Blob::Missing);
        }
        self.asked.write_all(format!("{oid}\n").as_bytes())?;
        self.asked.flush()?;
        let mut head = String::new();
        if self.answers.read_line(&mut head)? == 0 {
            return Err(io::Error::other("git cat-file ended"));
        }
        let words: Vec<&str> = head.trim_end().split(' ').collect();
        let [_, kind, size] = words[..] else { return Ok(Blob::Missing) };
        let size: u64 = size.parse().map_err(io::Error::other)?;
        let mut body = (&mut self.answers).take(size + 1);
        if kind != "blob" || size > LARGEST.min(left) {
            io::copy(&mut body, &mut io::sink())?;
            return Ok(Blob::Large);
        }
        let mut data = Vec::with_capacity(size as usize + 1);
        body.read_to_end(&mut data)?;
        if data.pop() != Some(b'\n') || data.len() as u64 != size {
            return Err(io::Error::other("git cat-file ended early"));
        }
        Ok(Blob::Data(data))
    }
}

impl Drop for Blobs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staged_files_are_read_from_both_lists() {
        let raw = b":100644 100644 aa bb M\0a b.txt\0:000000 120000 00 cc A\0link\0:160000 160000 dd ee M\0sub\0";
        let changes = compared_files(raw);
        assert_eq!(changes.len(), 1);
        assert_eq!(
            (changes[0].path.as_slice(), changes[0].old.as_str(), changes[0].new.as_str()),
            (&b"a b.txt"[..], "aa", "bb")
        );
        let first = first_files(b"100755 aa 0\tx\ty\n\x00120000 bb 0\tlink\x00");
        assert_eq!(first.len(), 1);
        assert_eq!(first[0].path, b"x\ty\n");
    }
}
