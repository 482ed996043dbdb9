//! Opening files to write to, where nobody can lead the way.
//!
//! Whoever may write to a directory may put a symbolic link in it, and have a program that runs as
//! root write to any file there is. So the way to a file is gone one directory at a time, and a
//! symbolic link is followed only where nobody else could have put it.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::{
        fd::OwnedFd,
        unix::{ffi::OsStrExt as _, fs::FileTypeExt as _},
    },
    path::{Component, Path},
};

use nix::{
    errno::Errno,
    fcntl::{AtFlags, FcntlArg, OFlag, fcntl, open, openat, readlinkat},
    sys::{
        stat::{FileStat, Mode, SFlag, fstat, fstatat},
        statfs::{PROC_SUPER_MAGIC, fstatfs},
    },
    unistd::geteuid,
};

/// For the owner to write and the group to read: what is kept of the network is not for everybody.
const MODE: Mode = Mode::S_IRUSR.union(Mode::S_IWUSR).union(Mode::S_IRGRP);
/// Symbolic links on the way to a file: as many as the kernel follows.
const MAX_LINKS: usize = 40;

/// Opens a file to append to it, and makes it where there is none. A FIFO needs a reader, and a device
/// must be one of letters.
///
/// # Errors
/// The system refuses it, or somebody else could have led the way to another file.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    let file = walk(path, OFlag::O_WRONLY)?;
    let kind = file.metadata()?.file_type();
    if !(kind.is_file() || kind.is_fifo() || kind.is_char_device()) {
        return Err(super::not_regular(kind));
    }
    // It was opened so that a FIFO without a reader is not waited for.
    fcntl(&file, FcntlArg::F_SETFL(OFlag::O_APPEND))?;
    Ok(file)
}

/// The same for a regular file, which can be read as well.
///
/// # Errors
/// As above.
pub(crate) fn append_regular(path: &Path) -> io::Result<File> {
    if let Ok(metadata) = std::fs::metadata(path)
        && !metadata.is_file()
    {
        return Err(super::not_regular(metadata.file_type()));
    }
    let file = walk(path, OFlag::O_RDWR)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(super::not_regular(metadata.file_type()));
    }
    Ok(file)
}

fn walk(path: &Path, access: OFlag) -> io::Result<File> {
    if path.as_os_str().as_bytes().ends_with(b"/") {
        return Err(Errno::EISDIR.into());
    }
    let flags = access | OFlag::O_APPEND | OFlag::O_CREAT | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let flags = flags | OFlag::O_CLOEXEC;
    let mut way = Way::begin(path)?;
    let mut links = 0;
    while let Some(part) = way.ahead.pop() {
        let entry = match fstatat(&way.here, part.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(entry) => Some(entry),
            Err(Errno::ENOENT) if way.ahead.is_empty() => None,
            Err(errno) => return Err(errno.into()),
        };
        let is_link = entry.is_some_and(|entry| has_type(&entry, SFlag::S_IFLNK));
        if is_link && others_write(&fstat(&way.here)?) {
            let what = "a symbolic link leads there, in a directory that others can write to";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
        }
        // What is open already, such as /proc/self/fd/1, has no path of its own.
        let is_open = is_link && fstatfs(&way.here)?.filesystem_type() == PROC_SUPER_MAGIC;
        let follow = if is_open {
            OFlag::empty()
        } else {
            OFlag::O_NOFOLLOW
        };
        if is_link && !is_open {
            links += 1;
            if links > MAX_LINKS {
                return Err(Errno::ELOOP.into());
            }
            let target = readlinkat(&way.here, part.as_os_str())?;
            way.turn(Path::new(&target))?;
        } else if way.ahead.is_empty() {
            let file = openat(&way.here, part.as_os_str(), flags | follow, MODE)?;
            return Ok(file.into());
        } else {
            way.here = openat(
                &way.here,
                part.as_os_str(),
                DIRECTORY | follow,
                Mode::empty(),
            )?;
        }
    }
    Err(Errno::EISDIR.into())
}

/// To look into a directory.
const DIRECTORY: OFlag = OFlag::O_PATH
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_CLOEXEC);

