//! What the parent asks for: one JSON object and, behind it in the same file, the bytes of seeded files.
//!
//! Layout of the inherited file: 8 bytes little-endian length of the JSON, the JSON, the blobs. Paths and
//! environment values are byte strings (JSON arrays of numbers): file names need not be UTF-8.
use std::{
    ffi::{CString, OsStr},
    fs::File,
    io::{Read, Seek, SeekFrom},
    os::unix::ffi::OsStrExt,
    path::Path,
};

use serde::Deserialize;

use crate::failure::{Failure, Layer, Outcome};

pub type Bytes = Vec<u8>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Only try each mechanism by itself and say which work.
    pub probe: bool,
    /// The tree, absolute and canonical.
    pub root: Bytes,
    /// The path at which the command sees it. Read roots below it are laid over the tree.
    pub place: Bytes,
    /// An empty directory outside `root` to build the new root on.
    pub stage: Bytes,
    /// Where the empty home directory appears.
    pub home: Bytes,
    pub argv: Vec<Bytes>,
    /// The whole environment of the command.
    pub env: Vec<(Bytes, Bytes)>,
    /// Further directories or files that the command may read, absolute.
    pub read_roots: Vec<Bytes>,
    pub seed: Vec<Seed>,
    /// Bring the loopback interface of the private network namespace up, and allow IP sockets.
    pub loopback: bool,
    /// The run goes on for days and mostly waits: its use of memory and disk is looked at ever more rarely.
    #[serde(default)]
    pub calm: bool,
    pub limits: Limits,
    /// A directory on disk for the changes; without it they live in memory.
    pub disk_scratch: Option<Bytes>,
    /// Tests: the named layer fails.
    pub fail_at: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// Relative to the root.
    pub path: Bytes,
    /// `None` removes the path.
    pub file: Option<SeedFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedFile {
    pub mode: u32,
    pub offset: u64,
    pub len: u64,
}

/// Sizes in bytes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub memory: u64,
    pub processes: u64,
    pub file: u64,
    pub disk: u64,
    pub inodes: u64,
    pub open_files: u64,
    pub cpu_seconds: u64,
}

/// The opened spec file: the wishes and, for seeding, the blobs behind them.
pub struct Request {
    pub spec: Spec,
    file: File,
    blobs_at: u64,
}

impl Request {
    pub fn read(mut file: File) -> Outcome<Self> {
        let bad = |why: String| Failure::new(Layer::Spec, why);
        let mut length = [0; 8];
        file.seek(SeekFrom::Start(0)).and_then(|_| file.read_exact(&mut length)).map_err(|e| bad(e.to_string()))?;
        let length = u64::from_le_bytes(length);
        let mut json = Vec::new();
        (&mut file).take(length).read_to_end(&mut json).map_err(|e| bad(e.to_string()))?;
        let spec: Spec = serde_json::from_slice(&json).map_err(|e| bad(e.to_string()))?;
        Ok(Self { spec, file, blobs_at: 8 + length })
    }

    /// The bytes of one seeded file.
    pub fn blob(&mut self, seed: &SeedFile) -> std::io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.file.seek(SeekFrom::Start(self.blobs_at + seed.offset))?;
        (&mut self.file).take(seed.len).read_to_end(&mut content)?;
        if content.len() as u64 != seed.len {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(content)
    }

    pub fn fails_at(&self, layer: Layer) -> Outcome<()> {
        match &self.spec.fail_at {
            Some(name) if name == layer.name() => Err(Failure::new(layer, "failure injected by the spec")),
            _ => Ok(()),
        }
    }
}

pub fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// A NUL byte inside cuts nothing silently: it is an error.
pub fn c_string(bytes: &[u8]) -> std::io::Result<CString> {
    CString::new(bytes).map_err(|_| std::io::ErrorKind::InvalidInput.into())
}
