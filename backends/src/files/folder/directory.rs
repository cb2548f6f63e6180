//! Directories, each step taken from one that is open: no path is ever resolved twice, and no symbolic link ever followed.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

/// An open directory.
#[derive(Debug)]
pub(super) struct Directory(OwnedFd);

/// Something stands in the folder that this program did not put there: a symbolic link, or what is no file.
#[derive(Debug)]
pub(crate) struct Intruder(String);

impl fmt::Display for Intruder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is a symbolic link, or neither file nor folder as it should be", self.0)
    }
}

impl std::error::Error for Intruder {}

fn intruder(name: &str) -> io::Error {
    io::Error::other(Intruder(name.to_owned()))
}

/// Whether an error says that there is an intruder.
pub(super) fn is_intruder(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|cause| cause.is::<Intruder>())
}

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Directory {
    /// The folder at `path`, which the configuration names: links that lead to it are the administrator's. It is made if
    /// there is none.
    pub(super) fn make_root(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// The directory of this name in it.
    pub(super) fn open(&self, name: &str) -> io::Result<Self> {
        match rustix::fs::openat(&self.0, name, DIRECTORY, Mode::empty()) {
            Ok(directory) => Ok(Self(directory)),
            // What is said of a symbolic link differs among systems.
            Err(Errno::LOOP | Errno::NOTDIR | Errno::MLINK) => Err(intruder(name)),
            Err(error) => Err(error.into()),
        }
    }

    /// The directory of this name in it, made if there is none.
    pub(super) fn make(&self, name: &str) -> io::Result<Self> {
        match self.open(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        match rustix::fs::mkdirat(&self.0, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        self.sync()?;
        self.open(name)
    }

    /// The directory at a key's path below it.
    pub(super) fn descend(&self, path: &str) -> io::Result<Self> {
        self.walk(path, Self::open)
    }

    /// The same, made where it is missing.
    pub(super) fn descend_making(&self, path: &str) -> io::Result<Self> {
        self.walk(path, Self::make)
    }

    fn walk(&self, path: &str, step: impl Fn(&Self, &str) -> io::Result<Self>) -> io::Result<Self> {
        let mut here = Self(self.0.try_clone()?);
        for name in path.split('/').filter(|name| !name.is_empty()) {
            // Keys have no such parts: `Path` refuses them, too.
            if matches!(name, "." | "..") {
                return Err(intruder(name));
            }
            here = step(&here, name)?;
        }
        Ok(here)
    }

    /// A file in it, to be read.
    pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
        // Not to wait for the other end of what may be a pipe.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::LOOP | Errno::MLINK | Errno::NXIO) => return Err(intruder(name)),
            Err(error) => return Err(error.into()),
        };
        if file.metadata()?.is_file() { Ok(file) } else { Err(intruder(name)) }
    }

    /// A file in it that nobody has yet, to be written, for its owner alone.
    pub(super) fn create_file(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?))
    }

    /// A file in it to be locked, made if there is none.
    pub(super) fn lock_file(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => Ok(File::from(file)),
            Err(Errno::LOOP | Errno::MLINK) => Err(intruder(name)),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves a file of this directory to a name in another, in place of what stands there.
    pub(super) fn rename_to(&self, name: &str, directory: &Directory, new_name: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, name, &directory.0, new_name)?)
    }

    /// Removes a file, or a link, whatever it leads to.
    pub(super) fn remove_file(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// What is known of a name in it; `None` if there is none.
    pub(super) fn stat(&self, name: &str) -> io::Result<Option<Stat>> {
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink => Err(intruder(name)),
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in it, in no order.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !matches!(name.as_str(), "." | "..") {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Makes names that came or went survive a loss of power.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }
}
