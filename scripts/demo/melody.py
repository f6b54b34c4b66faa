#!/usr/bin/env python3
"""Renders one of the example station's melodies: melody.py PIECE OUT.wav

The pieces are original, written below in the five-note scale, and played on a plucked string made of decaying
sines: no recording of anybody is used. Only Python's own library, and no randomness: the same bytes in every run.

A phrase is a line of notes `degree:beats`, degrees counted up the scale from the key note (6 is its octave, 0 and
below lie under it), `-` a rest. A piece is a form, the order in which its phrases are played.
"""

import math
import struct
import sys
import wave

RATE = 22050
SCALES = {"major": (0, 2, 4, 7, 9), "minor": (0, 3, 5, 7, 10), "fifth": (0, 2, 5, 7, 9)}

# name: key (Hz), scale, beats per minute, form, phrases
PIECES = {
    "nhac-hieu": (293.66, "major", 132, "AB", {
        "A": "1:1 3:1 4:1 6:1 5:1.5 4:.5 3:2 4:1 5:1 6:1 8:1 7:1.5 6:.5 5:2",
        "B": "6:1 5:.5 4:.5 5:1 3:1 4:1 2:1 1:2 3:1 5:1 6:4",
    }),
    "nhac-cat": (293.66, "major", 132, "A", {"A": "4:.5 5:.5 6:1 8:.5 6:.5 5:1 6:3"}),
    "ca-khuc-1": (220.00, "major", 84, "AABAABCA", {
        "A": "1:1 2:1 3:1.5 2:.5 4:1 3:1 2:2 3:1 4:1 5:1.5 4:.5 3:1 2:1 1:2",
        "B": "5:1 6:1 5:1 4:1 6:1.5 5:.5 4:2 3:1 4:1 5:1 3:1 2:4",
        "C": "8:1.5 7:.5 6:2 7:1.5 6:.5 5:2 6:1 5:1 4:1 3:1 2:4",
    }),
    "ca-khuc-2": (246.94, "minor", 96, "ABABCBA", {
        "A": "1:1.5 2:.5 3:2 4:1 3:.5 2:.5 3:2 5:1.5 4:.5 3:1 2:1 1:4",
        "B": "3:1 4:1 5:1 6:1 5:1.5 4:.5 3:2 4:1 3:1 2:1 0:1 1:4",
        "C": "6:2 7:1 6:1 5:2 4:2 5:1 6:1 5:.5 4:.5 3:1 4:4",
    }),
    "ca-khuc-3": (196.00, "fifth", 104, "AABBACBAABA", {
        "A": "1:.5 2:.5 3:1 4:1 3:1 5:1.5 4:.5 3:2 4:.5 3:.5 2:1 3:1 1:1 2:4",
        "B": "6:1 5:1 4:.5 5:.5 6:1 8:1.5 7:.5 6:2 5:1 4:1 3:.5 4:.5 5:1 4:4",
        "C": "3:2 2:1 1:1 2:2 3:2 4:1 5:1 4:1 2:1 1:4",
    }),
    "ca-khuc-4": (261.63, "major", 72, "ABACABAC", {
        "A": "3:1 4:.5 3:.5 2:1 1:1 2:1.5 3:.5 1:2 3:1 5:1 4:1.5 3:.5 4:4",
        "B": "6:1.5 5:.5 4:1 3:1 4:1 5:1 3:2 2:1 3:.5 2:.5 1:1 0:1 1:4",
        "C": "5:1 4:1 5:1 6:1 7:1.5 6:.5 5:2 6:1 4:1 3:1 2:1 3:4",
    }),
    "ca-khuc-5": (207.65, "fifth", 88, "ABCABC", {
        "A": "1:1 3:1 2:.5 3:.5 4:1 5:2 4:1 3:1 4:1 2:1 1:.5 2:.5 3:1 2:4",
        "B": "4:1 5:1 6:1 5:1 4:1.5 5:.5 3:2 2:1 3:1 4:1 2:1 1:4",
        "C": "6:1 8:1 7:1 6:1 5:1.5 6:.5 4:2 5:.5 4:.5 3:1 4:1 5:1 3:4",
    }),
    "ca-khuc-6": (233.08, "minor", 112, "AABABBABA", {
        "A": "5:.5 4:.5 3:1 4:1 2:1 3:1.5 2:.5 1:2 2:1 3:1 4:.5 5:.5 4:1 3:4",
        "B": "6:1 7:1 6:.5 5:.5 4:1 5:1.5 4:.5 3:2 4:1 5:1 6:1 4:1 5:4",
    }),
}


def frequency(key, scale, degree):
    """The pitch of a degree: 1 is the key note, 6 its octave."""
    octave, step = divmod(degree - 1, len(scale))
    return key * 2 ** (octave + scale[step] / 12)


def pluck(hertz, seconds, cache={}):
    """A string struck softly: the higher a partial, the weaker and the sooner gone."""
    if (hertz, seconds) not in cache:
        samples = [0.0] * int(seconds * RATE)
        for partial, level in ((1, 1.0), (2, 0.35), (3, 0.16), (4, 0.06)):
            turn = 2 * math.pi * hertz * partial / RATE
            decay = math.exp(-(1.4 + 0.7 * partial) / RATE)
            envelope = level
            for n in range(len(samples)):
                samples[n] += envelope * math.sin(turn * n)
                envelope *= decay
        attack, release = int(0.012 * RATE), int(0.12 * RATE)
        for n in range(attack):
            samples[n] *= n / attack
        for n in range(release):
            samples[-1 - n] *= n / release
        cache[hertz, seconds] = samples
    return cache[hertz, seconds]


def notes(phrase):
    """(degree or None, beats) of each note."""
    for word in phrase.split():
        degree, beats = word.split(":")
        yield (None if degree == "-" else int(degree)), float(beats)


def render(name):
    """All samples of a piece: the melody over an open fifth at each bar of four beats."""
    key, scale_name, tempo, form, phrases = PIECES[name]
    scale, beat = SCALES[scale_name], 60 / tempo
    score, at = [], 0.0
    for phrase in form:
        for degree, beats in notes(phrases[phrase]):
            if degree is not None:
                score.append((at, frequency(key, scale, degree), min(beats * beat + 0.9, 2.8), 0.8))
            at += beats
    for bar in range(0, int(at), 4):
        for offset, step, level in ((0, 0, 0.45), (2, 7, 0.28)):
            if bar + offset < at - 2:
                score.append((bar + offset, key / 2 * 2 ** (step / 12), 2.6, level))
    samples = [0.0] * int((at * beat + 2.9) * RATE)
    for beats, hertz, seconds, level in score:
        start = int(beats * beat * RATE)
        for n, value in enumerate(pluck(hertz, seconds)):
            if start + n == len(samples):
                break
            samples[start + n] += level * value
    return samples


def main():
    name, path = sys.argv[1:]
    samples = render(name)
    scale = 0.7 * 32767 / max(map(abs, samples))
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(struct.pack(f"<{len(samples)}h", *(round(scale * value) for value in samples)))


if __name__ == "__main__":
    main()
