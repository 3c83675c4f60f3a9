//! The hash chain of the event log: leaf = BLAKE3(payload), link = BLAKE3(previous link, header, leaf).

use std::collections::HashMap;

use crate::error::{Error, Result};

pub const HASH: usize = 32;
/// Bytes of the length of a header, in the input of a link.
const LENGTH: usize = 8;
pub type Hash = [u8; HASH];

/// Every header field of a record, in the order in which they are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    pub position: i64,
    pub stream: &'a str,
    pub version: i64,
    pub topic: &'a str,
    pub v: i64,
    pub at: i64,
    pub caused_by: Option<i64>,
    pub correlation: i64,
    pub origin: &'a str,
}

impl Header<'_> {
    /// Whether this is no record but stands for a run of records that were folded away: `correlation` is the first
    /// position of the run, `position` the last, and the leaf is the link after it.
    pub fn is_jump(&self) -> bool {
        self.topic.is_empty()
    }

    /// Appends the canonical encoding to `out`: a MessagePack array of the nine fields, each in its shortest form.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(0x99);
        int(out, self.position);
        text(out, self.stream);
        int(out, self.version);
        text(out, self.topic);
        int(out, self.v);
        int(out, self.at);
        match self.caused_by {
            Some(cause) => int(out, cause),
            None => out.push(0xc0),
        }
        int(out, self.correlation);
        text(out, self.origin);
    }
}

fn int(out: &mut Vec<u8>, value: i64) {
    match value {
        -32..=0x7f => out.push(value as u8),
        0x80..=0xff => out.extend([0xcc, value as u8]),
        0x100..=0xffff => tagged(out, 0xcd, &(value as u16).to_be_bytes()),
        0x1_0000..=0xffff_ffff => tagged(out, 0xce, &(value as u32).to_be_bytes()),
        0x1_0000_0000.. => tagged(out, 0xcf, &value.to_be_bytes()),
        -0x80..=-33 => out.extend([0xd0, value as u8]),
        -0x8000..=-0x81 => tagged(out, 0xd1, &(value as i16).to_be_bytes()),
        -0x8000_0000..=-0x8001 => tagged(out, 0xd2, &(value as i32).to_be_bytes()),
        _ => tagged(out, 0xd3, &value.to_be_bytes()),
    }
}

fn text(out: &mut Vec<u8>, value: &str) {
    match value.len() {
        size @ 0..=31 => out.push(0xa0 | size as u8),
        size @ 32..=0xff => out.extend([0xd9, size as u8]),
        size @ 0x100..=0xffff => tagged(out, 0xda, &(size as u16).to_be_bytes()),
        size => tagged(out, 0xdb, &(size as u32).to_be_bytes()),
    }
    out.extend_from_slice(value.as_bytes());
}

fn tagged(out: &mut Vec<u8>, tag: u8, rest: &[u8]) {
    out.push(tag);
    out.extend_from_slice(rest);
}

/// BLAKE3 of a canonical payload.
pub fn leaf(payload: &[u8]) -> Hash {
    *blake3::hash(payload).as_bytes()
}

/// The chain after some record; grows by one record at a time.
pub struct Chain {
    pub link: Hash,
    /// What the next link is the hash of.
    input: Vec<u8>,
}

impl Chain {
    pub fn from(link: Hash) -> Self {
        Self { link, input: Vec::with_capacity(256) }
    }

    /// Links one more record and returns its link. The length of the header is hashed first, so that no two
    /// (header, leaf) pairs share an input. A jump row carries the link that the records it stands for led to.
    pub fn push(&mut self, header: &Header<'_>, leaf: &Hash) -> Hash {
        if header.is_jump() {
            self.link = *leaf;
            return self.link;
        }
        self.input.clear();
        self.input.extend_from_slice(&self.link);
        self.input.extend_from_slice(&[0; LENGTH]);
        header.encode(&mut self.input);
        let length = (self.input.len() - HASH - LENGTH) as u64;
        self.input[HASH..HASH + LENGTH].copy_from_slice(&length.to_le_bytes());
        self.input.extend_from_slice(leaf);
        self.link = *blake3::hash(&self.input).as_bytes();
        self.link
    }
}

/// Who caused what in one append that starts at `first`. `roots`: the correlation of each stored cause.
pub struct Causes {
    pub first: i64,
    pub roots: HashMap<i64, i64>,
    correlations: Vec<i64>,
}

impl Causes {
    pub fn new(first: i64, roots: HashMap<i64, i64>) -> Self {
        Self { first, roots, correlations: Vec::new() }
    }

    /// (position, cause, correlation) of the next record. A negative cause counts back from the record itself.
    pub fn next(&mut self, topic: &str, cause: Option<i64>) -> Result<(i64, Option<i64>, i64)> {
        let position = self.first + self.correlations.len() as i64;
        let cause = cause.map(|c| if c < 0 { position + c } else { c });
        let correlation = match cause {
            None => position,
            Some(c) if c >= self.first && c < position => self.correlations[(c - self.first) as usize],
            Some(c) => *self
                .roots
                .get(&c)
                .filter(|_| c > 0 && c < position)
                .ok_or_else(|| Error::Invalid(format!("{topic} at {position} cannot be caused by {c}")))?,
        };
        self.correlations.push(correlation);
        Ok((position, cause, correlation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header<'static> = Header {
        position: 1,
        stream: "s",
        version: 1,
        topic: "T",
        v: 1,
        at: 5,
        caused_by: None,
        correlation: 1,
        origin: "live",
    };

    #[test]
    fn a_link_changes_with_every_part_of_its_input() {
        let base = Chain::from([0; HASH]).push(&HEADER, &leaf(b"payload"));
        assert_ne!(base, Chain::from([1; HASH]).push(&HEADER, &leaf(b"payload")));
        assert_ne!(base, Chain::from([0; HASH]).push(&HEADER, &leaf(b"payloae")));
        for other in [
            Header { position: 2, ..HEADER },
            Header { stream: "t", ..HEADER },
            Header { version: 2, ..HEADER },
            Header { topic: "U", ..HEADER },
            Header { v: 2, ..HEADER },
            Header { at: 6, ..HEADER },
            Header { caused_by: Some(1), ..HEADER },
            Header { correlation: 2, ..HEADER },
            Header { origin: "self", ..HEADER },
        ] {
            assert_ne!(base, Chain::from([0; HASH]).push(&other, &leaf(b"payload")));
        }
    }

    #[test]
    fn a_jump_row_sets_the_link() {
        let mut chain = Chain::from([1; HASH]);
        assert_eq!(chain.push(&Header { topic: "", ..HEADER }, &[9; HASH]), [9; HASH]);
        assert_eq!(chain.push(&HEADER, &[4; HASH]), Chain::from([9; HASH]).push(&HEADER, &[4; HASH]));
    }

    #[test]
    fn a_cause_is_counted_back_and_must_lie_behind() {
        let mut causes = Causes::new(10, HashMap::from([(4, 2)]));
        assert_eq!(causes.next("T", Some(4)).unwrap(), (10, Some(4), 2));
        assert_eq!(causes.next("T", Some(-1)).unwrap(), (11, Some(10), 2));
        assert_eq!(causes.next("T", None).unwrap(), (12, None, 12));
        for wrong in [0, 13, 20, 5, -13, -20] {
            assert!(causes.next("T", Some(wrong)).is_err(), "{wrong}");
        }
    }
}
