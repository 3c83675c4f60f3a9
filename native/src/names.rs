//! Names that git would treat as its own on some system: no file of such a name leaves the sandbox.

/// Whether one path component could be read as `.git` by git on Linux, macOS (HFS+) or Windows (NTFS).
///
/// Case folds; NTFS drops trailing dots and spaces, cuts at `:` (streams), knows `GIT~1` as the short name and
/// splits at backslashes; HFS+ ignores certain invisible characters.
pub fn is_git_like(component: &[u8]) -> bool {
    let first = component.first().copied().unwrap_or_default();
    if component.is_ascii() && !component.contains(&b'\\') && !matches!(first, b'.' | b'g' | b'G') {
        return false; // nearly every name, and a search asks of each
    }
    component.split(|&b| b == b'\\').any(|part| {
        let text = String::from_utf8_lossy(part);
        let seen: String = text.chars().filter(|&c| !ignored_by_hfs(c)).flat_map(char::to_lowercase).collect();
        let stem = seen.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
        stem == ".git" || stem == "git~1"
    })
}

fn ignored_by_hfs(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// Whether a directory with these entries would be taken for a bare repository: git obeys the `config` in one
/// as soon as somebody runs git there.
pub fn looks_like_git_dir<'a>(names: impl Iterator<Item = &'a [u8]>) -> bool {
    let (mut head, mut store) = (false, false);
    for name in names {
        head |= name.eq_ignore_ascii_case(b"head");
        store |= name.eq_ignore_ascii_case(b"objects") || name.eq_ignore_ascii_case(b"commondir");
    }
    head && store
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_git_is_known() {
        for name in [
            ".git",
            ".GIT",
            ".Git",
            ".git.",
            ".git ",
            ".git . .",
            "git~1",
            "GIT~1",
            "git~1 ",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
            ".g\u{200c}it",
            "\u{feff}.git",
            ".git\u{200e}",
            "x\\.git\\hooks",
            ".gi\u{202e}t",
        ] {
            assert!(is_git_like(name.as_bytes()), "{name:?}");
        }
        for name in [".gitignore", ".gitattributes", "git", "git~2", ".github", "a.git", ".gitx", "..git", "digit"] {
            assert!(!is_git_like(name.as_bytes()), "{name:?}");
        }
        assert!(!is_git_like(b"\xff\xfe"));
    }

    #[test]
    fn a_bare_repository_is_known_by_its_entries() {
        let all = |names: &[&'static str]| looks_like_git_dir(names.iter().map(|name| name.as_bytes()));
        assert!(all(&["HEAD", "config", "objects", "refs"]));
        assert!(all(&["HEAD", "commondir"]));
        assert!(!all(&["HEAD", "README"]));
        assert!(!all(&["objects", "refs", "config"]));
    }
}
