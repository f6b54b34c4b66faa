//! The seal of a file: the hashes of its pieces.
//!
//! By it approved bytes are known from others as they are read, so that nobody waits until a long file was read whole:
//! neither an emergency, nor a piece that is joined after a power cut.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use symphonia::core::io::MediaSource;

use crate::segment::{ContentHash, SegmentId};

/// Bytes of a piece, of which the last may have fewer: a slow card reads one in 10 ms, and an hour of MP3 has 440.
const PIECE: usize = 1 << 17;

/// The SHA-256 of each piece of a file, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    bytes: u64,
    pieces: Vec<[u8; 32]>,
}

/// Where the seals of recordings are kept.
pub trait Seals: std::fmt::Debug + Send + Sync {
    /// That of a recording's approved bytes, where there is one.
    fn seal(&self, id: &SegmentId) -> Option<Seal>;
}

impl Seal {
    /// Reads a file whole: its hash, and its seal.
    pub fn of(file: &mut File) -> io::Result<(ContentHash, Self)> {
        let (mut bytes, mut pieces) = (0, Vec::new());
        let whole = hash_of(file, |piece| {
            bytes += piece.len() as u64;
            pieces.push(Sha256::digest(piece).into());
        })?;
        Ok((whole, Self { bytes, pieces }))
    }

    /// As it is kept: the length of the file (8 bytes, the lowest first), and its hashes.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.bytes.to_le_bytes(), self.pieces.as_flattened()].concat()
    }

    /// From what was kept; none from anything else.
    pub fn from_bytes(kept: &[u8]) -> Option<Self> {
        let (bytes, hashes) = kept.split_first_chunk()?;
        let (pieces, rest) = hashes.as_chunks();
        let seal = Self { bytes: u64::from_le_bytes(*bytes), pieces: pieces.to_vec() };
        let fits = seal.bytes.div_ceil(PIECE as u64) == seal.pieces.len() as u64;
        (rest.is_empty() && fits).then_some(seal)
    }

    /// Whether a file begins and ends as the one that was sealed, and has its middle and its length: what can be known of a
    /// long one at once.
    pub fn is_on(&self, file: &mut File) -> io::Result<bool> {
        if !self.fits(file)? {
            return Ok(false);
        }
        let mut piece = Vec::with_capacity(PIECE);
        let last = self.pieces.len().saturating_sub(1);
        for nth in [0, last / 2, last] {
            read_piece(file, nth as u64, &mut piece)?;
            if self.pieces.get(nth).is_some_and(|hash| *hash != <[u8; 32]>::from(Sha256::digest(&piece))) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a file has as many bytes as the one that was sealed.
    pub fn fits(&self, file: &File) -> io::Result<bool> {
        Ok(file.metadata()?.len() == self.bytes)
    }
}

/// The SHA-256 of the file at a path.
pub fn hash_of_path(path: &Path) -> io::Result<ContentHash> {
    hash_of(&mut File::open(path)?, |_| ())
}

/// The SHA-256 of a file, read from its beginning; `each` gets its pieces.
fn hash_of(file: &mut File, mut each: impl FnMut(&[u8])) -> io::Result<ContentHash> {
    let (mut hasher, mut piece) = (Sha256::new(), Vec::with_capacity(PIECE));
    for nth in 0.. {
        read_piece(file, nth, &mut piece)?;
        if piece.is_empty() {
            break;
        }
        hasher.update(&piece);
        each(&piece);
    }
    Ok(ContentHash(hasher.finalize().into()))
}

/// Reads a piece into its place, which is empty behind the end of the file.
fn read_piece(file: &mut File, nth: u64, piece: &mut Vec<u8>) -> io::Result<()> {
    piece.clear();
    file.seek(SeekFrom::Start(nth.saturating_mul(PIECE as u64)))?;
    file.take(PIECE as u64).read_to_end(piece)?;
    Ok(())
}

/// A file of which no byte is read but those that were sealed; where it has others, reading fails (`InvalidData`).
#[derive(Debug)]
pub struct SealedFile {
    file: File,
    seal: Arc<Seal>,
    at: u64,
    /// The piece that was read last, and which it is.
    piece: Vec<u8>,
    held: Option<u64>,
}

impl SealedFile {
    /// Reads from the beginning of a file, whatever else its handle is used for before.
    pub fn new(file: File, seal: Arc<Seal>) -> Self {
        Self { file, seal, at: 0, piece: Vec::new(), held: None }
    }

    /// Reads a piece, and makes sure of it.
    fn hold(&mut self, nth: u64) -> io::Result<()> {
        self.held = None;
        self.piece.reserve_exact(usize::try_from(self.seal.bytes).map_or(PIECE, |bytes| bytes.min(PIECE)));
        read_piece(&mut self.file, nth, &mut self.piece)?;
        let hash = usize::try_from(nth).ok().and_then(|nth| self.seal.pieces.get(nth));
        if hash != Some(&Sha256::digest(&self.piece).into()) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the file was changed after it was approved",
            ));
        }
        self.held = Some(nth);
        Ok(())
    }
}

