//! Confined execution for Python: releases the GIL, lets signals through, and holds the changes of a run.
use std::{
    os::{fd::OwnedFd, unix::ffi::OsStringExt},
    path::PathBuf,
    sync::Mutex,
    time::Duration,
};

use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyBytes, PyDict},
};

use crate::{
    error::Error,
    exec::{Outcome, Run},
    export::{self, Change},
    sandbox::{self, Limits, Seed, Wish},
};

/// How often Python gets to look at its signals and at `cancelled`.
const SLICE: Duration = Duration::from_millis(100);
/// The same of a run that is ended by its waker: nothing has to be asked meanwhile.
const LONG_SLICE: Duration = Duration::from_secs(3_600);

/// The changes of one run, held until closed: nothing of them has a name in the file system.
#[pyclass(module = "kairos._native", frozen)]
pub struct Changes {
    upper: Mutex<Option<OwnedFd>>,
    root: PathBuf,
    began_ns: i64,
}

type Listed<'py> = (Bound<'py, PyBytes>, &'static str, Option<u32>);
type Refused<'py> = (Bound<'py, PyBytes>, String);

fn path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

fn refusals(py: Python<'_>, list: Vec<(Vec<u8>, String)>) -> Vec<Refused<'_>> {
    list.into_iter().map(|(path, why)| (PyBytes::new(py, &path), why)).collect()
}

impl Changes {
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl Send + FnOnce(&OwnedFd, &OwnedFd) -> Result<T, Error>,
    ) -> PyResult<T> {
        py.detach(|| {
            let guard = self.upper.lock().unwrap_or_else(|broken| broken.into_inner());
            let upper = guard.as_ref().ok_or_else(|| Error::Invalid("the changes are closed".into()))?;
            let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
            let root = rustix::fs::open(&self.root, flags, rustix::fs::Mode::empty())
                .map_err(|error| Error::io("open", &self.root, error.into()))?;
            work(upper, &root)
        })
        .map_err(PyErr::from)
    }
}

#[pymethods]
impl Changes {
    /// (changes, refused): [(path, kind, git mode or None)], [(path, why)], both by path.
    fn survey<'py>(&self, py: Python<'py>) -> PyResult<(Vec<Listed<'py>>, Vec<Refused<'py>>)> {
        let survey = self.with(py, export::survey)?;
        let mode = |executable| if executable { 0o100_755 } else { 0o100_644 };
        let listed = survey.changes.iter().map(|(path, change)| {
            let (kind, mode) = match *change {
                Change::Created { executable } => ("created", Some(mode(executable))),
                Change::Modified { executable } => ("modified", Some(mode(executable))),
                Change::Deleted => ("deleted", None),
            };
            (PyBytes::new(py, path), kind, mode)
        });
        Ok((listed.collect(), refusals(py, survey.refused)))
    }

    /// The bytes of one changed file.
    fn read<'py>(&self, py: Python<'py>, path: Vec<u8>) -> PyResult<Bound<'py, PyBytes>> {
        let content = self.with(py, |upper, _| export::read(upper, &path))?;
        Ok(PyBytes::new(py, &content))
    }

    /// When the run began, by the clock that stamps files.
    #[getter]
    fn began_ns(&self) -> i64 {
        self.began_ns
    }

    /// Lets go of the changes. Harmless when repeated.
    fn close(&self) {
        self.upper.lock().unwrap_or_else(|broken| broken.into_inner()).take();
    }
}

