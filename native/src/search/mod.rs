//! Finding files by name and by content, for a reader who must not see everything: what git ignores, `.git`, private
//! files and credentials are left out, no symlink is followed, and every search ends.
//!
//! ```text
//!   Tree ──► Walk (files in order of their paths, rules as git reads them)
//!              ├─► paths    glob ──► a page of paths
//!              └─► lines    glob + regex, batches on every core ──► a page of hits, in the order of the walk
//! ```
pub mod index;
pub mod lines;
pub mod pages;
pub mod text;
pub mod tree;
pub mod walk;
pub mod wanted;

pub use pages::{Left, Page};
pub use tree::Tree;
