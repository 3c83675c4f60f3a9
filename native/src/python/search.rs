//! Searching a tree, for Python.
use std::time::{Duration, Instant};

use pyo3::{prelude::*, types::PyBytes};

use super::sensing::{path, Bytes};
use crate::search::{self, lines::Question, text::matcher, wanted::Wanted, Left};

/// (private, large, binary, unreadable, unreadable directories, lines not searched to their end)
type LeftRow = (usize, usize, usize, usize, usize, usize);
type PathPage<'py> = (Vec<Bytes<'py>>, bool, bool, usize, LeftRow);
type LineRow<'py> = (u64, bool, Bytes<'py>);
type HitPage<'py> = (Vec<(Bytes<'py>, usize, Vec<LineRow<'py>>)>, bool, bool, usize, LeftRow);

fn left(left: Left) -> LeftRow {
    (left.private, left.large, left.binary, left.unreadable, left.unreadable_dirs, left.long_lines)
}

fn until(seconds: f64) -> Instant {
    Instant::now() + Duration::from_secs_f64(seconds.clamp(0.0, 3600.0))
}

/// One tree as a reader may see it.
#[pyclass(frozen, module = "kairos._native")]
struct Tree {
    inner: search::Tree,
}

#[pymethods]
impl Tree {
    #[new]
    #[pyo3(signature = (root, *, private, public, git_dir=None, excludes_file=None, index=None))]
    fn new(
        root: Vec<u8>,
        private: &str,
        public: &str,
        git_dir: Option<Vec<u8>>,
        excludes_file: Option<Vec<u8>>,
        index: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        let (git_dir, excludes_file, index) = (git_dir.map(path), excludes_file.map(path), index.map(path));
        Ok(Self { inner: search::Tree::new(path(root), git_dir, excludes_file, index, private, public)? })
    }

    fn set_tracked(&self, py: Python<'_>, paths: Vec<Vec<u8>>) {
        py.detach(|| self.inner.set_tracked(paths));
    }

    fn reads_index(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(py.detach(|| self.inner.reads_index())?)
    }

    fn lists(&self, py: Python<'_>, path: &[u8]) -> PyResult<bool> {
        Ok(py.detach(|| self.inner.lists(path))?)
    }

    fn paths<'py>(
        &self,
        py: Python<'py>,
        glob: &str,
        offset: usize,
        limit: usize,
        seconds: f64,
    ) -> PyResult<PathPage<'py>> {
        let page = py.detach(|| self.inner.paths(&Wanted::new(glob)?, offset, limit, until(seconds)))?;
        let rows = page.rows.iter().map(|path| PyBytes::new(py, path)).collect();
        Ok((rows, page.more, page.late, page.files, left(page.left)))
    }

    fn chosen<'py>(
        &self,
        py: Python<'py>,
        names: &[u8],
        glob: &str,
        offset: usize,
        limit: usize,
    ) -> PyResult<PathPage<'py>> {
        let page = py.detach(|| self.inner.chosen(names, &Wanted::new(glob)?, offset, limit))?;
        let rows = page.rows.iter().map(|path| PyBytes::new(py, path)).collect();
        Ok((rows, page.more, page.late, page.files, left(page.left)))
    }

    #[pyo3(signature = (pattern, *, glob, ignore_case, literal, around, per_file, offset, limit, seconds))]
    #[allow(clippy::too_many_arguments)]
    fn lines<'py>(
        &self,
        py: Python<'py>,
        pattern: &str,
        glob: &str,
        ignore_case: bool,
        literal: bool,
        around: (usize, usize),
        per_file: bool,
        offset: usize,
        limit: usize,
        seconds: f64,
    ) -> PyResult<HitPage<'py>> {
        let page = py.detach(|| {
            let (wanted, matcher) = (&Wanted::new(glob)?, &matcher(pattern, ignore_case, literal)?);
            let until = until(seconds);
            self.inner.lines(&Question { wanted, matcher, around, per_file, offset, limit, until })
        })?;
        let line = |line: &search::text::Line| (line.number, line.hit, PyBytes::new(py, &line.text));
        let row = |file: &search::lines::Hits| {
            (PyBytes::new(py, &file.path), file.hits, file.lines.iter().map(line).collect())
        };
        Ok((page.rows.iter().map(row).collect(), page.more, page.late, page.files, left(page.left)))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Tree>()
}