impl Read for SealedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.seal.bytes {
            return Ok(0);
        }
        let nth = self.at / PIECE as u64;
        if self.held != Some(nth) {
            self.hold(nth)?;
        }
        let from = usize::try_from(self.at % PIECE as u64).unwrap_or(0);
        let read = self.piece.get(from..).unwrap_or(&[]).read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for SealedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.seal.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl MediaSource for SealedFile {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.seal.bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A file of two whole pieces and a bit.
    fn file() -> (tempfile::NamedTempFile, Vec<u8>) {
        let bytes: Vec<u8> = (0..2 * PIECE + 1000).map(|n| (n % 251).to_le_bytes()[0]).collect();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        (file, bytes)
    }

    #[test]
    fn what_was_sealed_is_read_from_anywhere() {
        let (file, bytes) = file();
        let (hash, seal) = Seal::of(&mut file.reopen().unwrap()).unwrap();
        assert_eq!((hash, hash.0), (hash_of_path(file.path()).unwrap(), Sha256::digest(&bytes).into()));
        assert_eq!(seal.pieces.len(), 3);
        assert_eq!(Seal::from_bytes(&seal.to_bytes()), Some(seal.clone()));
        let mut sealed = SealedFile::new(file.reopen().unwrap(), Arc::new(seal));
        let mut all = Vec::new();
        assert_eq!(sealed.read_to_end(&mut all).unwrap(), bytes.len());
        assert!(all == bytes);
        for (to, at) in [
            (SeekFrom::Start(PIECE as u64 - 10), PIECE - 10),
            (SeekFrom::Current(PIECE as i64), 2 * PIECE + 10),
            (SeekFrom::End(-5), bytes.len() - 5),
            (SeekFrom::Start(3), 3),
        ] {
            assert_eq!(sealed.seek(to).unwrap(), at as u64);
            let mut some = vec![0; 20.min(bytes.len() - at)];
            sealed.read_exact(&mut some).unwrap();
            assert!(some == bytes[at..at + some.len()], "{to:?}");
        }
        assert_eq!(sealed.seek(SeekFrom::End(7)).unwrap(), bytes.len() as u64 + 7);
        assert_eq!(sealed.read(&mut [0; 4]).unwrap(), 0, "there is nothing behind the end");
        assert!(sealed.seek(SeekFrom::Current(-1_000_000)).is_err());
    }

    #[test]
    fn other_bytes_are_not_read_wherever_they_are() {
        for changed in [0, PIECE, 2 * PIECE + 999] {
            let (file, bytes) = file();
            let (_, seal) = Seal::of(&mut file.reopen().unwrap()).unwrap();
            let mut other = bytes.clone();
            other[changed] ^= 1;
            File::create(file.path()).unwrap().write_all(&other).unwrap();
            let mut all = Vec::new();
            let failure =
                SealedFile::new(file.reopen().unwrap(), Arc::new(seal)).read_to_end(&mut all).unwrap_err();
            assert_eq!(failure.kind(), io::ErrorKind::InvalidData);
            assert!(
                all == bytes[..changed / PIECE * PIECE],
                "up to the piece, and none of it: {}",
                all.len()
            );
        }
    }

    #[test]
    fn a_seal_is_on_a_file_of_its_length_beginning_middle_and_end() {
        let (file, bytes) = file();
        let mut at = file.reopen().unwrap();
        let seal = Seal::of(&mut at).unwrap().1;
        assert!(seal.is_on(&mut at).unwrap());
        for changed in [0, PIECE + 5, 2 * PIECE + 999] {
            let mut other = bytes.clone();
            other[changed] ^= 1;
            File::create(file.path()).unwrap().write_all(&other).unwrap();
            assert!(!seal.is_on(&mut at).unwrap(), "{changed}");
        }
        File::create(file.path()).unwrap().write_all(&bytes[1..]).unwrap();
        assert!(!seal.is_on(&mut at).unwrap());
    }

    #[test]
    fn what_is_no_seal_is_none() {
        let (file, _) = file();
        let seal = Seal::of(&mut file.reopen().unwrap()).unwrap().1.to_bytes();
        for kept in [&[][..], &seal[..7], &seal[..seal.len() - 1], &seal[..seal.len() - 32], &[0xff; 40]] {
            assert_eq!(Seal::from_bytes(kept), None);
        }
        let empty = Seal { bytes: 0, pieces: Vec::new() };
        assert_eq!(Seal::from_bytes(&empty.to_bytes()), Some(empty));
    }
}
