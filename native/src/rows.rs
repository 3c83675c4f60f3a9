//! Events as a segment holds them: one as a view of wherever its bytes are, and many with their bytes side by side.
use crate::{
    chain::{self, Hash, Header},
    error::{Error, Result},
};

/// One event. `payload` is `None` and `leaf` is `Some` once erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    pub header: Header<'a>,
    pub payload: Option<&'a [u8]>,
    pub leaf: Option<&'a [u8]>,
}

impl Row<'_> {
    /// The hash of the payload, or the one that was kept when it was erased. An error unless it is one of the two.
    pub fn leaf_hash(&self) -> Result<Hash> {
        let Header { position, .. } = self.header;
        match (self.payload, self.leaf) {
            (Some(payload), None) => Ok(chain::leaf(payload)),
            (None, Some(kept)) => kept.try_into().map_err(|_| Error::Invalid("a kept leaf has a wrong length".into())),
            (Some(_), Some(_)) => Err(Error::Invalid(format!("position {position} has a payload and a kept leaf"))),
            (None, None) => Err(Error::Invalid(format!("position {position} has neither payload nor leaf"))),
        }
    }
}

/// Rows in order, without an allocation for each. Neighbours share their texts.
#[derive(Default)]
pub struct Rows {
    entries: Vec<Entry>,
    texts: String,
    bytes: Vec<u8>,
}

type Span = (usize, usize);

#[derive(Clone, Copy)]
struct Entry {
    position: i64,
    stream: Span,
    version: i64,
    topic: Span,
    v: i64,
    at: i64,
    caused_by: Option<i64>,
    correlation: i64,
    origin: Span,
    payload: Option<Span>,
    leaf: Option<Span>,
}

impl Rows {
    pub fn push(&mut self, row: &Row<'_>) {
        let Header { position, stream, version, topic, v, at, caused_by, correlation, origin } = row.header;
        let last = self.entries.last().copied();
        let entry = Entry {
            position,
            stream: self.text(stream, last.map(|l| l.stream)),
            version,
            topic: self.text(topic, last.map(|l| l.topic)),
            v,
            at,
            caused_by,
            correlation,
            origin: self.text(origin, last.map(|l| l.origin)),
            payload: row.payload.map(|payload| self.blob(payload)),
            leaf: row.leaf.map(|leaf| self.blob(leaf)),
        };
        self.entries.push(entry);
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Total bytes of payloads and leaves.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Removes the rows and keeps the capacity.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.texts.clear();
        self.bytes.clear();
    }

    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.entries.iter().map(|entry| Row {
            header: Header {
                position: entry.position,
                stream: &self.texts[entry.stream.0..entry.stream.1],
                version: entry.version,
                topic: &self.texts[entry.topic.0..entry.topic.1],
                v: entry.v,
                at: entry.at,
                caused_by: entry.caused_by,
                correlation: entry.correlation,
                origin: &self.texts[entry.origin.0..entry.origin.1],
            },
            payload: entry.payload.map(|(start, end)| &self.bytes[start..end]),
            leaf: entry.leaf.map(|(start, end)| &self.bytes[start..end]),
        })
    }

    fn text(&mut self, text: &str, last: Option<Span>) -> Span {
        match last {
            Some((start, end)) if self.texts[start..end] == *text => (start, end),
            _ => {
                let start = self.texts.len();
                self.texts.push_str(text);
                (start, self.texts.len())
            }
        }
    }

    fn blob(&mut self, blob: &[u8]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(blob);
        (start, self.bytes.len())
    }
}
