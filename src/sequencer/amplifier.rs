//! The amplifier: on before the first sound, off after the last. Off is the safe state.

use jiff::{SignedDuration, Timestamp};

use super::agenda::Progress;
use super::{Action, Air, Pass, Sequencer};
use crate::timeline::Layer;

/// What the amplifier was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amplifier {
    /// Off.
    Off,
    /// On since an instant; while nothing sounds, also since when.
    On { since: Timestamp, idle: Option<Timestamp> },
}

impl Amplifier {
    /// When it will have been on for `lead`.
    pub(super) fn warm(self, now: Timestamp, lead: SignedDuration) -> Timestamp {
        match self {
            Self::Off => now + lead,
            // The clock may have stepped back since it was switched on.
            Self::On { since, .. } => since.min(now) + lead,
        }
    }
}

impl Sequencer {
    /// Switches it on `lead` before the next sound, and off `tail` after the last one when no other is near.
    pub(super) fn switch_amplifier(&mut self, pass: &mut Pass<'_>) {
        let (lead, tail) = (self.settings.lead, self.settings.tail);
        let sounds = !matches!(self.air, Air::Silent) || !self.fading.is_empty();
        let next = if sounds { Some(pass.now) } else { self.next_sound(pass.now) };
        if self.amplifier == Amplifier::Off {
            if !next.and_then(|next| next.checked_sub(lead).ok()).is_some_and(|on| pass.due(on)) {
                return;
            }
            self.amplifier = Amplifier::On { since: pass.now, idle: None };
            pass.out.push(Action::Amplifier { on: true });
        }
        let Amplifier::On { since, idle } = self.amplifier else { return };
        if sounds {
            self.amplifier = Amplifier::On { since, idle: None };
            return;
        }
        let idle = idle.map_or(pass.now, |idle| idle.min(pass.now));
        self.amplifier = Amplifier::On { since, idle: Some(idle) };
        let off = idle + tail;
        if next.is_some_and(|next| next <= off.max(pass.now) + lead) {
            // What waits to start, and cannot before quiet hours come, keeps it on no longer than that.
            let quiet = self.curfew.begins(pass.now).filter(|begins| *begins > pass.now);
            quiet.into_iter().for_each(|begins| pass.wake(begins));
        } else if pass.due(off) {
            self.amplifier = Amplifier::Off;
            pass.out.push(Action::Amplifier { on: false });
            if let Some(on) = next.and_then(|next| next.checked_sub(lead).ok()) {
                pass.wake(on);
            }
        }
    }

    /// When something will sound next, as far as is known.
    fn next_sound(&self, now: Timestamp) -> Option<Timestamp> {
        let order = self
            .orders
            .iter()
            .map(|order| (order.what.layer, order.due.max(now)))
            .filter(|(layer, due)| *layer == Layer::Emergency || !self.curfew.covers(*due))
            .map(|(_, due)| due)
            .min();
        let planned = self
            .agenda
            .open()
            .map(|(_, entry)| entry)
            .filter(|entry| !matches!(entry.progress, Progress::OnAir | Progress::Over))
            .filter(|entry| self.barred(&entry.cue).is_none())
            .map(|entry| (entry, entry.cue.at.max(now)))
            .find(|(entry, start)| *start <= entry.latest() && !self.curfew.covers(*start))
            .map(|(_, start)| start)
            // What the clock or the output forbids may yet become possible; the amplifier waits for that.
            .filter(|start| *start > now || self.obstacle(now).is_none());
        order.into_iter().chain(planned).min()
    }
}
