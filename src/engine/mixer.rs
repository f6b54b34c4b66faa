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

    /// Frames of silence in place of a voice's sound so far: those for which its source was not ready in time, and those that its
    /// file, which broke off, does not have.
    pub fn missed(&self, id: VoiceId) -> [u64; 2] {
        let mut sounding = [&self.foreground, &self.fading].into_iter().flatten();
        let sounding = sounding.find(|sounding| sounding.voice.id == id);
        sounding.map_or([0; 2], |sounding| [sounding.starved, sounding.voice.source.missing()])
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
mod tests;
