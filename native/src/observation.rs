//! `FilesChanged` payloads as typed values, for the columns of a segment. Only a payload that putting together gives
//! back byte for byte is taken apart; any other stays a payload. So the reader knows the one form that the encoder
//! writes and refuses all else.
use std::borrow::Cow;

/// The one topic whose payload segments store in columns.
pub const TOPIC: &str = "FilesChanged";

type Text<'a> = Cow<'a, str>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation<'a> {
    pub repo: Text<'a>,
    pub burst: Text<'a>,
    pub part: i64,
    pub parts: i64,
    pub changes: Vec<Change<'a>>,
    pub cause: Option<Text<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    pub name: Name<'a>,
    pub kind: Text<'a>,
    pub entry: Text<'a>,
    /// The former path of a move.
    pub was: Option<Name<'a>>,
    pub size: Option<i64>,
    pub mode: Option<i64>,
    pub mtime_ns: Option<i64>,
    pub sha: Option<[u8; SHA]>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Name<'a> {
    pub path: Option<Text<'a>>,
    pub path_b64: Option<Text<'a>>,
}

pub const SHA: usize = 32;
const FILE: &str = "file";

impl<'a> Observation<'a> {
    /// The typed form of a payload, or `None` when it would not come back byte for byte.
    pub fn of(payload: &'a [u8]) -> Option<Self> {
        let mut input = Input { text: std::str::from_utf8(payload).ok()?, at: 0 };
        let found = input.observation()?;
        (input.at == payload.len()).then_some(found)
    }

    /// Appends the payload to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        begin(out, &self.repo, &self.burst, self.part, self.parts);
        for (place, change) in self.changes.iter().enumerate() {
            change.encode(out, place == 0);
        }
        end(out, self.cause.as_deref());
    }
}

/// Appends what comes before the changes.
pub fn begin(out: &mut Vec<u8>, repo: &str, burst: &str, part: i64, parts: i64) {
    text(out, b"{\"repo\":", repo);
    text(out, b",\"burst\":", burst);
    number(out, b",\"part\":", part);
    number(out, b",\"parts\":", parts);
    out.extend_from_slice(b",\"changes\":[");
}

/// Appends what comes after the changes.
pub fn end(out: &mut Vec<u8>, cause: Option<&str>) {
    out.push(b']');
    if let Some(cause) = cause {
        text(out, b",\"cause\":", cause);
    }
    out.push(b'}');
}

impl Change<'_> {
    /// Appends a change, the first one or a further.
    pub fn encode(&self, out: &mut Vec<u8>, first: bool) {
        out.extend_from_slice(if first { b"{" } else { b",{" });
        self.name.encode(out);
        if self.name != Name::default() {
            out.push(b',');
        }
        text(out, b"\"kind\":", &self.kind);
        if self.entry != FILE {
            text(out, b",\"type\":", &self.entry);
        }
        if let Some(was) = &self.was {
            out.extend_from_slice(b",\"was\":{");
            was.encode(out);
            out.push(b'}');
        }
        for (key, value) in
            [(&b",\"size\":"[..], self.size), (b",\"mode\":", self.mode), (b",\"mtime_ns\":", self.mtime_ns)]
        {
            if let Some(value) = value {
                number(out, key, value);
            }
        }
        if let Some(sha) = &self.sha {
            out.extend_from_slice(b",\"sha\":\"");
            out.extend(sha.iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]));
            out.push(b'"');
        }
        out.push(b'}');
    }
}

impl Name<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        if let Some(path) = &self.path {
            text(out, b"\"path\":", path);
        }
        if let Some(path) = &self.path_b64 {
            text(out, if self.path.is_some() { b",\"path_b64\":" } else { b"\"path_b64\":" }, path);
        }
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";
/// The value of each digit of `HEX`; above 15 what is none.
const DIGIT: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut value = 0;
    while value < HEX.len() {
        table[HEX[value] as usize] = value as u8;
        value += 1;
    }
    table
};

fn text(out: &mut Vec<u8>, key: &[u8], value: &str) {
    out.extend_from_slice(key);
    quote(out, value);
}

fn number(out: &mut Vec<u8>, key: &[u8], value: i64) {
    out.extend_from_slice(key);
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn plain(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

/// Looks at every byte, also after one that is not: many at a time is faster than stopping early.
fn all_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |plain_yet, byte| plain_yet & plain(*byte))
}

fn quote(out: &mut Vec<u8>, value: &str) {
    if all_plain(value.as_bytes()) {
        out.push(b'"');
        out.extend_from_slice(value.as_bytes());
        out.push(b'"');
    } else if serde_json::to_writer(&mut *out, value).is_err() {
        out.clear(); // a text always encodes; an empty payload would fail its check
    }
}