/// A directory, and the parts of the way from there, the next one last.
struct Way {
    here: OwnedFd,
    ahead: Vec<OsString>,
}

impl Way {
    fn begin(path: &Path) -> io::Result<Self> {
        let mut way = Self {
            here: open(".", DIRECTORY, Mode::empty())?,
            ahead: Vec::new(),
        };
        way.turn(path)?;
        Ok(way)
    }

    /// Goes on by this path.
    fn turn(&mut self, path: &Path) -> io::Result<()> {
        if path.is_absolute() {
            self.here = open("/", DIRECTORY, Mode::empty())?;
        }
        let parts = path.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        });
        let parts: Vec<OsString> = parts.collect();
        self.ahead.extend(parts.into_iter().rev());
        Ok(())
    }
}

fn has_type(entry: &FileStat, kind: SFlag) -> bool {
    SFlag::from_bits_truncate(entry.st_mode) & SFlag::S_IFMT == kind
}

/// Whether anybody but root and the one who runs this may make entries in a directory.
fn others_write(directory: &FileStat) -> bool {
    let mode = Mode::from_bits_truncate(directory.st_mode);
    let is_ours = directory.st_uid == 0 || directory.st_uid == geteuid().as_raw();
    !is_ours
        || mode.contains(Mode::S_IWOTH)
        || (mode.contains(Mode::S_IWGRP) && directory.st_gid != 0)
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
        path::PathBuf,
    };

    use super::*;

    /// A directory that goes away with it.
    struct Directory(PathBuf);

    impl Directory {
        fn new(test: &str, mode: u32) -> Self {
            let name = format!("vrrpwatch-write-{test}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir(&path).expect("room for a directory");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("our own");
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            // It may be gone already.
            let _: io::Result<()> = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_is_not_for_everybody() {
        let directory = Directory::new("mode", 0o755);
        let path = directory.0.join("new");
        let file = append(&path).expect("a file");
        assert_eq!(file.metadata().expect("open").mode() & 0o137, 0);
        drop(file);
        fs::write(&path, "before").expect("our own");
        append_regular(&path).expect("a file");
        assert_eq!(fs::read(&path).expect("our own"), b"before");
    }

    #[test]
    fn links_are_followed_only_where_nobody_else_puts_them() {
        let ours = Directory::new("ours", 0o755);
        let theirs = Directory::new("theirs", 0o1777);
        let target = ours.0.join("target");
        for (from, follows) in [(&ours, true), (&theirs, false)] {
            let link = from.0.join("link");
            symlink(&target, &link).expect("room for a link");
            assert_eq!(append(&link).is_ok(), follows, "{link:?}");
            assert_eq!(target.exists(), follows, "{link:?}");
            assert_eq!(append_regular(&link).is_ok(), follows, "{link:?}");
            // Of a directory on the way, too, and of where another link leads.
            let way = from.0.join("way");
            symlink(&ours.0, &way).expect("room for a link");
            assert_eq!(append(&way.join("target")).is_ok(), follows, "{way:?}");
            let on = ours.0.join(format!("on-{follows}"));
            symlink(&link, &on).expect("room for a link");
            assert_eq!(append(&on).is_ok(), follows, "{on:?}");
            if target.exists() {
                fs::remove_file(&target).expect("our own");
            }
        }
        let circle = ours.0.join("circle");
        symlink(&circle, &circle).expect("room for a link");
        assert!(append(&circle).is_err());
    }

    #[test]
    fn nothing_is_waited_for() {
        let directory = Directory::new("fifo", 0o755);
        let fifo = directory.0.join("fifo");
        nix::unistd::mkfifo(&fifo, Mode::S_IRWXU).expect("room for a FIFO");
        assert!(append(&fifo).is_err(), "nobody reads it");
        assert!(append_regular(&fifo).is_err());
        assert!(append_regular(Path::new("/dev/null")).is_err());
        assert!(append(Path::new("/dev/null")).is_ok());
        assert!(append(&directory.0).is_err());
        let reader = File::options().read(true).write(true).open(&fifo);
        assert!(append(&fifo).is_ok(), "{reader:?} reads it");
    }
}
