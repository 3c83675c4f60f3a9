//! Hot rows straight from SQLite, without a Python object for each value. They come through the very library that
//! Python's `sqlite3` module has loaded: a second copy of SQLite in one process would drop the first one's POSIX locks
//! on a file as soon as it closed it.
use std::{
    ffi::{c_char, c_int, c_void, CStr},
    mem::transmute_copy,
    ptr, slice,
};

use crate::{
    chain::Header,
    error::{Error, Result},
    rows::Row,
};

type Db = *mut c_void;
type Statement = *mut c_void;

/// The SQLite functions that are called (https://sqlite.org/c3ref/funclist.html).
pub struct Library {
    open: unsafe extern "C" fn(*const c_char, *mut Db, c_int, *const c_char) -> c_int,
    close: unsafe extern "C" fn(Db) -> c_int,
    busy_timeout: unsafe extern "C" fn(Db, c_int) -> c_int,
    message: unsafe extern "C" fn(Db) -> *const c_char,
    prepare: unsafe extern "C" fn(Db, *const c_char, c_int, *mut Statement, *mut *const c_char) -> c_int,
    finalize: unsafe extern "C" fn(Statement) -> c_int,
    bind: unsafe extern "C" fn(Statement, c_int, i64) -> c_int,
    step: unsafe extern "C" fn(Statement) -> c_int,
    count: unsafe extern "C" fn(Statement) -> c_int,
    kind: unsafe extern "C" fn(Statement, c_int) -> c_int,
    number: unsafe extern "C" fn(Statement, c_int) -> i64,
    blob: unsafe extern "C" fn(Statement, c_int) -> *const u8,
    bytes: unsafe extern "C" fn(Statement, c_int) -> c_int,
}

const OPEN_READONLY: c_int = 0x1;
const OPEN_URI: c_int = 0x40;
/// No mutex around each call: a connection of ours stays in one thread.
const OPEN_NOMUTEX: c_int = 0x8000;
const BUSY_MS: c_int = 30_000;
const OK: c_int = 0;
const ROW: c_int = 100;
const DONE: c_int = 101;
const NULL: c_int = 5;
/// Columns of a row of a segment.
const WIDTH: c_int = 11;

impl Library {
    /// The library that a loaded module (a file) is linked to. `None` where it is out of reach: linked in statically,
    /// say, with its names hidden.
    pub fn of(module: &CStr) -> Option<Self> {
        // SAFETY: a path; nothing is loaded that was not, and the handle is never closed.
        let handle = unsafe { libc::dlopen(module.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        if handle.is_null() {
            return None;
        }
        Some(Self {
            open: find(handle, c"sqlite3_open_v2")?,
            close: find(handle, c"sqlite3_close_v2")?,
            busy_timeout: find(handle, c"sqlite3_busy_timeout")?,
            message: find(handle, c"sqlite3_errmsg")?,
            prepare: find(handle, c"sqlite3_prepare_v2")?,
            finalize: find(handle, c"sqlite3_finalize")?,
            bind: find(handle, c"sqlite3_bind_int64")?,
            step: find(handle, c"sqlite3_step")?,
            count: find(handle, c"sqlite3_column_count")?,
            kind: find(handle, c"sqlite3_column_type")?,
            number: find(handle, c"sqlite3_column_int64")?,
            blob: find(handle, c"sqlite3_column_blob")?,
            bytes: find(handle, c"sqlite3_column_bytes")?,
        })
    }

    /// Runs a query whose parameters are numbers and gives each of its rows to `take`, within one read transaction.
    pub fn each(
        &self,
        uri: &CStr,
        sql: &CStr,
        numbers: &[i64],
        mut take: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let connection = Connection::open(self, uri)?;
        let mut query = Query::prepare(&connection, sql, numbers)?;
        while query.step()? {
            take(&query.row()?)?;
        }
        Ok(())
    }
}

/// A function of the library by its name. `None` also where the program itself has another one of that name: the module
/// would call that one.
fn find<F: Copy>(handle: *mut c_void, name: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: an open handle and a name that ends in NUL.
    let (found, first) =
        unsafe { (libc::dlsym(handle, name.as_ptr()), libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr())) };
    let sure = !found.is_null() && (first.is_null() || first == found);
    // SAFETY: a pointer to a function of the signature that SQLite documents and keeps for this name.
    sure.then(|| unsafe { transmute_copy(&found) })
}

struct Connection<'l> {
    library: &'l Library,
    db: Db,
}

