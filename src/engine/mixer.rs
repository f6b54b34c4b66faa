//! Two voices into one stream: the foreground, and the one that fades out under it.
//!
//! Everything is placed by the number of a frame, counted since the mixer was made. A chained voice begins at the very
//! frame at which the one before it ends. [`Mixer::render`] allocates nothing, locks nothing and frees nothing: sources
//! that are over leave through [`Happening::Ended`], to be dropped elsewhere.

use super::limiter::{LOOKAHEAD, Limiter};
use crate::media::crest::loudest;
use crate::media::source::{Read, Source};
use crate::output::{CHANNELS, CHUNK_FRAMES};

/// The fade of what is cut without having been stopped: 5 ms, against the click.
pub const DECLICK_FRAMES: u64 = 240;
/// Happenings of one chunk: the faded, the foreground, the chained and the started one may all end, and two of them begin.
const HAPPENINGS: usize = 8;

/// Names a voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VoiceId(pub u64);

/// A source, and how it is to sound.
#[derive(Debug)]
pub struct Voice {
    /// Its name.
    pub id: VoiceId,
    /// Where its frames come from.
    pub source: Box<dyn Source>,
    /// What its samples are multiplied by.
    pub gain: f32,
    /// Frames of its fade-in; zero for none.
    pub fade_in: u64,
}

/// What a chunk brought.
#[derive(Debug)]
pub enum Happening {
    /// A voice's first frame was placed.
    Started {
        /// Whose.
        voice: VoiceId,
        /// Where.
        frame: u64,
    },
    /// A voice's last frame was placed.
    Ended {
        /// Whose.
        voice: VoiceId,
        /// The frame after it.
        frame: u64,
        /// Frames its source gave.
        placed: u64,
        /// Frames of silence in between, for which it was not ready.
        starved: u64,
        /// Its source, to be dropped where that may take time.
        source: Box<dyn Source>,
    },
}

/// Adds up the voices of one output.
#[derive(Debug)]
pub struct Mixer {
    position: u64,
    foreground: Option<Sounding>,
    fading: Option<Sounding>,
    chained: Option<Voice>,
    armed: Option<(u64, Voice)>,
    scratch: Vec<f32>,
    limiter: Limiter,
    happened: Vec<Happening>,
    /// Frames since anything sounded.
    silent_for: u64,
    peak: f32,
}

impl Default for Mixer {
    fn default() -> Self {
        Self::new()
    }
}

impl Mixer {
    /// A silent mixer.
    pub fn new() -> Self {
        Self {
            position: 0,
            foreground: None,
            fading: None,
            chained: None,
            armed: None,
            scratch: vec![0.0; CHUNK_FRAMES * CHANNELS],
            limiter: Limiter::new(),
            happened: Vec::with_capacity(HAPPENINGS),
            silent_for: LOOKAHEAD as u64,
            peak: 0.0,
        }
    }

    /// The number of the next frame to be mixed. It comes out [`LOOKAHEAD`] frames later.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether nothing sounds, waits for its frame, or is yet to come out of the limiter.
    pub fn is_silent(&self) -> bool {
        self.foreground.is_none()
            && self.fading.is_none()
            && self.armed.is_none()
            && self.silent_for >= LOOKAHEAD as u64
    }

    /// The loudest sample that came out since this was last asked.
    pub fn take_peak(&mut self) -> f32 {
        std::mem::take(&mut self.peak)
    }

    /// Lets a voice begin at a frame, or at the next one if that is past. What plays there ends, in a short fade if it
    /// is not fading already. Gives back what waited for its turn until now.
    pub fn start(&mut self, voice: Voice, at: u64) -> [Option<Voice>; 2] {
        let armed = self.armed.replace((at.max(self.position), voice));
        [armed.map(|(_, voice)| voice), self.chained.take()]
    }

    /// Lets a voice begin where the one before it ends: the one last started, or the foreground. Gives back the one that
    /// was chained before.
    pub fn chain(&mut self, voice: Voice) -> Option<Voice> {
        if self.foreground.is_none() && self.armed.is_none() {
            self.armed = Some((self.position, voice));
            return None;
        }
        self.chained.replace(voice)
    }

    /// Takes back a voice that has not begun.
    pub fn take_back(&mut self, id: VoiceId) -> Option<Voice> {
        if self.chained.as_ref().is_some_and(|voice| voice.id == id) {
            return self.chained.take();
        }
        self.armed.take_if(|(_, voice)| voice.id == id).map(|(_, voice)| voice)
    }

