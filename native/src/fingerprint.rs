//! The hash of a regular file's content, read without following a link or hanging on a pipe.
use std::{fs::File, io, io::Read, os::unix::fs::OpenOptionsExt, path::Path};

use crate::error::{Error, Result};

/// BLAKE3 and size of the regular file at `path`. `None` if it is gone, no regular file, or longer than
/// `limit` bytes, also when it grows beyond the limit while it is read.
pub fn hash_file(path: &Path, limit: u64) -> Result<Option<([u8; 32], u64)>> {
    let fail = |source| Error::io("cannot read", path, source);
    let mut options = File::options();
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOCTTY);
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if no_regular_file(&error) => return Ok(None),
        Err(error) => return Err(fail(error)),
    };
    let meta = file.metadata().map_err(fail)?;
    if !meta.is_file() || meta.len() > limit {
        return Ok(None);
    }
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; meta.len().clamp(1, 1 << 17) as usize];
    let mut size = 0u64;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Some((*hasher.finalize().as_bytes(), size))),
            Ok(count) => {
                size += count as u64;
                if size > limit {
                    return Ok(None);
                }
                hasher.update(&buffer[..count]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(fail(error)),
        }
    }
}

fn no_regular_file(error: &io::Error) -> bool {
    // A socket answers ENXIO, a symlink ELOOP, a path through a file ENOTDIR.
    let other = [libc::ENOENT, libc::ENOTDIR, libc::ELOOP, libc::ENXIO, libc::ENODEV, libc::EISDIR];
    error.raw_os_error().is_some_and(|code| other.contains(&code))
}
