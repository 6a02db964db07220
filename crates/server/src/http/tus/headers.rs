//! The headers of tus 1.0.0, read strictly: what cannot be understood is refused with the reason, never guessed.

use app::upload::checksum::{ALGORITHMS, Checksum};
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The only version spoken.
pub(super) const VERSION: &str = "1.0.0";
/// What is spoken beside the core protocol.
pub(super) const EXTENSIONS: &str = "creation,creation-with-upload,expiration,checksum,termination";
/// The media type of a part.
pub(super) const OFFSET_OCTET_STREAM: &str = "application/offset+octet-stream";

/// Longest `Upload-Metadata` that is accepted, in bytes, and the most pairs in it.
const METADATA_BYTES: usize = 4096;
const METADATA_PAIRS: usize = 32;

/// A header that is missing or wrong: its name and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    /// The header's name, as tus writes it.
    pub(super) header: &'static str,
    /// What was expected.
    pub(super) expected: &'static str,
}

const fn malformed(header: &'static str, expected: &'static str) -> Malformed {
    Malformed { header, expected }
}

/// `Upload-Metadata`: the pairs, and the text as it came, which `HEAD` gives back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    /// As it came.
    pub(super) raw: String,
    pairs: Vec<(String, Vec<u8>)>,
}

impl Metadata {
    /// The value of a key, where it is text.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let (_, value) = self.pairs.iter().find(|(k, _)| k == key)?;
        std::str::from_utf8(value).ok().filter(|text| !text.chars().any(char::is_control))
    }

    /// Reads the header. None at all is no metadata.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Malformed> {
        let wrong = |expected| malformed("Upload-Metadata", expected);
        let mut values = headers.get_all("upload-metadata").iter();
        let Some(value) = values.next() else { return Ok(Self::default()) };
        if values.next().is_some() {
            return Err(wrong("one header"));
        }
        let raw = value.to_str().map_err(|_| wrong("visible ASCII"))?;
        if raw.len() > METADATA_BYTES {
            return Err(wrong("at most 4096 bytes"));
        }
        let mut pairs: Vec<(String, Vec<u8>)> = Vec::new();
        for pair in raw.split(',') {
            let pair = pair.trim_matches(' ');
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            if key.is_empty() || !key.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(wrong("pairs of a key and a Base64 value, separated by commas"));
            }
            if pairs.iter().any(|(k, _)| k == key) {
                return Err(wrong("each key once"));
            }
            if pairs.len() == METADATA_PAIRS {
                return Err(wrong("at most 32 pairs"));
            }
            let value = STANDARD.decode(value).map_err(|_| wrong("values in Base64"))?;
            pairs.push((key.to_owned(), value));
        }
        Ok(Self { raw: raw.to_owned(), pairs })
    }
}

fn number(headers: &HeaderMap, name: &'static str) -> Result<Option<u64>, Malformed> {
    let wrong = malformed(name, "a number of bytes, 0 or larger");
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(wrong);
    }
    let text = value.to_str().map_err(|_| wrong.clone())?;
    // "+1" and "" are numbers for Rust's parser or for nobody.
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong);
    }
    text.parse().ok().filter(|n| i64::try_from(*n).is_ok()).map(Some).ok_or(wrong)
}

/// `Upload-Length` of a creation. A length that comes later is not supported: nobody here lacks it.
pub(super) fn upload_length(headers: &HeaderMap) -> Result<u64, Malformed> {
    if headers.contains_key("upload-defer-length") {
        return Err(malformed("Upload-Defer-Length", "Upload-Length instead: a deferred length is not supported"));
    }
    number(headers, "Upload-Length")?.ok_or(malformed("Upload-Length", "the size of the whole upload in bytes"))
}

/// `Upload-Offset` of a part.
pub(super) fn upload_offset(headers: &HeaderMap) -> Result<u64, Malformed> {
    number(headers, "Upload-Offset")?.ok_or(malformed("Upload-Offset", "where the part begins"))
}

/// `Content-Length`, where the body has one.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    number(headers, "Content-Length").ok().flatten()
}

/// Whether the body is a part.
pub(super) fn is_part(headers: &HeaderMap) -> bool {
    let value = headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(OFFSET_OCTET_STREAM))
}

/// `Upload-Checksum` of a part.
pub(super) fn upload_checksum(headers: &HeaderMap) -> Result<Option<Checksum>, Malformed> {
    let Some(value) = headers.get("upload-checksum") else { return Ok(None) };
    let wrong = |expected| malformed("Upload-Checksum", expected);
    let text = value.to_str().map_err(|_| wrong("an algorithm and a Base64 digest"))?;
    let (algorithm, digest) = text.split_once(' ').ok_or(wrong("an algorithm and a Base64 digest"))?;
    if !ALGORITHMS.split(',').any(|known| known == algorithm) {
        return Err(wrong("sha1 or sha256"));
    }
    let digest = STANDARD.decode(digest.trim()).map_err(|_| wrong("a Base64 digest"))?;
    Checksum::of(algorithm, &digest).map(Some).ok_or(wrong("a digest as long as the algorithm's"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn metadata_is_pairs_of_key_and_base64() {
        let read = |text: &str| Metadata::read(&headers(&[("upload-metadata", text)]));
        let metadata = read("filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential").unwrap();
        assert_eq!(metadata.text("filename"), Some("world_domination_plan.pdf"));
        assert_eq!(metadata.text("is_confidential"), Some(""));
        assert_eq!(metadata.text("filetype"), None);
        for bad in ["", "a,", ",a", "a YQ==,a Yg==", "a not-base64!", "a YQ== YQ=="] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
        assert!(read(&"a".repeat(METADATA_BYTES + 1)).is_err());
        let many: Vec<_> = (0..=METADATA_PAIRS).map(|n| n.to_string()).collect();
        assert!(read(&many.join(",")).is_err());
        // A value that would smuggle a header, or is no text, is no text for us.
        assert_eq!(read("filename YQ0KYg==").unwrap().text("filename"), None);
        assert_eq!(read("filename /w==").unwrap().text("filename"), None);
    }

    #[test]
    fn numbers_are_digits_only_and_fit_the_database() {
        let length = |text: &str| upload_length(&headers(&[("upload-length", text)]));
        assert_eq!(length("0"), Ok(0));
        assert_eq!(length("9223372036854775807"), Ok(i64::MAX as u64));
        for bad in ["", "-1", "+1", "1.0", "0x1", "9223372036854775808", "99999999999999999999"] {
            assert!(length(bad).is_err(), "{bad:?}");
        }
        assert!(upload_length(&headers(&[])).is_err());
        assert!(upload_length(&headers(&[("upload-defer-length", "1")])).is_err());
        assert!(upload_length(&headers(&[("upload-length", "1"), ("upload-length", "2")])).is_err());
    }

    #[test]
    fn checksums_name_an_algorithm_that_is_spoken() {
        let read = |text: &str| upload_checksum(&headers(&[("upload-checksum", text)]));
        assert!(matches!(read("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="), Ok(Some(Checksum::Sha1(_)))));
        for bad in [
            "sha1",
            "SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
            "md5 XrY7u+Ae7tCTyyK7j1rNww==",
            "sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
            "sha1 ?",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
        assert_eq!(upload_checksum(&headers(&[])), Ok(None));
    }

    #[test]
    fn a_part_says_what_it_is() {
        assert!(is_part(&headers(&[("content-type", OFFSET_OCTET_STREAM)])));
        assert!(!is_part(&headers(&[("content-type", "application/octet-stream")])));
        assert!(!is_part(&headers(&[])));
    }
}
