//! The settings of glibc's heap, which it reads once, before the program's first line.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::{env, io};

/// Else glibc keeps the memory of what was decoded ahead after it has sounded, in a pool for each thread: measured with items
/// of 12 s, 28 MB at most and 24 MB afterwards, instead of 23 and 20.
const SETTINGS: [(&str, &str); 2] = [("MALLOC_MMAP_THRESHOLD_", "131072"), ("MALLOC_ARENA_MAX", "2")];

/// Starts the program anew, in the same process and with the same arguments, if its heap is not set yet.
///
/// What whoever started it has set stays. Returns if there is nothing to do, or with the reason why it could not. The
/// function that would set them here, `mallopt`, is not a safe one.
pub fn set() -> io::Result<()> {
    let missing: Vec<_> = SETTINGS.into_iter().filter(|(name, _)| env::var_os(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut arguments = env::args_os();
    let name = arguments.next();
    let mut again = Command::new(env::current_exe()?);
    again.arg0(name.as_deref().unwrap_or(OsStr::new("loa"))).args(arguments);
    Err(again.envs(missing).exec())
}