impl<'l> Connection<'l> {
    fn open(library: &'l Library, uri: &CStr) -> Result<Self> {
        let mut db = ptr::null_mut();
        let flags = OPEN_READONLY | OPEN_URI | OPEN_NOMUTEX;
        // SAFETY: valid pointers; a handle is given back even where opening failed, and closed in `drop`.
        let result = unsafe { (library.open)(uri.as_ptr(), &mut db, flags, ptr::null()) };
        let connection = Self { library, db };
        connection.done(result)?;
        // SAFETY: an open connection.
        connection.done(unsafe { (library.busy_timeout)(db, BUSY_MS) })?;
        Ok(connection)
    }

    fn done(&self, result: c_int) -> Result<()> {
        if result == OK {
            return Ok(());
        }
        // SAFETY: the text lives until the next call on this connection (of a null one too), and is copied before.
        let said = unsafe { CStr::from_ptr((self.library.message)(self.db)) };
        Err(Error::Database(said.to_string_lossy().into_owned()))
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        // SAFETY: closed once; its statements were finalized before, for they borrow it.
        unsafe { (self.library.close)(self.db) };
    }
}

struct Query<'c> {
    connection: &'c Connection<'c>,
    statement: Statement,
}

impl<'c> Query<'c> {
    fn prepare(connection: &'c Connection<'c>, sql: &CStr, numbers: &[i64]) -> Result<Self> {
        let library = connection.library;
        let mut statement = ptr::null_mut();
        // SAFETY: valid pointers; a null statement is harmless to finalize.
        let result = unsafe { (library.prepare)(connection.db, sql.as_ptr(), -1, &mut statement, ptr::null_mut()) };
        let query = Self { connection, statement };
        connection.done(result)?;
        for (place, number) in (1..).zip(numbers) {
            // SAFETY: a statement that was prepared.
            connection.done(unsafe { (library.bind)(statement, place, *number) })?;
        }
        // SAFETY: as above.
        if unsafe { (library.count)(statement) } != WIDTH {
            return Err(Error::Invalid("a row of a segment has eleven fields".into()));
        }
        Ok(query)
    }

    /// Moves to the next row; false if there is none.
    fn step(&mut self) -> Result<bool> {
        // SAFETY: a statement that was prepared.
        match unsafe { (self.connection.library.step)(self.statement) } {
            ROW => Ok(true),
            DONE => Ok(false),
            result => self.connection.done(result).map(|()| false),
        }
    }

    fn row(&self) -> Result<Row<'_>> {
        Ok(Row {
            header: Header {
                position: self.number(0),
                stream: self.text(1)?,
                version: self.number(2),
                topic: self.text(3)?,
                v: self.number(4),
                at: self.number(5),
                caused_by: if self.kind(6) == NULL { None } else { Some(self.number(6)) },
                correlation: self.number(7),
                origin: self.text(8)?,
            },
            payload: self.optional(9),
            leaf: self.optional(10),
        })
    }

    fn kind(&self, column: c_int) -> c_int {
        // SAFETY: the statement is at a row, and has this column.
        unsafe { (self.connection.library.kind)(self.statement, column) }
    }

    // A value of another type than was stored, in a damaged file, is converted; it does not pass the chain then.

    fn number(&self, column: c_int) -> i64 {
        // SAFETY: as in `kind`.
        unsafe { (self.connection.library.number)(self.statement, column) }
    }

    fn text(&self, column: c_int) -> Result<&str> {
        let text = std::str::from_utf8(self.raw(column));
        text.map_err(|_| Error::Database(format!("malformed row {}: a text is not UTF-8", self.number(0))))
    }

    fn optional(&self, column: c_int) -> Option<&[u8]> {
        (self.kind(column) != NULL).then(|| self.raw(column))
    }

    /// The bytes of a text or a blob, until the next step.
    fn raw(&self, column: c_int) -> &[u8] {
        let library = self.connection.library;
        // SAFETY: as in `kind`; the pointer holds for so many bytes until the statement moves on. It is null for none.
        unsafe {
            let start = (library.blob)(self.statement, column);
            match usize::try_from((library.bytes)(self.statement, column)) {
                Ok(length) if !start.is_null() => slice::from_raw_parts(start, length),
                _ => &[],
            }
        }
    }
}

impl Drop for Query<'_> {
    fn drop(&mut self) {
        // SAFETY: finalized once.
        unsafe { (self.connection.library.finalize)(self.statement) };
    }
}
