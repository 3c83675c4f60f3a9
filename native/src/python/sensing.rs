//! Sensing for Python: scanner, listings, watcher.
use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};

use crate::{fingerprint, listing, memory, scan, suspend, watch};

pub(super) type Bytes<'py> = Bound<'py, PyBytes>;
/// (type, mode, ino, size, mtime_ns, ctime_ns)
type StatRow = (&'static str, u16, u64, u64, i64, i64);
type EntryRow<'py> = (Bytes<'py>, &'static str, u16, u64, u64, i64, i64);

pub(super) fn path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}

fn paths(all: Vec<Vec<u8>>) -> Vec<PathBuf> {
    all.into_iter().map(path).collect()
}

fn stat_row(stat: listing::Stat) -> StatRow {
    (stat.kind.name(), stat.mode, stat.ino, stat.size, stat.mtime_ns, stat.ctime_ns)
}

/// Lists the directories of a tree, less what git ignores.
#[pyclass(frozen, module = "kairos._native")]
struct Scanner {
    inner: scan::Scanner,
}

#[pymethods]
impl Scanner {
    #[new]
    #[pyo3(signature = (root, *, excluded=Vec::new(), git_dir=None, excludes_file=None))]
    fn new(
        root: Vec<u8>,
        excluded: Vec<Vec<u8>>,
        git_dir: Option<Vec<u8>>,
        excludes_file: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        let (git_dir, excludes_file) = (git_dir.map(path), excludes_file.map(path));
        Ok(Self { inner: scan::Scanner::new(path(root), &paths(excluded), git_dir, excludes_file)? })
    }

    fn set_tracked(&self, py: Python<'_>, paths: Vec<Vec<u8>>) {
        py.detach(|| self.inner.set_tracked(paths));
    }

    fn holding<'py>(&self, py: Python<'py>, inos: Vec<u64>) -> Vec<Bytes<'py>> {
        self.inner.holding(&inos).iter().map(|dir| PyBytes::new(py, dir)).collect()
    }

    #[pyo3(signature = (start=Vec::new(), *, watcher=None))]
    #[allow(clippy::type_complexity)]
    fn walk<'py>(
        &self,
        py: Python<'py>,
        start: Vec<u8>,
        watcher: Option<&Bound<'py, Watcher>>,
    ) -> PyResult<(Vec<(Bytes<'py>, Bytes<'py>)>, usize, Vec<Bytes<'py>>)> {
        let watcher = watcher.map(|watcher| watcher.get().open()).transpose()?;
        let found = py.detach(|| self.inner.walk(&start, watcher.as_deref()))?;
        let pair = |(dir, packed): &(Vec<u8>, Vec<u8>)| (PyBytes::new(py, dir), PyBytes::new(py, packed));
        let unreadable = found.unreadable.iter().map(|dir| PyBytes::new(py, dir)).collect();
        Ok((found.listings.iter().map(pair).collect(), found.ignored, unreadable))
    }

    fn sweep<'py>(&self, py: Python<'py>, rows: Vec<(Vec<u8>, Vec<u8>)>) -> PyResult<(Vec<Bytes<'py>>, usize)> {
        let slice = py.detach(|| self.inner.sweep(&rows))?;
        Ok((slice.differing.iter().map(|dir| PyBytes::new(py, dir)).collect(), slice.ignored))
    }

    fn begin_sweep(&self) {
        self.inner.begin_sweep();
    }

    fn end_sweep(&self) {
        self.inner.end_sweep();
    }

    fn list_dir<'py>(&self, py: Python<'py>, dir: Vec<u8>) -> PyResult<Option<Bytes<'py>>> {
        let packed = py.detach(|| self.inner.list_dir(&dir))?;
        Ok(packed.map(|packed| PyBytes::new(py, &packed)))
    }
}

/// Says which directories are dirty.
#[pyclass(frozen, module = "kairos._native")]
struct Watcher {
    /// A wait in another thread keeps the seat until it has returned.
    inner: Mutex<Option<Arc<watch::Watcher>>>,
}

impl Watcher {
    fn open(&self) -> PyResult<Arc<watch::Watcher>> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clone().ok_or_else(|| PyValueError::new_err("the watcher is closed"))
    }
}

#[pymethods]
impl Watcher {
    #[new]
    fn new() -> PyResult<Self> {
        Ok(Self { inner: Mutex::new(Some(Arc::new(watch::Watcher::new()?))) })
    }

