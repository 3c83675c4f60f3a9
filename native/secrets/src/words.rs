//! Splitting a name or a value into its words, as a person reads them.

/// The words of `DB_PASSWORD`, `dbPassword`, `DBPassword2`, `db-password`: at most 16, without trailing digits.
pub fn words(name: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::with_capacity(4);
    let mut start = 0;
    for i in 0..=name.len() {
        let ends = i == name.len()
            || !name[i].is_ascii_alphanumeric()
            || (i > start
                && name[i].is_ascii_uppercase()
                && (!name[i - 1].is_ascii_uppercase() || name.get(i + 1).is_some_and(u8::is_ascii_lowercase)));
        if !ends {
            continue;
        }
        let word = &name[start..i];
        if !word.is_empty() {
            let end = word.iter().rposition(|b| !b.is_ascii_digit()).map_or(word.len(), |at| at + 1);
            out.push(&word[..end]);
            if out.len() == 16 {
                break;
            }
        }
        start = if i < name.len() && name[i].is_ascii_alphanumeric() { i } else { i + 1 };
    }
    out
}

/// The share of letters and digits that stand in pronounceable words of three letters or more.
pub fn wordiness(value: &[u8]) -> f64 {
    let (mut whole, mut spoken) = (0_usize, 0_usize);
    for part in value.split(|b| !b.is_ascii_alphanumeric()) {
        whole += part.len();
        let mut start = 0;
        for i in 0..=part.len() {
            let ends = i == part.len()
                || (i > start
                    && (part[i].is_ascii_digit() != part[i - 1].is_ascii_digit()
                        || (part[i].is_ascii_uppercase()
                            && (part[i - 1].is_ascii_lowercase()
                                || part.get(i + 1).is_some_and(u8::is_ascii_lowercase)))));
            if !ends {
                continue;
            }
            if is_spoken(&part[start..i]) {
                spoken += i - start;
            }
            start = i;
        }
    }
    if whole == 0 {
        return 0.0;
    }
    spoken as f64 / whole as f64
}

/// For each letter, the letters that often follow it in names and prose (bit 0: `a`): the pairs that make up 95 % of
/// those in the words of the source of well-known projects.
const FOLLOWS: [u32; 26] = [
    0x3febd6f, 0x1164913, 0x01e4d95, 0x016493b, 0x1fff9ff, 0x11e4931, 0x01669d1, 0x11a4111, 0x2aefc7f, 0x0104011,
    0x0044111, 0x13cc919, 0x114d913, 0x13ced7d, 0x0fefd6f, 0x11ec999, 0x0100000, 0x13efd7d, 0x15cfd95, 0x11ed9bd,
    0x00eb97f, 0x0004111, 0x0066191, 0x0888114, 0x00ca911, 0x0000111,
];

/// Whether a run of letters can be a word: three letters or more, with a vowel, and of pairs that are usual; a longer
/// one may have an unusual pair in every six letters.
fn is_spoken(run: &[u8]) -> bool {
    if run.len() < 3 || !run.iter().all(u8::is_ascii_alphabetic) {
        return false;
    }
    let place = |b: u8| u32::from(b.to_ascii_lowercase() - b'a');
    let unusual = run.windows(2).filter(|p| FOLLOWS[place(p[0]) as usize] >> place(p[1]) & 1 == 0).count();
    unusual <= run.len() / 6 && run.iter().any(|b| b"aeiouyAEIOUY".contains(b))
}

/// Whether it looks random though it may have no digit: long, of both cases, and not of words.
pub fn is_random(value: &[u8]) -> bool {
    let [lower, upper, _, special] = crate::value::classes(value);
    value.len() >= 16
        && lower >= 3
        && upper >= 3
        && special * 8 <= value.len()
        && crate::value::distinct(value) >= 10
        && wordiness(value) < 0.45
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(name: &str) -> Vec<&str> {
        words(name.as_bytes()).into_iter().map(|w| std::str::from_utf8(w).unwrap()).collect()
    }

    #[test]
    fn names_are_split_as_they_are_read() {
        assert_eq!(split("DB_PASSWORD"), ["DB", "PASSWORD"]);
        assert_eq!(split("dbPassword2"), ["db", "Password"]);
        assert_eq!(split("DBPasswordProd"), ["DB", "Password", "Prod"]);
        assert_eq!(split("x-api-key"), ["x", "api", "key"]);
        assert_eq!(split("__"), [""; 0]);
    }

    #[test]
    fn words_are_told_from_random_values() {
        for text in ["CohereV2ChatResponseUsageTokens", "minLength8MaxLength64", "ERR4012_PASSWORD", "my-app-secret-v2"]
        {
            assert!(wordiness(text.as_bytes()) > 0.6, "{text} {}", wordiness(text.as_bytes()));
        }
        for text in ["q7ZpX2mK9vLt4RwB8nYc", "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"] {
            assert!(wordiness(text.as_bytes()) < 0.4, "{text} {}", wordiness(text.as_bytes()));
        }
    }
}
