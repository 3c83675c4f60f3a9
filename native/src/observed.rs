//! Observations of a segment put together again from their columns.
use std::{borrow::Cow, ops::Range};

use parquet::data_type::ByteArray;

use crate::{
    columns::{self as c, damaged, Outcome, Values},
    observation::{self, Change, Name},
};

/// The columns of a stretch's observations. `entries`: which entries are those of a line, where changes are a list.
pub struct Observed {
    pub repos: Values<ByteArray>,
    pub bursts: Values<ByteArray>,
    pub causes: Values<ByteArray>,
    pub part: Values<i64>,
    pub parts: Values<i64>,
    pub entries: Option<Vec<Range<usize>>>,
    pub kinds: Values<ByteArray>,
    pub paths: Values<ByteArray>,
    pub paths_b64: Values<ByteArray>,
    pub types: Values<ByteArray>,
    pub was: Values<ByteArray>,
    pub was_b64: Values<ByteArray>,
    pub sizes: Values<i64>,
    pub modes: Values<i64>,
    pub times: Values<i64>,
    pub shas: Values<ByteArray>,
}

impl Observed {
    /// Puts the payload of the event in these lines together again; false if it was not taken apart.
    pub fn payload(&self, event: &Range<usize>, out: &mut Vec<u8>) -> Outcome<bool> {
        let i = event.start;
        let Some(repo) = self.repos.text(i)? else { return Ok(false) };
        let entries = match &self.entries {
            Some(entries) => entries[i].clone(),
            None if self.kinds.get(i)?.is_none() => 0..0,
            None => event.clone(),
        };
        out.clear();
        let burst = c::utf8(self.bursts.need(i)?)?;
        observation::begin(out, repo, burst, *self.part.need(i)?, *self.parts.need(i)?);
        for e in entries.clone() {
            let was = name(&self.was, &self.was_b64, e)?;
            let change = Change {
                name: name(&self.paths, &self.paths_b64, e)?,
                kind: c::utf8(self.kinds.need(e)?)?.into(),
                entry: c::utf8(self.types.need(e)?)?.into(),
                was: (was != Name::default()).then_some(was),
                size: self.sizes.get(e)?.copied(),
                mode: self.modes.get(e)?.copied(),
                mtime_ns: self.times.get(e)?.copied(),
                sha: match self.shas.blob(e)? {
                    Some(sha) => Some(sha.try_into().map_err(|_| damaged("a content hash has a wrong length"))?),
                    None => None,
                },
            };
            change.encode(out, e == entries.start);
        }
        observation::end(out, self.causes.text(i)?);
        Ok(true)
    }
}

fn name<'a>(paths: &'a Values<ByteArray>, coded: &'a Values<ByteArray>, place: usize) -> Outcome<Name<'a>> {
    Ok(Name { path: paths.text(place)?.map(Cow::Borrowed), path_b64: coded.text(place)?.map(Cow::Borrowed) })
}
