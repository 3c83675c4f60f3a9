//! A directory's listing: its entries, their packed form, and the difference between two of them.
//!
//! Packed form, version 1. Everything is a LEB128 varint unless said otherwise; `zz` is zigzag of the
//! wrapping difference to the entry before (0 before the first):
//! `1u8, count, (shared, rest, rest bytes, mode << 2 | kind, zz ino, size, zz mtime, zz ctime - mtime)*`
//! where `shared` is how many leading bytes the name has in common with the name before. Names rise
//! bytewise, so equal directories give equal bytes, and a source checkout takes about 25 bytes an entry.
use crate::error::{Error, Result};

const VERSION: u8 = 1;
/// The longest name a Linux file system holds is 255 bytes; others allow more, none allow this much.
const NAME_MAX: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File = 0,
    Dir = 1,
    Symlink = 2,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Dir => "dir",
            Self::Symlink => "symlink",
        }
    }
}

/// What `stat` says of one name. Times are nanoseconds since 1970, `mode` is `st_mode & 0o7777`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    pub kind: Kind,
    pub mode: u16,
    pub ino: u64,
    pub size: u64,
    pub mtime_ns: i64,
    pub ctime_ns: i64,
}

impl Stat {
    /// Whether a person would call it changed. A directory's size and times move whenever an entry comes
    /// or goes, which its own listing already says.
    pub fn differs(&self, new: &Self) -> bool {
        if self.kind == Kind::Dir && new.kind == Kind::Dir {
            return self.mode != new.mode || self.ino != new.ino;
        }
        self != new
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: Box<[u8]>,
    pub stat: Stat,
}

/// Packs entries, which must rise strictly by name.
pub fn pack(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + entries.len() * 32);
    out.push(VERSION);
    put(&mut out, entries.len() as u64);
    let (mut name, mut ino, mut mtime): (&[u8], u64, i64) = (b"", 0, 0);
    for Entry { name: next, stat } in entries {
        debug_assert!(name < &next[..], "entries rise strictly");
        let shared = name.iter().zip(next.iter()).take_while(|(a, b)| a == b).count();
        put(&mut out, shared as u64);
        put(&mut out, (next.len() - shared) as u64);
        out.extend_from_slice(&next[shared..]);
        put(&mut out, u64::from(stat.mode) << 2 | stat.kind as u64);
        put(&mut out, zigzag(stat.ino.wrapping_sub(ino) as i64));
        put(&mut out, stat.size);
        put(&mut out, zigzag(stat.mtime_ns.wrapping_sub(mtime)));
        put(&mut out, zigzag(stat.ctime_ns.wrapping_sub(stat.mtime_ns)));
        (name, ino, mtime) = (next, stat.ino, stat.mtime_ns);
    }
    out
}

/// The entries of a packed listing. `Invalid` unless the bytes are exactly what `pack` would write.
pub fn unpack(bytes: &[u8]) -> Result<Vec<Entry>> {
    let mut input = Input { bytes };
    match input.byte()? {
        VERSION => {}
        other => return Err(Error::Invalid(format!("listing of unknown version {other}"))),
    }
    let count = input.varint()?;
    // Each entry takes at least eight bytes: a false count cannot make us reserve memory for it.
    if count > (input.bytes.len() / 8) as u64 {
        return Err(damaged("count"));
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(count as usize);
    let (mut ino, mut mtime) = (0u64, 0i64);
    for _ in 0..count {
        let before: &[u8] = entries.last().map_or(b"", |entry| &entry.name);
        let name = input.name(before)?;
        let meta = input.varint()?;
        let kind = match meta & 3 {
            0 => Kind::File,
            1 => Kind::Dir,
            2 => Kind::Symlink,
            _ => return Err(damaged("type")),
        };
        let mode = u16::try_from(meta >> 2).ok().filter(|mode| *mode <= 0o7777);
        let mode = mode.ok_or_else(|| damaged("mode"))?;
        ino = ino.wrapping_add(unzigzag(input.varint()?) as u64);
        let size = input.varint()?;
        mtime = mtime.wrapping_add(unzigzag(input.varint()?));
        let ctime_ns = mtime.wrapping_add(unzigzag(input.varint()?));
        entries.push(Entry { name, stat: Stat { kind, mode, ino, size, mtime_ns: mtime, ctime_ns } });
    }
    if !input.bytes.is_empty() {
        return Err(damaged("end"));
    }
    Ok(entries)
}

/// One name that is not the same in two listings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub name: Box<[u8]>,
    pub old: Option<Stat>,
    pub new: Option<Stat>,
}

/// What differs between two packed listings, rising by name; `None` is a directory that is not there.
pub fn diff(old: Option<&[u8]>, new: Option<&[u8]>) -> Result<Vec<Difference>> {
    if old == new {
        return Ok(Vec::new());
    }
    let mut old = old.map_or(Ok(Vec::new()), unpack)?.into_iter().peekable();
    let mut new = new.map_or(Ok(Vec::new()), unpack)?.into_iter().peekable();
    let mut out = Vec::new();
    loop {
        let (gone, come) = match (old.peek(), new.peek()) {
            (None, None) => return Ok(out),
            (Some(_), None) => (old.next(), None),
            (None, Some(_)) => (None, new.next()),
            (Some(a), Some(b)) => match a.name.cmp(&b.name) {
                std::cmp::Ordering::Less => (old.next(), None),
                std::cmp::Ordering::Greater => (None, new.next()),
                std::cmp::Ordering::Equal => (old.next(), new.next()),
            },
        };
        let (before, after) = (gone.as_ref().map(|e| e.stat), come.as_ref().map(|e| e.stat));
        if before.zip(after).is_some_and(|(a, b)| !a.differs(&b)) {
            continue;
        }
        if let Some(entry) = gone.or(come) {
            out.push(Difference { name: entry.name, old: before, new: after });
        }
    }
}

fn damaged(what: &str) -> Error {
    Error::Invalid(format!("damaged listing: {what}"))
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (head, tail) = self.bytes.split_at_checked(count).ok_or_else(|| damaged("cut short"))?;
        self.bytes = tail;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// Refuses a varint that is longer than it need be: one value has one form.
    fn varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part || (byte == 0 && shift > 0) {
                break;
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(damaged("number"))
    }

    fn name(&mut self, before: &[u8]) -> Result<Box<[u8]>> {
        let shared = usize::try_from(self.varint()?).map_err(|_| damaged("name"))?;
        let rest = usize::try_from(self.varint()?).map_err(|_| damaged("name"))?;
        if shared > before.len() || rest == 0 || rest > NAME_MAX {
            return Err(damaged("name"));
        }
        let rest = self.take(rest)?;
        let follows = before.get(shared).is_none_or(|byte| *byte < rest[0]);
        let name = [&before[..shared], rest].concat();
        let plain = !rest.iter().any(|byte| matches!(byte, 0 | b'/')) && name != b"." && name != b"..";
        if !follows || !plain || name.len() > NAME_MAX {
            return Err(damaged("name"));
        }
        Ok(name.into_boxed_slice())
    }
}
