//! What a WAV file says of itself, in its list `INFO`. symphonia reads that list where it stands before the sound, and
//! then drops it; many recorders and editors write it behind.

use std::io::{self, Read, Seek, SeekFrom};

use super::decode::{Tags, tidy};

/// Chunks that are looked at: a file of a recorder has a handful.
const MOST_CHUNKS: usize = 64;
/// A list that is longer holds something else than names, in bytes.
const LONGEST_LIST: u32 = 1 << 16;

/// Title and artist; nothing where the file is no WAV, or is not as it should be: they are only proposed.
pub fn tags(file: &mut (impl Read + Seek)) -> Tags {
    list(file).map(|list| read(&list)).unwrap_or_default()
}

/// The list's bytes; empty where there is none.
fn list(file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
    let mut head = [0; 12];
    file.read_exact(&mut head)?;
    if !head.starts_with(b"RIFF") || !head.ends_with(b"WAVE") {
        return Ok(Vec::new());
    }
    for _ in 0..MOST_CHUNKS {
        let mut chunk = [0; 8];
        file.read_exact(&mut chunk)?;
        let [name @ .., a, b, c, d] = chunk;
        let length = u32::from_le_bytes([a, b, c, d]);
        let mut skipped = i64::from(length);
        if name == *b"LIST" && (4..=LONGEST_LIST).contains(&length) {
            let mut list = Vec::new();
            skipped -= i64::try_from(file.by_ref().take(length.into()).read_to_end(&mut list)?).unwrap_or(0);
            if let Some(list) = list.strip_prefix(b"INFO") {
                return Ok(list.to_vec());
            }
        }
        // Each begins at an even place.
        file.seek(SeekFrom::Current(skipped + i64::from(length % 2)))?;
    }
    Ok(Vec::new())
}

fn read(mut list: &[u8]) -> Tags {
    let mut tags = Tags::default();
    while let Some((&[n1, n2, n3, n4, a, b, c, d], rest)) = list.split_first_chunk() {
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let Some(text) = rest.get(..length) else { break };
        // What is in an old code page would come out as nonsense: then the file's name says more.
        let text = || tidy(str::from_utf8(text.split(|byte| *byte == 0).next()?).ok()?);
        match &[n1, n2, n3, n4] {
            b"INAM" if tags.title.is_none() => tags.title = text(),
            b"IART" if tags.artist.is_none() => tags.artist = text(),
            _ => {}
        }
        list = rest.get(length + length % 2..).unwrap_or_default();
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        let padding = &[0][..body.len() % 2];
        [&name[..], &length, body, padding].concat()
    }

    fn wave(chunks: &[Vec<u8>]) -> Vec<u8> {
        chunk(b"RIFF", &[b"WAVE".to_vec(), chunks.concat()].concat())
    }

    fn told(bytes: &[u8]) -> (Option<String>, Option<String>) {
        let tags = tags(&mut io::Cursor::new(bytes));
        (tags.title, tags.artist)
    }

    #[test]
    fn title_and_artist_stand_before_the_sound_or_behind_it() {
        let names = [chunk(b"INAM", "Tin xã\0".as_bytes()), chunk(b"ISFT", b"x"), chunk(b"IART", b"Lan")];
        let info = chunk(b"LIST", &[b"INFO".to_vec(), names.concat()].concat());
        let (format, sound) = (chunk(b"fmt ", &[0; 16]), chunk(b"data", &[7; 9]));
        let other = chunk(b"LIST", b"adtl");
        let both = (Some("Tin xã".to_owned()), Some("Lan".to_owned()));
        assert_eq!(told(&wave(&[format.clone(), info.clone(), sound.clone()])), both);
        let behind = wave(&[format.clone(), other, sound.clone(), info]);
        assert_eq!(told(&behind), both);
        assert_eq!(told(&wave(&[format, sound])), (None, None));
        // Cut off anywhere, it says less, and does no harm.
        for end in 0..behind.len() {
            told(&behind[..end]);
        }
    }

    #[test]
    fn what_is_no_name_is_none() {
        let list = |body: &[u8]| wave(&[chunk(b"LIST", &[b"INFO", body].concat())]);
        assert_eq!(told(&list(&chunk(b"INAM", b"B\xe0i h\xe1t"))), (None, None), "an old code page");
        assert_eq!(told(&list(&chunk(b"INAM", b" \r\n\0x"))), (None, None));
        assert_eq!(told(&list(b"INAM\xff\xff\xff\xffabc")), (None, None), "longer than the list");
        let endless = [b"RIFF\0\0\0\0WAVE".to_vec(), [0; 8].repeat(1_000)].concat();
        assert_eq!(told(&endless), (None, None));
        assert_eq!(told(b"ID3"), (None, None));
    }
}