    #[pyo3(signature = (dirs, *, kind="changes"))]
    fn add<'py>(&self, py: Python<'py>, dirs: Vec<Vec<u8>>, kind: &str) -> PyResult<Vec<(Bytes<'py>, i32)>> {
        let watcher = self.open()?;
        let kind = match kind {
            "changes" => watch::Kind::Changes,
            "opened" => watch::Kind::Opened,
            "itself" => watch::Kind::Itself,
            _ => return Err(PyValueError::new_err("a kind is `changes`, `opened` or `itself`")),
        };
        let failed = py.detach(|| watcher.add(&paths(dirs), kind));
        let row = |(dir, errno): &(PathBuf, i32)| (PyBytes::new(py, dir.as_os_str().as_bytes()), *errno);
        Ok(failed.iter().map(row).collect())
    }

    fn remove(&self, py: Python<'_>, dirs: Vec<Vec<u8>>) -> PyResult<()> {
        let watcher = self.open()?;
        py.detach(|| watcher.remove(&paths(dirs)));
        Ok(())
    }

    fn remove_tree(&self, py: Python<'_>, prefix: Vec<u8>) -> PyResult<()> {
        let watcher = self.open()?;
        py.detach(|| watcher.remove_tree(&path(prefix)));
        Ok(())
    }

    fn missing<'py>(&self, py: Python<'py>, dirs: Vec<Vec<u8>>) -> PyResult<Vec<Bytes<'py>>> {
        let watcher = self.open()?;
        let missing = py.detach(|| watcher.missing(dirs));
        Ok(missing.iter().map(|dir| PyBytes::new(py, dir)).collect())
    }

    #[pyo3(signature = (timeout_ms=None))]
    fn wait<'py>(&self, py: Python<'py>, timeout_ms: Option<u64>) -> PyResult<(Vec<Bytes<'py>>, Vec<&'static str>)> {
        let watcher = self.open()?;
        let deadline = timeout_ms.and_then(|ms| Instant::now().checked_add(Duration::from_millis(ms)));
        loop {
            match py.detach(|| watcher.wait(deadline))? {
                watch::Waited::Interrupted => py.check_signals()?,
                watch::Waited::Done(news) => {
                    let dirty = news.dirty.iter().map(|dir| PyBytes::new(py, dir)).collect();
                    return Ok((dirty, news.losses.into_iter().collect()));
                }
            }
        }
    }

    fn wake(&self) -> PyResult<()> {
        self.open()?.wake();
        Ok(())
    }

    fn close(&self, py: Python<'_>) {
        let watcher = self.inner.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(watcher) = watcher {
            watcher.wake();
            py.detach(|| drop(watcher)); // its watches are removed one by one
        }
    }

    #[getter]
    fn watched(&self) -> PyResult<usize> {
        Ok(self.open()?.watched())
    }
}

#[pyfunction]
fn unpack_listing<'py>(py: Python<'py>, listing: &[u8]) -> PyResult<Vec<EntryRow<'py>>> {
    let row = |listing::Entry { name, stat }: &listing::Entry| {
        let (kind, mode, ino, size, mtime_ns, ctime_ns) = stat_row(*stat);
        (PyBytes::new(py, name), kind, mode, ino, size, mtime_ns, ctime_ns)
    };
    Ok(listing::unpack(listing)?.iter().map(row).collect())
}

#[pyfunction]
#[pyo3(signature = (old, new))]
#[allow(clippy::type_complexity)]
fn diff_listings<'py>(
    py: Python<'py>,
    old: Option<&[u8]>,
    new: Option<&[u8]>,
) -> PyResult<Vec<(Bytes<'py>, Option<StatRow>, Option<StatRow>)>> {
    let differences = listing::diff(old, new)?;
    let row = |one: &listing::Difference| (PyBytes::new(py, &one.name), one.old.map(stat_row), one.new.map(stat_row));
    Ok(differences.iter().map(row).collect())
}

#[pyfunction]
fn hash_file<'py>(py: Python<'py>, path: Vec<u8>, limit: u64) -> PyResult<Option<(Bytes<'py>, u64)>> {
    let found = py.detach(|| fingerprint::hash_file(&self::path(path), limit))?;
    Ok(found.map(|(hash, size)| (PyBytes::new(py, &hash), size)))
}

#[pyfunction]
fn suspend_offset_ns() -> i64 {
    suspend::offset_ns()
}

#[pyfunction]
fn give_back_memory(py: Python<'_>) {
    py.detach(memory::give_back);
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Scanner>()?;
    module.add_class::<Watcher>()?;
    module.add_function(wrap_pyfunction!(unpack_listing, module)?)?;
    module.add_function(wrap_pyfunction!(diff_listings, module)?)?;
    module.add_function(wrap_pyfunction!(hash_file, module)?)?;
    module.add_function(wrap_pyfunction!(suspend_offset_ns, module)?)?;
    module.add_function(wrap_pyfunction!(give_back_memory, module)?)?;
    Ok(())
}
