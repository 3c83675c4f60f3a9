//! Sleeping on the wall clock, for Python.
use pyo3::prelude::*;

use crate::alarm;

#[pyclass(frozen, module = "kairos._native")]
struct Alarm {
    inner: alarm::Alarm,
}

#[pymethods]
impl Alarm {
    #[new]
    fn new() -> PyResult<Self> {
        Ok(Self { inner: alarm::Alarm::new()? })
    }

    #[pyo3(signature = (at_us=None))]
    fn wait(&self, py: Python<'_>, at_us: Option<i64>) -> PyResult<bool> {
        loop {
            match py.detach(|| self.inner.wait(at_us))? {
                alarm::Woken::Interrupted => py.check_signals()?,
                woken => return Ok(woken == alarm::Woken::Jumped),
            }
        }
    }

    fn wake(&self) -> PyResult<()> {
        Ok(self.inner.wake()?)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Alarm>()
}
