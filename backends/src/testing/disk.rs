//! A small disk for the tables of a local server, or for the files of a program, to be full when a test wants it so.
//!
//! Limiting a real disk takes root's rights, which a sandbox may not have. So the limit is put between the server and
//! the C library: `small_disk.c`, compiled here and preloaded, counts the bytes in one folder and answers ENOSPC as a
//! disk would. (A container has a real one: a file system in memory.)
//!
//! Only tables are on it, as a tablespace; the write-ahead log is not. A table that can't grow is an error of SQLSTATE
//! 53100 that the server survives; a log that can't grow would bring it down, which
//! [`TestServer::kill`](super::TestServer::kill) stands for.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use trimaran_core::{Error, ErrorKind, Result};

const SHIM: &str = include_str!("small_disk.c");

/// A folder that holds no more than so many bytes, for a server or a program that runs with its
/// [`environment`](Self::environment).
pub struct SmallDisk {
    folder: PathBuf,
    shim: PathBuf,
    bytes: u64,
}

impl SmallDisk {
    /// Makes one of `bytes` in `directory`.
    ///
    /// # Errors
    /// If there is no C compiler.
    pub fn create(directory: &Path, bytes: u64) -> Result<Self> {
        let (source, shim) = (directory.join("small_disk.c"), directory.join("small_disk.so"));
        let folder = directory.join("small");
        fs::create_dir(&folder).map_err(|e| failed(&e.to_string()))?;
        fs::write(&source, SHIM).map_err(|e| failed(&e.to_string()))?;
        let compiler = std::env::var_os("CC").unwrap_or_else(|| OsString::from("cc"));
        let output = Command::new(compiler)
            .args(["-shared", "-fPIC", "-o"])
            .args([&shim, &source])
            .arg("-ldl")
            .output()
            .map_err(|e| failed(&e.to_string()).hint("install a C compiler, or start a Docker engine"))?;
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).trim()));
        }
        Ok(Self { folder, shim, bytes })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The directory that tables are kept in.
    pub(super) fn tables(&self) -> PathBuf {
        self.folder.join("tables")
    }

    /// What a server's environment needs for the limit to hold.
    pub fn environment(&self) -> [(&'static str, OsString); 3] {
        [
            ("LD_PRELOAD", self.shim.clone().into()),
            ("SMALL_DISK", self.folder.clone().into()),
            ("SMALL_DISK_BYTES", self.bytes.to_string().into()),
        ]
    }

    /// Takes up `bytes`: a file of that length, whose size is all that counts.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn occupy(&self, bytes: u64) -> Result<()> {
        let ballast = fs::File::create(self.ballast()).and_then(|file| file.set_len(bytes));
        ballast.map_err(|e| failed(&e.to_string()))
    }

    /// Gives them back.
    ///
    /// # Errors
    /// If nothing was taken up.
    pub fn free(&self) -> Result<()> {
        fs::remove_file(self.ballast()).map_err(|e| failed(&e.to_string()))
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}

fn failed(why: &str) -> Error {
    Error::new(ErrorKind::Unavailable, "keep a test server's tables on a small disk").context(why.to_owned())
}
