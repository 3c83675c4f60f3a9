//! Output of any length in bounded memory: its head and its tail, and how much between was cut.

/// How much is read at a time.
pub const CHUNK: usize = 256 << 10;

/// What was kept of a stream: the first and the last half of the limit, and how much between was cut.
#[derive(Debug, Default)]
pub struct Captured {
    head: Vec<u8>,
    tail: Vec<u8>,
    half: usize,
    total: u64,
}

impl Captured {
    pub fn new(keep: usize) -> Self {
        Self { half: keep / 2, ..Self::default() }
    }

    pub fn take(&mut self, mut chunk: &[u8]) {
        self.total += chunk.len() as u64;
        let room = self.half - self.head.len();
        let (first, rest) = chunk.split_at(room.min(chunk.len()));
        self.head.extend_from_slice(first);
        chunk = &rest[rest.len().saturating_sub(self.half)..];
        self.tail.extend_from_slice(chunk);
        // Moving the tail down now and then, not each time, keeps this linear.
        if self.tail.len() > 2 * self.half.max(CHUNK) {
            self.tail.drain(..self.tail.len() - self.half);
        }
    }

    /// The kept bytes, with a line in between that says how much was cut, and that number.
    pub fn finish(self) -> (Vec<u8>, u64) {
        let tail = &self.tail[self.tail.len().saturating_sub(self.half)..];
        let cut = self.total - (self.head.len() + tail.len()) as u64;
        let mut text = self.head;
        if cut > 0 {
            text.extend_from_slice(format!("\n[kairos: {cut} bytes cut]\n").as_bytes());
        }
        text.extend_from_slice(tail);
        (text, cut)
    }
}

impl Captured {
    /// Bytes taken in all.
    pub fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_and_tail_are_kept_and_the_cut_is_counted() {
        let mut kept = Captured::new(10);
        for _ in 0..100_000 {
            kept.take(b"abcdefghij");
        }
        let (text, cut) = kept.finish();
        assert_eq!(cut, 999_990);
        assert!(text.starts_with(b"abcde\n[kairos: 999990 bytes cut]\n") && text.ends_with(b"fghij"));
    }

    #[test]
    fn short_output_is_kept_whole_in_whatever_pieces_it_comes() {
        for size in 1..8 {
            let mut kept = Captured::new(8);
            b"01234567".chunks(size).for_each(|chunk| kept.take(chunk));
            assert_eq!(kept.finish(), (b"01234567".to_vec(), 0));
        }
    }
}
