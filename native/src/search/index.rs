//! The paths in git's index file (versions 2 to 4, SHA-1), read without starting git.
//!
//! Format: gitformat-index(5). A split index, a sparse one and SHA-256 are not read: the caller asks git then.
use crate::error::{Error, Result};

const STAT: usize = 40;
const HASH: usize = 20;
const EXTENDED: u16 = 0x4000;
const LENGTH: u16 = 0x0fff;
const DIRECTORY: u32 = 0o040_000;
/// No system opens a longer path.
const LONGEST: usize = 4_096;
/// Of all paths together: in version 4 a few bytes of a hostile index make a long path.
const PATHS_AT_MOST: usize = 1 << 30;

/// Every path, rising. Invalid for an index of another form.
pub fn paths(index: &[u8]) -> Result<Vec<Vec<u8>>> {
    read(index).ok_or_else(|| Error::Invalid("the index is of a form that is not read here".into()))
}

fn read(index: &[u8]) -> Option<Vec<Vec<u8>>> {
    let rest = index.strip_prefix(b"DIRC")?;
    let (version, count) = (number(rest, 0)?, number(rest, 4)? as usize);
    if !(2..=4).contains(&version) {
        return None;
    }
    let (mut at, mut held) = (12, 0);
    let mut found: Vec<Vec<u8>> = Vec::with_capacity(count.min(1 << 20));
    for _ in 0..count {
        let start = at;
        if number(index, start + 24)? == DIRECTORY {
            return None;
        }
        let flags = u16::from_be_bytes(index.get(start + STAT + HASH..)?.get(..2)?.try_into().ok()?);
        at += STAT + HASH + 2 + if version > 2 && flags & EXTENDED != 0 { 2 } else { 0 };
        let mut path = Vec::new();
        if version == 4 {
            let before = found.last().map_or(&[][..], Vec::as_slice);
            let cut = offset(index, &mut at)?;
            path.extend_from_slice(&before[..before.len().checked_sub(cut)?]);
        }
        let length = memchr::memchr(0, index.get(at..)?)?;
        path.extend_from_slice(&index[at..at + length]);
        at += length + 1;
        if version < 4 {
            at = start + (at - start).div_ceil(8) * 8;
        }
        let said = usize::from(flags & LENGTH);
        held += path.len();
        if path.len() > LONGEST || held > PATHS_AT_MOST {
            return None;
        }
        if path.is_empty() || (said < usize::from(LENGTH) && said != path.len()) {
            return None;
        }
        if found.last().is_none_or(|last| *last != path) {
            found.push(path);
        }
    }
    whole(index, at).then_some(found)
}

/// Whether only extensions follow that say nothing about paths.
fn whole(index: &[u8], mut at: usize) -> bool {
    let Some(end) = index.len().checked_sub(HASH) else { return false };
    while at + 8 <= end {
        let Some(size) = number(index, at + 4) else { return false };
        if matches!(&index[at..at + 4], b"link" | b"sdir") {
            return false;
        }
        at += 8 + size as usize;
    }
    at == end
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..)?.get(..4)?.try_into().ok()?))
}

/// git's offset encoding, as in pack files.
fn offset(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0usize;
    for _ in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value = (value << 7) + usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value);
        }
        value += 1;
    }
    None
}
