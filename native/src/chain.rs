//! The hash chain of the event log: leaf = BLAKE3(payload), link = BLAKE3(previous link, header, leaf).

pub const HASH: usize = 32;
pub type Hash = [u8; HASH];

/// BLAKE3 of a canonical payload.
pub fn leaf(payload: &[u8]) -> Hash {
    *blake3::hash(payload).as_bytes()
}

/// The link of one record. `header` is the canonical encoding of every header field; its length is hashed
/// first, so that no two (header, leaf) pairs share an input.
pub fn link(previous: &Hash, header: &[u8], leaf: &Hash) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous);
    hasher.update(&(header.len() as u64).to_le_bytes());
    hasher.update(header);
    hasher.update(leaf);
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_changes_with_every_part_of_its_input() {
        let zero = [0; HASH];
        let base = link(&zero, b"header", &leaf(b"payload"));
        assert_ne!(base, link(&[1; HASH], b"header", &leaf(b"payload")));
        assert_ne!(base, link(&zero, b"headex", &leaf(b"payload")));
        assert_ne!(base, link(&zero, b"header", &leaf(b"payloae")));
    }
}
