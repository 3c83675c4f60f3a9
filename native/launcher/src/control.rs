//! The socket to the parent: messages out (one JSON object a datagram), and its end as the parent's death.
use std::{
    io, mem,
    os::fd::{AsRawFd, BorrowedFd, RawFd},
    ptr,
};

use serde_json::{json, Value};

use crate::failure::Failure;

#[derive(Clone, Copy)]
pub struct Control {
    fd: RawFd,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Word {
    /// Nothing new.
    Silence,
    /// The parent asks for the end of the run.
    Stop,
    /// The parent is gone.
    Gone,
}

impl Control {
    pub fn new(fd: RawFd) -> Self {
        Self { fd }
    }

    pub fn fd(&self) -> RawFd {
        self.fd
    }

    pub fn failed(&self, failure: &Failure) {
        self.say(&json!({"failed": failure.layer.name(), "why": failure.why, "code": failure.code}), None);
    }

    /// Sends `message` and, with it, a descriptor. A parent that is gone is noticed by the poll loop.
    pub fn say(&self, message: &Value, with: Option<BorrowedFd>) {
        let text = message.to_string();
        let mut part = libc::iovec { iov_base: text.as_ptr() as *mut _, iov_len: text.len() };
        let mut space = [0u64; 4];
        // SAFETY: msghdr is plain data; every pointer in it outlives the call.
        unsafe {
            let mut head: libc::msghdr = mem::zeroed();
            head.msg_iov = &mut part;
            head.msg_iovlen = 1;
            if let Some(extra) = with {
                let raw = extra.as_raw_fd();
                head.msg_control = space.as_mut_ptr().cast();
                head.msg_controllen = libc::CMSG_SPACE(mem::size_of::<RawFd>() as u32) as _;
                let first = libc::CMSG_FIRSTHDR(&head);
                (*first).cmsg_level = libc::SOL_SOCKET;
                (*first).cmsg_type = libc::SCM_RIGHTS;
                (*first).cmsg_len = libc::CMSG_LEN(mem::size_of::<RawFd>() as u32) as _;
                ptr::copy_nonoverlapping(&raw, libc::CMSG_DATA(first).cast(), 1);
            }
            while libc::sendmsg(self.fd, &head, libc::MSG_NOSIGNAL) < 0
                && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
            {}
        }
    }

    /// The next message of the parent, without blocking.
    pub fn listen(&self) -> Word {
        let mut word = [0u8; 64];
        // SAFETY: the buffer is ours and as long as said.
        let got = unsafe { libc::recv(self.fd, word.as_mut_ptr().cast(), word.len(), libc::MSG_DONTWAIT) };
        match got {
            0 => Word::Gone,
            n if n > 0 => Word::Stop,
            _ => match io::Error::last_os_error().kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Word::Silence,
                _ => Word::Gone,
            },
        }
    }
}
