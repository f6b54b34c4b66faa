//! A recording's way in: examined, kept in `audio/`, entered into the catalogue as a draft. The same for the command
//! line and for HTTP.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization as _;

use crate::clock::Clock;
use crate::media::ingest::{Examined, Ingest, Refusal};
use crate::media::library::look_at;
use crate::media::seal::{Seal, Seals};
use crate::media::temporary::{Temporary, waiting};
use crate::segment::{BadWord, LONGEST_TEXT, Segment, SegmentId, State, Words, turns_text};
use crate::store::{AMPLE, Act, Added, Attached, Store, StoreError, free_bytes};
use crate::text::page::recordings::UNTITLED;

/// Takes recordings in.
#[derive(Debug, Clone)]
pub struct Intake {
    ingest: Ingest,
    store: Store,
    clock: Arc<dyn Clock>,
    /// Files are put back one at a time: of two that bring the same one, the second finds it in its place.
    putting_back: Arc<Mutex<()>>,
}

/// What became of a recording that was not refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The segment.
    pub segment: Segment,
    /// What was there of it before.
    pub had: Had,
    /// The format it came in, where it had to be converted.
    pub converted_from: Option<&'static str>,
}

/// What a station had of a recording that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Had {
    /// Nothing, or only a draft that was thrown away: it is new.
    Nothing,
    /// Words and bytes; nothing was changed.
    All,
    /// Its words, and not its file, which was put back.
    Words {
        /// What the file is called now that stood in its place, where one did.
        kept_as: Option<String>,
    },
}

