//! Payloads of other applications' events in the column of a segment that holds JSON texts, which common tools read as
//! such: one that is JSON stands there as it is. Any other, and a JSON string, stands there as a JSON string of its
//! bytes in hexadecimal.

/// The origin of events that another application stored.
pub const ORIGIN: &str = "foreign";
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Writes how a payload stands in a segment to `out`; false where that is as it is.
pub fn wrap(payload: &[u8], out: &mut Vec<u8>) -> bool {
    match serde_json::from_slice::<serde_json::Value>(payload) {
        Ok(value) if !value.is_string() => return false,
        _ => (),
    }
    out.clear();
    out.push(b'"');
    out.extend(payload.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| DIGITS[usize::from(digit)]));
    out.push(b'"');
    true
}

/// Whether a payload stands in a segment otherwise than it is.
pub fn is_wrapped(origin: &str, stored: &[u8]) -> bool {
    origin == ORIGIN && stored.first() == Some(&b'"')
}

/// Writes a payload that `is_wrapped` to `out`; `None` if it is damaged.
pub fn unwrap(stored: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let digits = stored.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    out.clear();
    for pair in digits.chunks(2) {
        let [high, low] = pair else { return None };
        out.push(value(*high)? << 4 | value(*low)?);
    }
    Some(())
}

fn value(digit: u8) -> Option<u8> {
    DIGITS.iter().position(|known| *known == digit).map(|place| place as u8)
}