/// Runs `argv` confined and returns how it went as a dict; see kairos/_native.pyi.
#[pyfunction]
#[pyo3(signature = (*, launcher, root, scratch, home, argv, env, read_roots, seed, loopback, limits, wall, keep, flood, on_disk, fail_at=None, cancelled=None, probe=false, heard=None, waker=None, place=None))]
#[allow(clippy::too_many_arguments)]
fn confined_run<'py>(
    py: Python<'py>,
    launcher: Vec<u8>,
    root: Vec<u8>,
    scratch: Vec<u8>,
    home: Vec<u8>,
    argv: Vec<Vec<u8>>,
    env: Vec<(Vec<u8>, Vec<u8>)>,
    read_roots: Vec<Vec<u8>>,
    seed: Vec<Seed>,
    loopback: bool,
    limits: (u64, u64, u64, u64, u64, u64, u64),
    wall: f64,
    keep: usize,
    flood: u64,
    on_disk: bool,
    fail_at: Option<String>,
    cancelled: Option<Bound<'py, PyAny>>,
    probe: bool,
    heard: Option<Bound<'py, PyAny>>,
    waker: Option<i32>,
    place: Option<Vec<u8>>,
) -> PyResult<Bound<'py, PyDict>> {
    let (memory, processes, file, disk, inodes, open_files, cpu_seconds) = limits;
    let wall = Duration::try_from_secs_f64(wall).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let wish = Wish {
        probe,
        place: path(place.unwrap_or_else(|| root.clone())),
        root: path(root),
        scratch: path(scratch),
        home: path(home),
        argv,
        env,
        read_roots: read_roots.into_iter().map(path).collect(),
        seed,
        loopback,
        calm: waker.is_some(),
        limits: Limits { memory, processes, file, disk, inodes, open_files, cpu_seconds },
        on_disk,
        fail_at,
    };
    let began = now_ns();
    let mut run = Run::start(&path(launcher), &wish, wall, keep, flood)?;
    if heard.is_some() {
        run.listen(waker);
    }
    let slice = if waker.is_some() { LONG_SLICE } else { SLICE };
    loop {
        let done = py.detach(|| run.step(slice));
        if let Some(heard) = &heard {
            let fresh = run.heard();
            if !fresh.is_empty() {
                heard.call1((PyBytes::new(py, &fresh),))?;
            }
        }
        if done {
            break;
        }
        // Raising drops the run, which ends it.
        py.check_signals()?;
        if let Some(asked) = &cancelled {
            if asked.call0()?.is_truthy()? {
                run.stop("cancelled");
            }
        }
    }
    let outcome = py.detach(|| run.finish());
    told(py, outcome, wish.root, began)
}

/// A stamp may lag behind this by one tick of the kernel (10 ms at most), which is less than the time from here until
/// the command runs: a change that slips through so was there before the command was.
fn now_ns() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec as i64
}

fn told(py: Python<'_>, outcome: Outcome, root: PathBuf, began_ns: i64) -> PyResult<Bound<'_, PyDict>> {
    let answer = PyDict::new(py);
    answer.set_item("failed", outcome.failed)?;
    answer.set_item("exit", outcome.exit)?;
    answer.set_item("signal", outcome.signal)?;
    answer.set_item("stopped", outcome.stopped)?;
    answer.set_item("stdout", PyBytes::new(py, &outcome.stdout))?;
    answer.set_item("stderr", PyBytes::new(py, &outcome.stderr))?;
    answer.set_item("cut", outcome.cut)?;
    answer.set_item("layers", outcome.layers)?;
    answer.set_item("missing", outcome.missing)?;
    answer.set_item("probe", outcome.probe)?;
    answer.set_item("seconds", outcome.seconds)?;
    let changes = outcome.changes.map(|upper| Changes { upper: Mutex::new(Some(upper)), root, began_ns });
    answer.set_item("changes", changes)?;
    Ok(answer)
}

/// Removes a scratch directory with everything in it, however deep and whatever its modes.
#[pyfunction]
fn remove_tree(py: Python<'_>, directory: Vec<u8>) -> PyResult<()> {
    py.detach(|| sandbox::remove_tree(&path(directory))).map_err(PyErr::from)
}

/// Whether git, on some system, would take this path component for its own directory.
#[pyfunction]
fn is_git_like(component: Vec<u8>) -> bool {
    crate::names::is_git_like(&component)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Changes>()?;
    module.add_function(wrap_pyfunction!(confined_run, module)?)?;
    module.add_function(wrap_pyfunction!(remove_tree, module)?)?;
    module.add_function(wrap_pyfunction!(is_git_like, module)?)
}
