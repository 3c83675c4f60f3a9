//! The fenced blocks of code of a text for people: CommonMark 0.31, 4.5, without those inside of quotes and lists.
use memchr::memchr;

pub struct Fences<'a> {
    text: &'a [u8],
    /// Where the line begins that comes next, and from where on its end is looked for.
    at: usize,
    searched: usize,
    /// The mark and the length of the fence that is open.
    open: Option<(u8, usize)>,
}

impl<'a> Fences<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, searched: 0, open: None }
    }

    /// Whether a place is within a block. Places are asked for in ascending order.
    pub fn hold(&mut self, place: usize) -> bool {
        while let Some(length) = memchr(b'\n', &self.text[self.searched..place]) {
            let end = self.searched + length;
            self.take(&self.text[self.at..end]);
            (self.at, self.searched) = (end + 1, end + 1);
        }
        self.searched = place;
        self.open.is_some()
    }

    fn take(&mut self, line: &[u8]) {
        let body = line.trim_ascii_start();
        let Some(mark) = body.first().copied().filter(|b| b"`~".contains(b)) else { return };
        let length = body.iter().take_while(|b| **b == mark).count();
        let rest = &body[length..];
        if length < 3 || line.len() - body.len() > 3 {
            return;
        }
        self.open = match self.open {
            None if mark == b'`' && rest.contains(&b'`') => None,
            None => Some((mark, length)),
            Some((open, least)) if open == mark && length >= least && rest.trim_ascii().is_empty() => None,
            still => still,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_from_its_fence_to_one_that_closes_it() {
        for (text, held) in [
            ("```\nX", true),
            ("~~~ yaml\nX", true),
            ("```\na\n```\nX", false),
            ("````\n```\nX", true),
            ("~~~\n```\n~~~\nX", false),
            ("``` a ``` b\nX", false),
            ("```\n``` sh\nX", true),
            ("    ```\nX", false),
            ("``\nX", false),
            ("X ```", false),
        ] {
            let place = text.find('X').unwrap();
            assert_eq!(Fences::new(text.as_bytes()).hold(place), held, "{text:?}");
        }
    }
}