    /// Fades a voice out, from a frame on, over so many; whether it was sounding. A fade already under way that ends
    /// sooner stays.
    pub fn stop(&mut self, id: VoiceId, at: u64, fade: u64) -> bool {
        let at = at.max(self.position);
        let mut found = false;
        for sounding in [&mut self.foreground, &mut self.fading].into_iter().flatten() {
            if sounding.voice.id == id {
                sounding.fade_out(at, fade);
                found = true;
            }
        }
        found
    }

    /// The voice in the foreground, if its file broke off: so many frames it gave were silence in the place of the file's.
    pub fn broken_off(&self) -> Option<(VoiceId, u64)> {
        let voice = &self.foreground.as_ref()?.voice;
        Some((voice.id, voice.source.missing())).filter(|(_, missing)| *missing > 0)
    }

    /// Mixes the next frames, and says what happened in them.
    pub fn render(&mut self, samples: &mut [f32]) -> std::vec::Drain<'_, Happening> {
        let sounded = self.foreground.is_some() || self.fading.is_some() || self.armed.is_some();
        for chunk in samples.chunks_mut(CHUNK_FRAMES * CHANNELS) {
            self.chunk(chunk);
        }
        if sounded {
            self.silent_for = 0;
        }
        if self.silent_for < LOOKAHEAD as u64 {
            self.limiter.process(samples);
            self.peak = self.peak.max(loudest(samples));
            // Counted after the chunk in which the last voice ended, hence a chunk too many at most.
            self.silent_for += if sounded { 0 } else { (samples.len() / CHANNELS) as u64 };
        }
        self.happened.drain(..)
    }

    fn chunk(&mut self, mut out: &mut [f32]) {
        while !out.is_empty() {
            if self.armed.as_ref().is_some_and(|&(at, _)| at <= self.position) {
                self.begin_armed();
            }
            let wanted = (out.len() / CHANNELS) as u64;
            let run = self.armed.as_ref().map_or(wanted, |&(at, _)| wanted.min(at - self.position));
            let (now, later) = out.split_at_mut(samples_of(run));
            self.foreground_into(now);
            self.fading_onto(now);
            self.position += run;
            out = later;
        }
    }

    /// The armed voice takes the foreground, at this frame.
    fn begin_armed(&mut self) {
        let Some((_, voice)) = self.armed.take() else { return };
        if let Some(mut cut) = self.foreground.take() {
            cut.fade_out_at_latest(self.position, DECLICK_FRAMES);
            // Two voices at most: what was still fading is as good as silent.
            if let Some(gone) = self.fading.replace(cut) {
                self.happened.push(gone.end(self.position));
            }
        }
        self.begin(voice, self.position);
    }

    fn begin(&mut self, voice: Voice, frame: u64) {
        self.happened.push(Happening::Started { voice: voice.id, frame });
        self.foreground = Some(Sounding::new(voice, frame));
    }

    /// Fills the run with the foreground, and the chained voice after it.
    fn foreground_into(&mut self, mut out: &mut [f32]) {
        let mut frame = self.position;
        while let Some(sounding) = &mut self.foreground {
            if out.is_empty() {
                return;
            }
            let (frames, over) = sounding.fill(out, frame);
            frame += frames;
            out = out.split_at_mut(samples_of(frames)).1;
            if !over {
                continue;
            }
            if let Some(ended) = self.foreground.take() {
                self.happened.push(ended.end(frame));
            }
            if let Some(next) = self.chained.take() {
                self.begin(next, frame);
            }
        }
        out.fill(0.0);
    }

    /// Adds the voice that fades out.
    fn fading_onto(&mut self, out: &mut [f32]) {
        let Some(sounding) = &mut self.fading else { return };
        let (scratch, _) = self.scratch.split_at_mut(out.len());
        let (frames, over) = sounding.fill(scratch, self.position);
        for (sample, more) in out.iter_mut().zip(scratch.iter().take(samples_of(frames))) {
            *sample += more;
        }
        if over && let Some(ended) = self.fading.take() {
            self.happened.push(ended.end(self.position + frames));
        }
    }
}

/// Samples of so many frames of one chunk.
#[expect(clippy::cast_possible_truncation, reason = "never more than a chunk")]
fn samples_of(frames: u64) -> usize {
    frames as usize * CHANNELS
}

/// A voice that has begun.
#[derive(Debug)]
struct Sounding {
    voice: Voice,
    began: u64,
    placed: u64,
    starved: u64,
    fade_out: Option<FadeOut>,
}

#[derive(Debug, Clone, Copy)]
struct FadeOut {
    from: u64,
    frames: u64,
    /// The gain it falls from: less than 1 where it takes over from a slower one.
    level: f32,
}

