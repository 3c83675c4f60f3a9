//! Values that look like credentials: where they are in a text, and the text without them.
//!
//! One table of rules (`rules/*.toml`) serves two purposes. [`Purpose::Redact`] prefers false positives, because what
//! it leaves is stored for good. [`Purpose::Detect`] prefers false negatives: placeholders, examples and code that only
//! names a secret are left. Whatever is detected is also redacted.
//!
//! ```text
//!   text ──► prefilter (Aho-Corasick over every hint) ──► hits
//!              │ an issuer's prefix or a phrase ──► table::Rule   (regex, anchored at the hit, bounded window)
//!              │ a name such as `password`      ──► keyed         (table::Place: what may stand before its value)
//!              │ `://`, `-----BEGIN`            ──► urls, blocks
//!              └──► judge: is it a value, is it live, how sure ──► Match
//! ```
//!
//! Time is linear in the text: the prefilter reads it once, each hit looks at a bounded window, and no pattern
//! backtracks. The functions are pure: equal texts give equal answers.
mod blocks;
mod engine;
mod fences;
mod file;
mod found;
mod judge;
mod keyed;
mod names;
mod reading;
mod redact;
mod table;
mod urls;
mod value;
mod words;

pub use engine::find;
pub use file::{scan, Held, Scanned};
pub use found::{Match, Purpose};
pub use redact::{redact, redact_command, redact_lines};
pub use table::{label, Confidence};