struct Input<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Input<'a> {
    fn observation(&mut self) -> Option<Observation<'a>> {
        let mut found = Observation {
            repo: self.told("{\"repo\":")?,
            burst: self.told(",\"burst\":")?,
            part: self.counted(",\"part\":")?,
            parts: self.counted(",\"parts\":")?,
            changes: Vec::new(),
            cause: None,
        };
        self.literal(",\"changes\":[").then_some(())?;
        while !self.literal("]") {
            if !found.changes.is_empty() {
                self.literal(",").then_some(())?;
            }
            found.changes.push(self.change()?);
        }
        if self.literal(",\"cause\":") {
            found.cause = Some(self.text()?);
        }
        self.literal("}").then_some(found)
    }

    fn change(&mut self) -> Option<Change<'a>> {
        self.literal("{").then_some(())?;
        let name = self.name()?;
        if name != Name::default() {
            self.literal(",").then_some(())?;
        }
        let kind = self.told("\"kind\":")?;
        let entry = if self.literal(",\"type\":") { self.text().filter(|entry| entry != FILE)? } else { FILE.into() };
        let mut was = None;
        if self.literal(",\"was\":{") {
            // A name in both forms or in none could not be told from an absent one.
            was = Some(self.name().filter(|name| name.path.is_some() != name.path_b64.is_some())?);
            self.literal("}").then_some(())?;
        }
        let size = self.count_of(",\"size\":")?;
        let mode = self.count_of(",\"mode\":")?;
        let mtime_ns = self.count_of(",\"mtime_ns\":")?;
        let sha = if self.literal(",\"sha\":") { Some(unhex(&self.text()?)?) } else { None };
        self.literal("}").then_some(Change { name, kind, entry, was, size, mode, mtime_ns, sha })
    }

    fn name(&mut self) -> Option<Name<'a>> {
        let path = if self.literal("\"path\":") { Some(self.text()?) } else { None };
        let key = if path.is_some() { ",\"path_b64\":" } else { "\"path_b64\":" };
        let path_b64 = if self.literal(key) { Some(self.text()?) } else { None };
        Some(Name { path, path_b64 })
    }

    fn told(&mut self, key: &str) -> Option<Text<'a>> {
        self.literal(key).then_some(())?;
        self.text()
    }

    fn counted(&mut self, key: &str) -> Option<i64> {
        self.literal(key).then_some(())?;
        self.number()
    }

    /// A number that may be absent; the outer `None` is a number in another form.
    fn count_of(&mut self, key: &str) -> Option<Option<i64>> {
        if self.literal(key) {
            self.number().map(Some)
        } else {
            Some(None)
        }
    }

    fn literal(&mut self, wanted: &str) -> bool {
        let found = self.text.as_bytes()[self.at..].starts_with(wanted.as_bytes());
        self.at += if found { wanted.len() } else { 0 };
        found
    }

    fn number(&mut self) -> Option<i64> {
        let rest = &self.text[self.at..];
        let length = rest.bytes().position(|b| !(b == b'-' || b.is_ascii_digit())).unwrap_or(rest.len());
        let digits = rest[..length].strip_prefix('-').unwrap_or(&rest[..length]);
        let plain = !digits.starts_with('0') || rest[..length] == *"0"; // as it would be written again
        self.at += length;
        rest[..length].parse().ok().filter(|_| plain)
    }

    fn text(&mut self) -> Option<Text<'a>> {
        let rest = self.text[self.at..].strip_prefix('"')?;
        let length = memchr::memchr(b'"', rest.as_bytes())?;
        if all_plain(&rest.as_bytes()[..length]) {
            self.at += length + 2;
            return Some(Cow::Borrowed(&rest[..length]));
        }
        self.escaped()
    }

    fn escaped(&mut self) -> Option<Text<'a>> {
        let rest = &self.text[self.at..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        let value = values.next()?.ok()?;
        let length = values.byte_offset();
        let mut again = Vec::with_capacity(length);
        quote(&mut again, &value);
        self.at += length;
        (again == rest.as_bytes()[..length]).then_some(Cow::Owned(value))
    }
}

fn unhex(text: &str) -> Option<[u8; SHA]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut out = [0; SHA];
    let mut wrong = pairs.len() != SHA || !rest.is_empty();
    for (byte, [high, low]) in out.iter_mut().zip(pairs) {
        let (high, low) = (DIGIT[usize::from(*high)], DIGIT[usize::from(*low)]);
        wrong |= (high | low) > 15;
        *byte = high << 4 | low & 15;
    }
    (!wrong).then_some(out)
}

#[cfg(test)]
#[path = "observation_tests.rs"]
mod tests;