impl FadeOut {
    fn end(self) -> u64 {
        self.from + self.frames
    }

    /// A quarter of a cosine: equal power against a quarter of a sine, and exactly zero at its last frame.
    fn gain(self, frame: u64) -> f32 {
        if frame < self.from {
            return self.level;
        }
        let done = frame - self.from + 1;
        if done >= self.frames {
            return 0.0;
        }
        self.level * quarter(done, self.frames).cos()
    }
}

/// A part of a right angle.
fn quarter(part: u64, whole: u64) -> f32 {
    part as f32 / whole as f32 * std::f32::consts::FRAC_PI_2
}

impl Sounding {
    fn new(voice: Voice, began: u64) -> Self {
        Self { voice, began, placed: 0, starved: 0, fade_out: None }
    }

    fn fade_out(&mut self, from: u64, frames: u64) {
        let level = match self.fade_out {
            Some(under_way) if under_way.end() <= from + frames => return,
            Some(under_way) => under_way.gain(from),
            None => 1.0,
        };
        self.fade_out = Some(FadeOut { from, frames, level });
    }

    /// Makes sure that it fades from this frame on; a fade that began stays, however long it takes.
    fn fade_out_at_latest(&mut self, from: u64, frames: u64) {
        if self.fade_out.is_none_or(|fade| fade.from > from) {
            self.fade_out = Some(FadeOut { from, frames, level: 1.0 });
        }
    }

    /// Writes its frames from the front; gives how many it covered, and whether it is over.
    fn fill(&mut self, out: &mut [f32], frame: u64) -> (u64, bool) {
        let room = (out.len() / CHANNELS) as u64;
        let left = self.fade_out.map_or(u64::MAX, |fade| fade.end().saturating_sub(frame));
        let wanted = room.min(left);
        let (out, _) = out.split_at_mut(samples_of(wanted));
        let (given, ended) = match self.voice.source.read(out) {
            Read::Frames(frames) | Read::Starved(frames) => (frames as u64, false),
            Read::Ended(frames) => (frames as u64, true),
        };
        let given = given.min(wanted);
        let (sound, silence) = out.split_at_mut(samples_of(given));
        self.amplify(sound, frame);
        self.placed += given;
        if ended {
            return (given, true);
        }
        silence.fill(0.0);
        self.starved += wanted - given;
        (wanted, wanted == left)
    }

    fn amplify(&self, sound: &mut [f32], frame: u64) {
        let after = frame + (sound.len() / CHANNELS) as u64;
        let fades_in = frame < self.began + self.voice.fade_in;
        let fades_out = self.fade_out.is_some_and(|fade| fade.from < after);
        if !fades_in && !fades_out {
            let gain = self.voice.gain;
            sound.iter_mut().for_each(|sample| *sample *= gain);
            return;
        }
        for (frame, samples) in (frame..).zip(sound.chunks_exact_mut(CHANNELS)) {
            let gain = self.voice.gain * self.envelope(frame);
            samples.iter_mut().for_each(|sample| *sample *= gain);
        }
    }

    fn envelope(&self, frame: u64) -> f32 {
        let since = frame - self.began;
        let rise = if since < self.voice.fade_in { quarter(since, self.voice.fade_in).sin() } else { 1.0 };
        rise * self.fade_out.map_or(1.0, |fade| fade.gain(frame))
    }

    fn end(self, frame: u64) -> Happening {
        let Self { voice, placed, starved, .. } = self;
        Happening::Ended { voice: voice.id, frame, placed, starved, source: voice.source }
    }
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "tests of exact samples"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Counts up: its n-th frame is (first + n) / 2²², on both sides.
    #[derive(Debug)]
    struct Ramp {
        next: usize,
        left: usize,
        /// Gives at most this many frames at a time, then starves.
        at_once: usize,
    }

    impl Source for Ramp {
        fn read(&mut self, samples: &mut [f32]) -> Read {
            let wanted = samples.len() / CHANNELS;
            let given = wanted.min(self.left).min(self.at_once);
            for frame in samples.chunks_exact_mut(CHANNELS).take(given) {
                frame.fill(self.next as f32 / 4_194_304.0);
                self.next += 1;
            }
            self.left -= given;
            if self.left == 0 {
                Read::Ended(given)
            } else if given < wanted {
                Read::Starved(given)
            } else {
                Read::Frames(given)
            }
        }
    }

    fn ramp(id: u64, first: usize, frames: usize) -> Voice {
        let source = Box::new(Ramp { next: first, left: frames, at_once: usize::MAX });
        Voice { id: VoiceId(id), source, gain: 1.0, fade_in: 0 }
    }

