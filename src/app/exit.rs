//! What the program's exit code says.

/// Exit codes, for scripts and for systemd. Wrong arguments end with 2, as clap has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; nothing is wrong.
    Fine = 0,
    /// What was asked could not be done.
    Failed = 1,
    /// `check`, `timeline` or `rehearse` found something that will not air as it should; `backup` and `restore`, that files
    /// or the schedule are not whole.
    Problems = 3,
    /// `verify` or `restore` found the log changed.
    Tampered = 4,
    /// A part of the daemon failed again and again; whoever started it should start it anew.
    GaveUp = 70,
    /// It was told to stop before it was done, as by Ctrl+C; a shell says the same of what that ends.
    Stopped = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        #[expect(clippy::as_conversions, reason = "the enum is repr(u8)")]
        Self::from(exit as u8)
    }
}
