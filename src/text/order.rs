//! The order of words in a Vietnamese dictionary.

use unicode_normalization::UnicodeNormalization as _;

/// What a text is sorted by: its letters, then its tones, then itself. The letters with a mark come behind those without:
/// a ă â, d đ, e ê, o ô ơ, u ư.
pub fn dictionary_order(text: &str) -> impl Ord + use<> {
    let (mut letters, mut tones): (Vec<(char, u8)>, Vec<char>) = (Vec::new(), Vec::new());
    for part in text.nfd().flat_map(char::to_lowercase) {
        let mark = match part {
            '\u{306}' => 1,
            '\u{302}' => 2,
            '\u{31b}' => 3,
            _ => 0,
        };
        match (part, letters.last_mut()) {
            ('đ', _) => letters.push(('d', 1)),
            (_, Some(letter)) if mark > 0 => letter.1 = mark,
            ('\u{300}'..='\u{323}', _) => tones.push(part),
            _ => letters.push((part, 0)),
        }
    }
    (letters, tones, text.to_owned())
}

/// Things in the order of their titles.
pub fn by_title<T>(all: impl IntoIterator<Item = T>, title: impl Fn(&T) -> &str) -> Vec<T> {
    let mut all: Vec<T> = all.into_iter().collect();
    all.sort_by_cached_key(|one| dictionary_order(title(one)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_come_before_tones() {
        let mut words = [
            "Đọc",
            "Dân",
            "Ăn",
            "Âm nhạc",
            "An",
            "Bản tin",
            "ban",
            "Dạy",
            "Ơn",
            "Ôn",
            "On",
            "Zalo",
            "Ứng",
            "Ung",
        ];
        words.sort_by_key(|word| dictionary_order(word));
        let order = [
            "An",
            "Ăn",
            "Âm nhạc",
            "ban",
            "Bản tin",
            "Dạy",
            "Dân",
            "Đọc",
            "On",
            "Ôn",
            "Ơn",
            "Ung",
            "Ứng",
            "Zalo",
        ];
        assert_eq!(words, order);
    }
}
