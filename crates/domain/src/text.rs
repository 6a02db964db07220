//! Text as people search for it.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Without case, accents or doubled blanks, so that `cafe` finds `Café` on every database.
pub fn fold(text: &str) -> String {
    let folded: String = text.nfkd().filter(|c| !is_combining_mark(*c)).collect::<String>().to_lowercase();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The folded words of a query, at most eight; the rest would only narrow further.
pub fn words(query: &str) -> Vec<String> {
    fold(query).split(' ').filter(|w| !w.is_empty()).take(8).map(str::to_owned).collect()
}

/// A pattern for `LIKE … ESCAPE '!'` that finds the word anywhere.
pub fn like(word: &str) -> String {
    let mut pattern = String::from("%");
    for c in word.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_and_escapes() {
        assert_eq!(fold("  Café   ＃１ "), "cafe #1");
        assert_eq!(words("North DOOR"), ["north", "door"]);
        assert_eq!(like("100%"), "%100!%%");
    }
}