    /// A voice of a constant level.
    fn flat(id: u64, level: f32, frames: usize) -> Voice {
        #[derive(Debug)]
        struct Flat(f32, usize);
        impl Source for Flat {
            fn read(&mut self, samples: &mut [f32]) -> Read {
                let given = (samples.len() / CHANNELS).min(self.1);
                samples[..given * CHANNELS].fill(self.0);
                self.1 -= given;
                if self.1 == 0 { Read::Ended(given) } else { Read::Frames(given) }
            }
        }
        Voice { id: VoiceId(id), source: Box::new(Flat(level, frames)), gain: 1.0, fade_in: 0 }
    }

    #[derive(Debug, PartialEq)]
    enum Seen {
        Started(u64, u64),
        Ended(u64, u64, u64, u64),
    }

    /// What leaves for so many frames, without the limiter's delay; one side, as both are the same.
    fn run(mixer: &mut Mixer, frames: usize, chunk: usize, seen: &mut Vec<Seen>) -> Vec<f32> {
        let mut samples = vec![0.0; frames * CHANNELS];
        for part in samples.chunks_mut(chunk * CHANNELS) {
            seen.extend(mixer.render(part).map(|happening| match happening {
                Happening::Started { voice, frame } => Seen::Started(voice.0, frame),
                Happening::Ended { voice, frame, placed, starved, .. } => {
                    Seen::Ended(voice.0, frame, placed, starved)
                }
            }));
        }
        samples.chunks_exact(CHANNELS).map(|frame| frame[0]).skip(LOOKAHEAD).collect()
    }

    #[test]
    fn a_fade_out_is_zero_at_its_last_frame_and_not_before() {
        let mut mixer = Mixer::new();
        let mut seen = Vec::new();
        assert!(mixer.start(flat(1, 0.5, 10_000), 0).iter().all(Option::is_none));
        run(&mut mixer, 1_024, 1_024, &mut seen);
        assert!(mixer.stop(VoiceId(1), 2_000, 1_000));
        let out = run(&mut mixer, 4_096, 1_024, &mut seen);
        // The first frame that comes out now is number 1024.
        let at = |frame: usize| out[frame - 1_024];
        assert_eq!(at(1_999), 0.5);
        assert!(at(2_000) < 0.5 && at(2_500) > 0.3 && at(2_998) > 0.0);
        assert_eq!(at(2_999), 0.0);
        assert_eq!(seen[1], Seen::Ended(1, 3_000, 3_000, 0));
    }