/// Why a recording was not taken in. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It cannot air.
    #[error("the recording was refused")]
    Refused(#[source] Refusal),
    /// One of its words cannot be.
    #[error("the {field} of the recording cannot be what it is")]
    Word {
        /// Which.
        field: &'static str,
        /// Why.
        #[source]
        cause: BadWord,
    },
    /// The catalogue could not be written.
    #[error("the recording could not be entered")]
    Store(#[from] StoreError),
}

impl Intake {
    /// An intake into a station's `audio/` and catalogue.
    pub fn new(ingest: Ingest, store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { ingest, store, clock, putting_back: Arc::default() }
    }

    /// An empty file for a recording that is still coming; gone when dropped.
    pub fn incoming(&self) -> io::Result<(Temporary, File)> {
        Temporary::create(&self.ingest.audio_dir)
    }

    /// Where a file waits that comes in parts, under a name that is an id.
    pub fn waiting(&self, id: &str) -> PathBuf {
        waiting(&self.ingest.audio_dir, id)
    }

    /// A file that came in parts, to be taken in; it goes on waiting until it is removed.
    pub fn arrived(&self, id: &str) -> Temporary {
        Temporary::of_waiting(self.waiting(id))
    }

    /// Removes a file that came in parts; what cannot be removed goes in a night to come.
    pub fn discard(&self, id: &str) {
        drop(fs::remove_file(self.waiting(id)));
    }

    /// The largest file that is taken in, in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.ingest.limits.max_bytes
    }

    /// Whether the disk has room for so many bytes of recordings, and the log's room beside; a full disk where it has not.
    pub fn must_have_room(&self, bytes: u64) -> io::Result<()> {
        let needed = bytes.saturating_add(AMPLE);
        let lacks = free_bytes(&self.ingest.audio_dir).is_some_and(|free| free < needed);
        if lacks { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    /// Takes in a copy of a file from elsewhere; gives up when `cancel` is set.
    pub fn take_in_copy(
        &self,
        original: &Path,
        words: Words,
        (by, today): (&str, Date),
        cancel: &AtomicBool,
    ) -> Result<Taken, IntakeError> {
        if fs::metadata(original).is_ok_and(|about| !about.is_file()) {
            return Err(IntakeError::Refused(Refusal::NotAudio));
        }
        let bytes = fs::metadata(original).map_or(0, |about| about.len());
        let copy = self
            .must_have_room(bytes)
            .and_then(|()| Temporary::copy_of(original, &self.ingest.audio_dir, cancel))
            .map_err(|cause| IntakeError::Refused(Refusal::of_disk("copy the recording", cause)))?;
        let name = original.file_name().unwrap_or_default().to_string_lossy();
        self.take_in(copy, &name, words, (by, today, None), cancel)
    }

    /// Takes in a file that has come. What `words` leaves open is filled from the file's own tags, and the title from
    /// its name. Blocks for as long as decoding takes; gives up when `cancel` is set. `today` is the station's date: what is
    /// new is to be heard yet, and what is there already may be brought again when its days are over. Of what is new the act is
    /// kept with it, as one that is about it.
    pub fn take_in(
        &self,
        file: Temporary,
        name: &str,
        words: Words,
        (by, today, act): (&str, Date, Option<Act>),
        cancel: &AtomicBool,
    ) -> Result<Taken, IntakeError> {
        let word = |(field, cause)| IntakeError::Word { field, cause };
        words.check().map_err(word)?;
        let mut examined = self.ingest.examine(file, cancel).map_err(IntakeError::Refused)?;
        let converted_from = examined.converted_from;
        let (hash, sound) = (examined.hash, examined.sound.clone());
        let words = completed(words, std::mem::take(&mut examined.words), name);
        let known = self.store.segment(&hash.segment_id())?;
        let subject = hash.segment_id().to_string();
        let act = act.map(|act| Act { subject, at: self.clock.now(), ..act });
        if known.as_ref().is_none_or(|segment| segment.state == State::Withdrawn) {
            words.check_days_from(today).map_err(|cause| word(("valid_until", cause)))?;
        }
        if let Some(segment) = known {
            let had = self.put_right(&segment, examined, by)?;
            let revived = self.store.revive_segment(&segment.id, words, (by, self.clock.now()), act)?;
            return Ok(match revived {
                Some(segment) => Taken { segment, had: Had::Nothing, converted_from },
                None => Taken { segment, had, converted_from },
            });
        }
        let attached = Attached { peaks: examined.waveform.to_bytes(), seal: examined.seal.to_bytes(), act };
        let catalog = self.store.catalog()?;
        let lies_there = self.ingest.lies_there(&examined, name, &catalog);
        let came = lies_there.is_none();
        let file = match lies_there {
            Some(file) => file,
            None => self.ingest.keep(examined, name, &catalog).map_err(IntakeError::Refused)?,
        };
        // What lay there before is not ours to remove.
        let forget = || {
            if came {
                self.forget(&file);
            }
        };
        let segment = Segment {
            id: hash.segment_id(),
            hash,
            file: file.clone(),
            words,
            sound,
            state: State::Draft,
            approval: None,
            added: self.clock.now(),
            added_by: by.into(),
        };
        match self.store.add_segment(segment, attached) {
            Ok(Added::New(segment)) => Ok(Taken { segment, had: Had::Nothing, converted_from }),
            // Somebody else handed in the same bytes at the same moment.
            Ok(Added::Existing(segment)) => {
                forget();
                Ok(Taken { segment, had: Had::All, converted_from })
            }
            Err(failure) => {
                forget();
                Err(failure.into())
            }
        }
    }

    /// Puts the file of a known segment back where it is gone or another. It keeps its name, by which a slot may play it;
    /// what stood there may be somebody's work, and gets another.
    fn put_right(&self, segment: &Segment, examined: Examined, by: &str) -> Result<Had, IntakeError> {
        let _alone = self.putting_back.lock().unwrap_or_else(PoisonError::into_inner);
        if look_at(&self.ingest.audio_dir, segment, None).1.is_none() {
            return Ok(Had::All);
        }
        let catalog = self.store.catalog()?;
        let kept_as =
            self.ingest.put_back(examined, &segment.file, &catalog).map_err(IntakeError::Refused)?;
        self.store.note_put_back(&segment.id, kept_as.as_deref(), by, self.clock.now())?;
        tracing::info!(segment.id = %segment.id, by, kept_as, "the file of a segment was put back");
        Ok(Had::Words { kept_as })
    }

    /// Removes a file that was kept and then not entered.
    fn forget(&self, file: &str) {
        if let Err(cause) = fs::remove_file(self.ingest.audio_dir.join(file)) {
            tracing::warn!(
                file,
                error = &cause as &dyn std::error::Error,
                "a recording that was not entered stays in audio/"
            );
        }
    }
}

impl Seals for Store {
    /// Where it cannot be read, there is none: the file is then read whole.
    fn seal(&self, id: &SegmentId) -> Option<Seal> {
        let kept = self.seal_bytes(id).unwrap_or_else(|failure| {
            let error = &failure as &dyn std::error::Error;
            tracing::warn!(segment.id = %id, error, "a seal could not be read");
            None
        });
        Seal::from_bytes(&kept?)
    }
}

/// Seals the recordings that have no seal: taken in before there were any. Of a file that is not the approved one there is
/// none to make.
pub fn seal_all(audio: &Path, store: &Store) -> Result<(), StoreError> {
    for segment in store.catalog()?.iter().filter(|segment| store.seal(&segment.id).is_none()) {
        let read = File::open(audio.join(&segment.file)).and_then(|mut file| Seal::of(&mut file));
        if let Some((_, seal)) = read.ok().filter(|(hash, _)| *hash == segment.hash) {
            store.add_seal(&segment.id, seal.to_bytes())?;
        }
    }
    Ok(())
}

/// A person's words, completed by the file's own.
fn completed(mut words: Words, tags: Words, name: &str) -> Words {
    if words.title.trim().is_empty() {
        let title = if tags.title.trim().is_empty() { stem(name) } else { tags.title };
        words.title = fitting(&title);
    }
    if words.title.is_empty() {
        words.title = UNTITLED.to_owned();
    }
    words.author = words.author.or(tags.author.map(|author| fitting(&author).into()));
    words
}

/// What a file says of itself, as it can be one of a segment's words. Some devices write names and tags decomposed: they
/// would not be found by who types them.
fn fitting(text: &str) -> String {
    let seen = |letter: char| if letter.is_control() { ' ' } else { letter };
    let text: String = text.nfc().filter(|letter| !turns_text(*letter)).map(seen).collect();
    text.trim().chars().take(LONGEST_TEXT).collect()
}

/// A file's name without its ending.
fn stem(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    last.rsplit_once('.').map_or(last, |(stem, _)| stem).to_owned()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;
    use tempfile::TempDir;

    use super::*;
    use crate::clock::ManualClock;
    use crate::media::ingest::Limits;
    use crate::store::Step;

    #[test]
    fn what_a_file_says_of_itself_can_be_a_word() {
        let tags = |title: &str| Words {
            title: title.to_owned(),
            author: Some(format!("Lan\r\n{}", "x".repeat(400)).into()),
            ..Words::default()
        };
        for title in ["a\u{0}b", &"dài ".repeat(200), " ", "\ta"] {
            let words = completed(Words::default(), tags(title), &format!("{}\n.wav", "tên ".repeat(200)));
            assert_eq!(words.check(), Ok(()), "{words:?}");
            assert!(!words.title.is_empty());
        }
        assert_eq!(completed(Words::default(), tags("a\tb"), "").title, "a b");
        assert_eq!(completed(Words::default(), tags("bản\u{202e}3pm.\u{2069}"), "").title, "bản3pm.");
        for name in ["", ".htaccess", "\u{202e}.wav", " .m4a"] {
            assert_eq!(completed(Words::default(), Words::default(), name).title, UNTITLED, "{name:?}");
        }
    }

    /// A station's way in, and a folder for files from elsewhere beside its `audio/`.
    struct Door {
        intake: Intake,
        dir: TempDir,
    }

    impl Door {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let audio_dir = dir.path().join("audio");
            fs::create_dir(&audio_dir).unwrap();
            let ingest = Ingest { audio_dir, limits: Limits::default(), ffmpeg: None };
            let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
            let store = Store::open(&dir.path().join("data")).unwrap();
            Self { intake: Intake::new(ingest, store, clock), dir }
        }

        /// Takes in a tone under a name.
        fn take_in(&self, name: &str, period: usize) -> Taken {
            let file = self.dir.path().join(name);
            File::create(&file).and_then(|mut file| io::Write::write_all(&mut file, &tone(period))).unwrap();
            self.bring(&file, Words::default(), date(1970, 1, 1)).unwrap()
        }

        fn bring(&self, file: &Path, words: Words, today: Date) -> Result<Taken, IntakeError> {
            self.intake.take_in_copy(file, words, ("lan", today), &AtomicBool::new(false))
        }

        fn events(&self, segment: &Segment) -> Vec<String> {
            let events = self.intake.store.segment_events(&segment.id).unwrap();
            events.into_iter().map(|event| event.what).collect()
        }

        fn audio(&self, name: &str) -> PathBuf {
            self.dir.path().join("audio").join(name)
        }

        /// The files in `audio/`, and those that are on their way there.
        fn files(&self) -> Vec<String> {
            let names = |dir: &Path| {
                let entries = fs::read_dir(dir).into_iter().flatten().map(Result::unwrap);
                let files = entries.filter(|entry| entry.path().is_file());
                files.map(|entry| entry.file_name().into_string().unwrap()).collect::<Vec<_>>()
            };
            let mut all = [names(&self.audio("")), names(&self.audio(".incoming"))].concat();
            all.sort();
            all
        }
    }

    /// A second of a square wave with so many frames to a period.
    fn tone(period: usize) -> Vec<u8> {
        let mut bytes = io::Cursor::new(Vec::new());
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        for frame in 0..8_000 {
            writer.write_sample(if (frame / period).is_multiple_of(2) { 8_000_i16 } else { -8_000 }).unwrap();
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_name_is_a_segments_also_while_its_file_is_gone() {
        let door = Door::new();
        assert_eq!(door.take_in("tin.wav", 20).segment.file, "tin.wav");
        fs::remove_file(door.audio("tin.wav")).unwrap();
        let other = door.take_in("tin.wav", 30);
        assert_eq!((&*other.segment.file, other.had), ("tin-2.wav", Had::Nothing));
        assert_eq!(door.files(), ["tin-2.wav"]);
    }

    #[test]
    fn what_lies_in_the_folder_already_keeps_its_name_and_other_bytes_get_another() {
        let door = Door::new();
        for (name, period) in [("hieu.wav", 20), ("khac.wav", 40)] {
            File::create(door.audio(name))
                .and_then(|mut file| io::Write::write_all(&mut file, &tone(period)))
                .unwrap();
        }
        let taken = door.take_in("hieu.wav", 20);
        assert_eq!((&*taken.segment.file, taken.had), ("hieu.wav", Had::Nothing));
        assert_eq!(door.take_in("khac.wav", 30).segment.file, "khac-2.wav");
        assert_eq!(door.files(), ["hieu.wav", "khac-2.wav", "khac.wav"]);
    }

    #[test]
    fn a_file_that_is_gone_is_put_back_under_its_own_name() {
        let door = Door::new();
        for (name, period) in [("a.wav", 20), ("b.wav", 30)] {
            door.take_in(name, period);
            fs::remove_file(door.audio(name)).unwrap();
        }
        let again = door.take_in("b.wav", 20);
        assert_eq!((&*again.segment.file, again.had), ("a.wav", Had::Words { kept_as: None }));
        assert_eq!(door.files(), ["a.wav"], "the name of another segment stays free for its own file");
        assert_eq!(door.take_in("c.wav", 20).had, Had::All);
        assert_eq!(door.take_in("c.wav", 30).segment.file, "b.wav");
        assert_eq!(door.files(), ["a.wav", "b.wav"]);
        assert_eq!(door.events(&again.segment), ["added", "file-restored"]);
    }

    #[test]
    fn a_file_that_was_changed_is_put_back_and_the_strange_one_kept() {
        let door = Door::new();
        let taken = door.take_in("tin.wav", 20).segment;
        let right = fs::read(door.audio("tin.wav")).unwrap();
        for (nth, strange) in [(2, &right[..9_000]), (3, b"")] {
            File::create(door.audio("tin.wav"))
                .and_then(|mut file| io::Write::write_all(&mut file, strange))
                .unwrap();
            let kept_as = format!("tin-{nth}.wav");
            let again = door.take_in("other.wav", 20);
            assert_eq!((&again.segment, again.had), (&taken, Had::Words { kept_as: Some(kept_as.clone()) }));
            assert_eq!(fs::read(door.audio("tin.wav")).unwrap(), right);
            assert_eq!(fs::read(door.audio(&kept_as)).unwrap(), strange);
        }
        assert_eq!(door.files(), ["tin-2.wav", "tin-3.wav", "tin.wav"]);
        assert_eq!(door.events(&taken), ["added", "file-replaced", "file-replaced"]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_put_back_and_what_stood_there_kept() {
        let door = Door::new();
        let taken = door.take_in("a.wav", 20);
        fs::remove_file(door.audio("a.wav")).unwrap();
        // Nobody can read it, not even who may read everything.
        std::os::unix::fs::symlink("a.wav", door.audio("a.wav")).unwrap();
        let again = door.take_in("a.wav", 20);
        let kept_as = Some("a-2.wav".to_owned());
        assert_eq!((&again.segment, again.had), (&taken.segment, Had::Words { kept_as }));
        assert!(fs::symlink_metadata(door.audio("a-2.wav")).unwrap().is_symlink());
        assert_eq!(look_at(&door.audio(""), &taken.segment, None).1, None);
    }

    #[test]
    fn what_is_taken_in_is_sealed_and_what_was_before_there_were_seals_is_later() {
        let door = Door::new();
        let [kept, changed] =
            [("a.wav", 20), ("b.wav", 30)].map(|(name, period)| door.take_in(name, period).segment);
        let store = &door.intake.store;
        let seal = store.seal(&kept.id);
        assert_eq!(seal, Some(Seal::of(&mut File::open(door.audio("a.wav")).unwrap()).unwrap().1));
        for segment in [&kept, &changed] {
            store.add_seal(&segment.id, Vec::new()).unwrap();
        }
        fs::copy(door.audio("a.wav"), door.audio("b.wav")).unwrap();
        assert_eq!(store.seal(&kept.id), None);
        seal_all(&door.audio(""), store).unwrap();
        assert_eq!((store.seal(&kept.id), store.seal(&changed.id)), (seal, None));
    }

    #[test]
    fn a_draft_that_was_thrown_away_comes_back_with_its_file_as_if_it_were_new() {
        let door = Door::new();
        let taken = door.take_in("tin.wav", 20).segment;
        door.intake.store.step_segment(&taken.id, Step::Discard, "lan", taken.added).unwrap();
        fs::remove_file(door.audio("tin.wav")).unwrap();
        let again = door.take_in("bài mới.wav", 20);
        assert_eq!((again.segment.state, again.had), (State::Draft, Had::Nothing));
        assert_eq!((again.segment.words.title.as_str(), again.segment.file.as_str()), ("bài mới", "tin.wav"));
        assert_eq!(door.files(), ["tin.wav"]);
        assert_eq!(door.events(&taken), ["added", "discarded", "file-restored", "added"]);
    }

    #[test]
    fn of_two_who_bring_a_missing_file_one_puts_it_back() {
        let door = Door::new();
        door.take_in("tin.wav", 20);
        fs::remove_file(door.audio("tin.wav")).unwrap();
        let had = std::thread::scope(|scope| {
            let door = &door;
            let bring = |name| scope.spawn(move || door.take_in(name, 20).had);
            ["a.wav", "b.wav"].map(bring).map(|one| one.join().unwrap())
        });
        assert!(had.contains(&Had::Words { kept_as: None }) && had.contains(&Had::All), "{had:?}");
        assert_eq!(door.files(), ["tin.wav"]);
    }

    #[test]
    fn words_that_cannot_be_are_not_taken_in_and_nothing_is_left() {
        let door = Door::new();
        let file = door.dir.path().join("a.wav");
        File::create(&file).unwrap();
        for (words, expected) in [
            (Words { topic: Some("II.7".into()), ..Words::default() }, ("topic", BadWord::NoTopic)),
            (Words { title: "x".repeat(301), ..Words::default() }, ("title", BadWord::TooLong)),
            (Words { source: Some("a\nb".into()), ..Words::default() }, ("source", BadWord::Unseen)),
            (
                Words {
                    valid_from: "2026-12-05".parse().ok(),
                    valid_until: "2026-12-01".parse().ok(),
                    ..Words::default()
                },
                ("valid_until", BadWord::EndsBeforeItBegins),
            ),
        ] {
            let refused = door.bring(&file, words, date(2026, 11, 23)).unwrap_err();
            let IntakeError::Word { field, cause } = refused else { panic!("{refused:?}") };
            assert_eq!((field, cause), expected);
        }
        assert_eq!(door.files(), [""; 0]);
    }

    #[test]
    fn one_that_is_called_off_while_it_is_copied_leaves_nothing() {
        let door = Door::new();
        let file = door.dir.path().join("a.wav");
        File::create(&file).and_then(|mut file| io::Write::write_all(&mut file, &tone(20))).unwrap();
        let handed_in = ("lan", date(2026, 11, 23));
        let stopped = door.intake.take_in_copy(&file, Words::default(), handed_in, &AtomicBool::new(true));
        assert!(matches!(stopped, Err(IntakeError::Refused(Refusal::Cancelled))), "{stopped:?}");
        assert_eq!(door.files(), [""; 0]);
    }

    #[test]
    fn what_is_new_has_a_day_yet_on_which_it_may_air() {
        let door = Door::new();
        let file = door.dir.path().join("a.wav");
        File::create(&file).and_then(|mut file| io::Write::write_all(&mut file, &tone(20))).unwrap();
        let until = |day| Words { valid_until: Some(date(2026, 11, day)), ..Words::default() };
        let bring = |day| door.bring(&file, until(day), date(2026, 11, 23));
        let is_refused = |day| matches!(bring(day), Err(IntakeError::Word { cause: BadWord::IsOver, .. }));
        assert!(is_refused(22));
        assert_eq!(door.files(), [""; 0], "nothing is left");
        let taken = bring(23).unwrap();
        assert_eq!(taken.had, Had::Nothing, "the last day is one of them");
        assert_eq!(bring(22).unwrap().had, Had::All, "what is there is there");
        door.intake
            .store
            .step_segment(&taken.segment.id, Step::Discard, "lan", Timestamp::UNIX_EPOCH)
            .unwrap();
        assert!(is_refused(22), "thrown away, it is new again");
    }
}
