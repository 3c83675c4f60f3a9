//! What a search is for, and what it finds.
use crate::table::Confidence;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Whatever may be a secret.
    Redact,
    /// What looks live.
    Detect,
}

/// A credential-like value at `text[start..end]`; `kind` names the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    pub kind: &'static str,
    pub start: usize,
    pub end: usize,
    pub confidence: Confidence,
    /// Of several rules that match the same text, the first in the table names it.
    pub(crate) rank: usize,
}

/// What a search is for, and what is known of the file.
pub struct Context {
    pub purpose: Purpose,
    /// The file holds settings rather than code.
    pub settings: bool,
}
