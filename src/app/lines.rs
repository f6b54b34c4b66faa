//! Log lines on their way to standard error.
//!
//! That may be a pipe which nobody reads, and a journal that hangs must not stop the air: whoever logs never waits, and
//! lines that find no room are dropped and counted.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Lines that wait to be written.
const LINES: usize = 1_024;
/// How long the end of the program waits for the last ones.
const LAST: Duration = Duration::from_secs(1);

#[derive(Debug)]
enum Line {
    Text(Vec<u8>),
    /// To be answered when all before it is written.
    Mark(SyncSender<()>),
}

/// Takes lines and never waits. Each `write` is a line.
#[derive(Debug, Clone)]
pub struct Lines {
    queue: SyncSender<Line>,
    dropped: Arc<AtomicU64>,
}

impl Lines {
    /// Lines for `sink`, which a thread of their own may wait for.
    pub fn new(mut sink: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, lines) = sync_channel(LINES);
        let dropped = Arc::new(AtomicU64::new(0));
        let missing = Arc::clone(&dropped);
        thread::Builder::new().name("log".to_owned()).spawn(move || work(&lines, &missing, &mut sink))?;
        Ok(Self { queue, dropped })
    }

    /// Waits until all that came so far is written; for a second at most.
    pub fn finish(&self) {
        let (mark, passed) = sync_channel(1);
        if self.queue.try_send(Line::Mark(mark)).is_ok() {
            let _passed = passed.recv_timeout(LAST);
        }
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Line::Text(line.to_owned())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The thread's life. A sink that fails has nobody to be told of it.
fn work(lines: &Receiver<Line>, dropped: &AtomicU64, sink: &mut impl Write) {
    for line in lines {
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            drop(writeln!(sink, "{{\"level\":\"WARN\",\"dropped_log_lines\":{lost}}}"));
        }
        match line {
            Line::Text(text) => drop(sink.write_all(&text)),
            Line::Mark(mark) => drop(mark.send(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Lets nothing through until `open` is dropped.
    struct Stuck {
        open: Receiver<()>,
        written: Arc<Mutex<String>>,
    }

    impl Write for Stuck {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            let _opened = self.open.recv();
            self.written.lock().unwrap().push_str(std::str::from_utf8(text).unwrap());
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_hangs_holds_nobody_up_and_learns_what_it_missed() {
        let (hold, open) = sync_channel(0);
        let written = Arc::new(Mutex::new(String::new()));
        let mut lines = Lines::new(Stuck { open, written: Arc::clone(&written) }).unwrap();
        for number in 0..2 * LINES {
            lines.write_all(format!("{number:05}\n").as_bytes()).unwrap();
        }
        drop(hold);
        // Room for another one only comes as the first ones go.
        while !written.lock().unwrap().contains("again") {
            lines.write_all(b"again\n").unwrap();
            lines.finish();
        }
        let written = written.lock().unwrap();
        assert!(written.contains("dropped_log_lines"), "{written}");
        let kept: Vec<_> = written.lines().filter(|line| line.starts_with('0')).collect();
        assert_eq!(kept[..2], ["00000", "00001"]);
        assert!((LINES..=LINES + 1).contains(&kept.len()), "{}", kept.len());
    }
}
