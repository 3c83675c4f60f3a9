//! Which paths a caller asks for: a glob.
use globset::{GlobBuilder, GlobMatcher};

use crate::error::{Error, Result};

const LONGEST: usize = 300;

/// `*` and `?` within a name, `**` across directories, `[abc]`, `{a,b}`. Without a slash a glob is held against the
/// name at any depth.
pub struct Wanted {
    /// None: every path.
    glob: Option<GlobMatcher>,
    /// The directories that every wanted path lies below.
    pub below: Vec<Vec<u8>>,
}

impl Wanted {
    /// Invalid for a glob that cannot be read.
    pub fn new(glob: &str) -> Result<Self> {
        if glob.len() > LONGEST {
            return Err(Error::Invalid(format!("a glob has at most {LONGEST} bytes")));
        }
        let plain = glob.strip_prefix("./").unwrap_or(glob).trim_start_matches('/');
        if matches!(plain, "" | "*" | "**" | "**/*") {
            return Ok(Self { glob: None, below: Vec::new() });
        }
        let whole = match plain.strip_suffix('/') {
            Some(directory) => format!("{directory}/**"),
            None if plain.contains('/') => plain.to_owned(),
            None => format!("**/{plain}"),
        };
        let built = GlobBuilder::new(&whole).literal_separator(true).backslash_escape(true).build();
        let glob = built.map_err(|error| Error::Invalid(format!("the glob cannot be read: {}", error.kind())))?;
        let plain_name = |part: &&str| !part.contains(['*', '?', '[', ']', '{', '}', '\\', ',']);
        let mut parts: Vec<&str> = whole.split('/').collect();
        parts.pop();
        // Braces may hold slashes, so nothing behind the first special component is a directory for sure.
        let below = parts.iter().take_while(|part| plain_name(part)).map(|part| part.as_bytes().to_vec()).collect();
        Ok(Self { glob: Some(glob.compile_matcher()), below })
    }

    pub fn holds(&self, path: &[u8]) -> bool {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
        self.glob.as_ref().is_none_or(|glob| glob.is_match(OsStr::from_bytes(path)))
    }
}
