//! A page of what was found, and what was left out on the way.

/// What was not looked at, in numbers of files (directories for `unreadable_dirs`, lines for `long_lines`).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    pub private: usize,
    pub large: usize,
    pub binary: usize,
    pub unreadable: usize,
    pub unreadable_dirs: usize,
    pub long_lines: usize,
}

impl Left {
    pub fn add(&mut self, other: Self) {
        self.private += other.private;
        self.large += other.large;
        self.binary += other.binary;
        self.unreadable += other.unreadable;
        self.unreadable_dirs += other.unreadable_dirs;
        self.long_lines += other.long_lines;
    }
}

/// `rows` in the order of the walk. `more`: there are others behind them; `late`: the time was over before all was
/// looked at; `files`: how many were looked at.
#[derive(Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub more: bool,
    pub late: bool,
    pub files: usize,
    pub left: Left,
}
