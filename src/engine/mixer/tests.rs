//! The mixer, to the sample.

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