    #[test]
    fn a_fade_in_begins_at_zero_and_reaches_the_whole() {
        let mut mixer = Mixer::new();
        mixer.start(Voice { fade_in: 480, ..flat(1, 0.5, 2_000) }, 100);
        let out = run(&mut mixer, 2_048, 1_024, &mut Vec::new());
        assert_eq!((out[99], out[100], out[580]), (0.0, 0.0, 0.5));
        assert!(out[101..580].windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_start_fades_what_plays_there_and_only_two_ever_sound() {
        let mut mixer = Mixer::new();
        let mut seen = Vec::new();
        mixer.start(flat(1, 0.125, 50_000), 0);
        run(&mut mixer, 1_000, 1_000, &mut seen);
        mixer.start(flat(2, 0.25, 50_000), 1_500);
        run(&mut mixer, 760, 760, &mut seen);
        mixer.start(flat(3, 0.5, 50_000), 1_800);
        let out = run(&mut mixer, 2_000, 1_024, &mut seen);
        assert!(out.iter().all(|sample| *sample <= 0.5 + 0.25));
        assert_eq!(
            seen,
            [
                Seen::Started(1, 0),
                Seen::Started(2, 1_500),
                Seen::Ended(1, 1_740, 1_740, 0),
                Seen::Started(3, 1_800),
                Seen::Ended(2, 2_040, 540, 0),
            ]
        );
    }

    #[test]
    fn a_third_voice_cuts_the_one_that_was_fading() {
        let mut mixer = Mixer::new();
        let mut seen = Vec::new();
        mixer.start(flat(1, 0.1, 50_000), 0);
        run(&mut mixer, 100, 100, &mut seen);
        mixer.stop(VoiceId(1), 100, 40_000);
        mixer.start(flat(2, 0.1, 50_000), 200);
        run(&mut mixer, 500, 100, &mut seen);
        mixer.start(flat(3, 0.1, 50_000), 700);
        run(&mut mixer, 500, 100, &mut seen);
        assert_eq!(seen[3], Seen::Started(3, 700));
        assert_eq!(seen[2], Seen::Ended(1, 700, 700, 0));
        assert_eq!(seen[4], Seen::Ended(2, 940, 740, 0));
    }

    #[test]
    fn what_is_chained_to_a_start_follows_it_and_a_later_start_gives_it_back() {
        let mut mixer = Mixer::new();
        let mut seen = Vec::new();
        mixer.start(ramp(1, 0, 300), 50);
        assert!(mixer.chain(ramp(2, 0, 300)).is_none());
        run(&mut mixer, 400, 400, &mut seen);
        assert_eq!(seen, [Seen::Started(1, 50), Seen::Ended(1, 350, 300, 0), Seen::Started(2, 350)]);
        assert!(mixer.chain(ramp(3, 0, 300)).is_none());
        let [armed, chained] = mixer.start(ramp(4, 0, 300), 420);
        assert!(armed.is_none());
        assert_eq!(chained.unwrap().id, VoiceId(3));
    }

    #[test]
    fn silence_stands_in_for_what_is_late_and_is_counted() {
        let mut mixer = Mixer::new();
        let mut seen = Vec::new();
        let source = Box::new(Ramp { next: 1, left: 1_500, at_once: 600 });
        mixer.start(Voice { id: VoiceId(1), source, gain: 1.0, fade_in: 0 }, 0);
        run(&mut mixer, 4_000, 1_000, &mut seen);
        assert_eq!(seen[1], Seen::Ended(1, 2_300, 1_500, 800));
        assert!(mixer.is_silent());
    }

    #[test]
    fn rendering_allocates_nothing_and_frees_nothing() {
        let mut mixer = Mixer::new();
        let mut chunk = vec![0.0; CHUNK_FRAMES * CHANNELS];
        mixer.start(Voice { gain: 3.0, fade_in: 900, ..flat(1, 0.9, 5_000) }, 0);
        assert!(mixer.chain(flat(2, 1.0, 100)).is_none());
        let mut kept = Vec::with_capacity(16);
        let mut given_back = [None, None];
        for turn in 0..12 {
            let voice = (turn == 2).then(|| Voice { gain: 2.0, ..flat(3, 1.0, 9_000) });
            let counted = allocation_counter::measure(|| {
                if let Some(voice) = voice {
                    mixer.stop(VoiceId(2), 0, 50);
                    given_back = mixer.start(voice, 2_500);
                }
                kept.extend(mixer.render(&mut chunk));
            });
            assert_eq!((counted.count_total, counted.count_current), (0, 0), "turn {turn}");
        }
        assert_eq!(given_back[1].as_ref().map(|voice| voice.id), Some(VoiceId(2)));
        assert_eq!(kept.len(), 4, "{kept:?}");
    }

    proptest! {
        #[test]
        fn chained_voices_sound_like_one(
            more in prop::collection::vec(1_usize..4_000, 1..6),
            start in 0_usize..3_000,
            chunk in 1_usize..2_100,
        ) {
            // Longer than two chunks, so that there is time to chain the next.
            let lengths: Vec<usize> = more.iter().map(|more| 2 * chunk + more).collect();
            let mut mixer = Mixer::new();
            let total: usize = lengths.iter().sum();
            mixer.start(ramp(0, 1, lengths[0]), start as u64);
            let mut waiting = 1;
            let mut first = 1 + lengths[0];
            let mut out = Vec::new();
            let mut seen = Vec::new();
            while out.len() < start + total + LOOKAHEAD {
                // The next one is chained as soon as there is room, as the loop does it.
                if seen.iter().filter(|seen| matches!(seen, Seen::Started(..))).count() == waiting
                    && waiting < lengths.len()
                {
                    prop_assert!(mixer.chain(ramp(waiting as u64, first, lengths[waiting])).is_none());
                    first += lengths[waiting];
                    waiting += 1;
                }
                let mut samples = vec![0.0; chunk * CHANNELS];
                seen.extend(mixer.render(&mut samples).map(|happening| match happening {
                    Happening::Started { voice, frame } => Seen::Started(voice.0, frame),
                    Happening::Ended { voice, frame, placed, starved, .. } =>
                        Seen::Ended(voice.0, frame, placed, starved),
                }));
                out.extend(samples.chunks_exact(CHANNELS).map(|frame| frame[0]));
            }
            let heard: Vec<u32> = out[LOOKAHEAD + start..][..total].iter().map(|s| (s * 4_194_304.0) as u32).collect();
            prop_assert!(out[..LOOKAHEAD + start].iter().all(|sample| *sample == 0.0));
            prop_assert_eq!(heard, (1..=total as u32).collect::<Vec<_>>());
            prop_assert!(seen.contains(&Seen::Started(0, start as u64)));
        }
    }
}
