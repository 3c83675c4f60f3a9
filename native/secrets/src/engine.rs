//! The search: one pass of the prefilter over a text, and what each hit leads to.
use memchr::memmem;

use crate::blocks::Blocks;
use crate::found::{Context, Match, Purpose};
use crate::judge::passes;
use crate::keyed::Names;
use crate::table::{table, Confidence, Edge, Rule, Target};
use crate::urls;
use crate::value::{is_inert, BLANK};

const MARK: &[u8] = b"[redacted ";
const LONGEST_KIND: usize = 40;

/// Every credential-like value, in order, not overlapping.
pub fn find(text: &[u8], purpose: Purpose) -> Vec<Match> {
    find_in(text, &Context { purpose, settings: false })
}

pub(crate) fn find_in(text: &[u8], context: &Context) -> Vec<Match> {
    let blanked = blanked(text);
    let mut found = candidates(blanked.as_deref().unwrap_or(text), context);
    found.sort_by_key(|m| (m.start, std::cmp::Reverse(m.end), m.rank));
    let mut out: Vec<Match> = Vec::with_capacity(found.len());
    for new in found {
        match out.last_mut() {
            Some(last) if new.start < last.end => {
                last.end = last.end.max(new.end);
                last.confidence = last.confidence.max(new.confidence);
                if last.kind == "credential" {
                    last.kind = new.kind;
                }
            }
            _ => out.push(new),
        }
    }
    out
}

/// The text with each redaction mark blanked, None if it has none: a mark is not a value, but text joined to it may be.
fn blanked(text: &[u8]) -> Option<Vec<u8>> {
    let mut out: Option<Vec<u8>> = None;
    for at in memmem::find_iter(text, MARK) {
        if let Some(end) = mark_end(text, at) {
            out.get_or_insert_with(|| text.to_vec())[at..end].fill(BLANK);
        }
    }
    out
}

/// The end of the redaction mark at `at`.
pub fn mark_end(text: &[u8], at: usize) -> Option<usize> {
    let kind = text.get(at..)?.strip_prefix(MARK)?;
    let len = kind.iter().take(LONGEST_KIND + 1).position(|b| *b == b']')?;
    let is_kind = len > 0 && kind[..len].iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-');
    is_kind.then_some(at + MARK.len() + len + 1)
}

fn candidates(text: &[u8], context: &Context) -> Vec<Match> {
    let table = table();
    let mut out = Vec::new();
    let (mut names, mut blocks) = (Names::new(), Blocks::new());
    let mut done = vec![0_usize; table.rules.len()];
    for hit in table.hints.find_overlapping_iter(text) {
        for (target, written) in &table.targets[hit.pattern().as_usize()] {
            match *target {
                Target::Rule(index) => {
                    if !table.rules[index].any_case && text[hit.range()] != written[..] {
                        continue;
                    }
                    let end = at_hit(index, text, (hit.start(), done[index]), context, &mut out);
                    done[index] = done[index].max(end.unwrap_or(0));
                }
                Target::Name => names.at(text, (hit.start(), hit.end()), context, &mut out),
                Target::Url => urls::at(text, hit.start(), context.purpose, &mut out),
                Target::PrivateKey => blocks.at(text, hit.start(), context.purpose, &mut out),
            }
        }
    }
    out
}

/// Tries a rule at a hit. Returns the end of its match, whether or not its value is live.
fn at_hit(index: usize, text: &[u8], at: (usize, usize), context: &Context, out: &mut Vec<Match>) -> Option<usize> {
    let rule: &'static Rule = &table().rules[index];
    let (hit, done) = at;
    if hit < done || (rule.back == 0 && !edge_before(rule.left, text, hit)) {
        return None;
    }
    let from = hit.saturating_sub(rule.back).max(done);
    let until = text.len().min(hit + rule.ahead);
    let (whole, value) = if rule.phrase {
        let captures = rule.regex().captures(&text[from..until])?;
        (captures.get(0)?.range(), captures.name("v")?.range())
    } else {
        let whole = rule.regex().find(&text[from..until])?.range();
        (whole.clone(), whole)
    };
    let (whole, start, mut end) = (from + whole.start..from + whole.end, from + value.start, from + value.end);
    if rule.back > 0 && !(whole.contains(&hit) && edge_before(rule.left, text, whole.start)) {
        return None;
    }
    if whole.end == until {
        end += text[end..].iter().take_while(|b| is_word(**b)).count();
    }
    let next = text.get(end).copied().unwrap_or(b' ');
    if (rule.right != Edge::Any && next.is_ascii_alphanumeric()) || (rule.right == Edge::Word && is_word(next)) {
        return None;
    }
    let value = &text[start..end];
    if rule.phrase && (is_inert(value) || value.iter().all(u8::is_ascii_digit)) {
        return Some(end);
    }
    let live =
        rule.confidence > Confidence::Low && passes(rule.check, value) && (rule.phrase || !in_blob(text, start, end));
    let confidence = if live { rule.confidence } else { Confidence::Low };
    if context.purpose == Purpose::Redact || live {
        out.push(Match { kind: &rule.kind, start, end, confidence, rank: index });
    }
    Some(end)
}

/// Whether a token would lie within a long run of base64, which may be indented: a font, a picture, an archive.
fn in_blob(text: &[u8], start: usize, end: usize) -> bool {
    let is_data = |b: &&u8| b.is_ascii_alphanumeric() || b"+/".contains(b);
    let before = text[start.saturating_sub(64)..start].iter().rev().take_while(is_data).count();
    let after = text[end..].iter().take(64).take_while(is_data).count();
    let indented = text[..start - before].iter().rev().take(64).find(|b| !b" \t".contains(b));
    let line = before < 64 && indented.is_none_or(|b| *b == b'\n');
    before >= 48 || text.get(end) == Some(&b'+') || (line && before + after > 0 && before + after + (end - start) >= 60)
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"_-".contains(&b)
}

/// Whether a token may begin at `at`. The end of an escape (`\n`, `%3D`, a colour of a terminal) is no part of it.
fn edge_before(edge: Edge, text: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|i| text[i]) else { return true };
    let joined = match edge {
        Edge::Any => false,
        Edge::Alnum => before.is_ascii_alphanumeric(),
        Edge::Word => is_word(before),
    };
    if !joined {
        return true;
    }
    let earlier = |n: usize| at.checked_sub(n).map(|i| text[i]);
    let escape = earlier(2) == Some(b'\\') && b"nrt".contains(&before);
    let percent =
        earlier(3) == Some(b'%') && before.is_ascii_hexdigit() && earlier(2).is_some_and(|b| b.is_ascii_hexdigit());
    let colour = before == b'm'
        && text[at.saturating_sub(16)..at - 1]
            .iter()
            .rposition(|b| !(b.is_ascii_digit() || *b == b';'))
            .is_some_and(|i| text[at.saturating_sub(16) + i] == b'[');
    escape || percent || colour
}
