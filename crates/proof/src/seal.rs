//! Seals: what rows said when an event changed them, so that a row that was changed behind the product's back is found.
//!
//! ```text
//! seal  = SHA-256("sightline row 1\n" || salt || canonical JSON of the row; null where it was removed)
//! seals = SHA-256("sightline seals 1\n" || for each row, by id: id || " " || seal in hex || "\n")
//! ```
//!
//! A leaf holds the hash of its [`list`] alone, however many rows its event changed. Seals and salts stand beside it, with 32
//! random bytes of salt for each seal: without the salt nobody can try words against a seal.

use serde_json::Value;

use crate::canonical::{self, Refused};
use crate::digest::{Hasher, Sha256Digest};

const ROW: &[u8] = b"sightline row 1\n";
const LIST: &[u8] = b"sightline seals 1\n";

/// The seal of a row: of all that it says, or of null where it was removed.
///
/// # Errors
/// When it holds floats or numbers beyond 2^53 − 1.
pub fn of_row(salt: &[u8; 32], row: &Value) -> Result<Sha256Digest, Refused> {
    let mut hasher = Hasher::new();
    hasher.update(ROW);
    hasher.update(salt);
    hasher.update(&canonical::to_bytes(row)?);
    Ok(hasher.finish())
}

/// The hash over the seals of one event: ids and seals, sorted by id.
pub fn list<'s>(seals: impl IntoIterator<Item = (&'s str, &'s Sha256Digest)>) -> Sha256Digest {
    let mut hasher = Hasher::new();
    hasher.update(LIST);
    for (id, seal) in seals {
        hasher.update(format!("{id} {seal}\n").as_bytes());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The format in the words above, spelled out: `printf 'sightline row 1\n…' | sha256sum`.
    #[test]
    fn seals_are_what_the_format_says() {
        let seal = of_row(b"................................", &json!({"state": "denied", "id": "itm_1"})).unwrap();
        let spelled = b"sightline row 1\n................................{\"id\":\"itm_1\",\"state\":\"denied\"}";
        assert_eq!(seal, Sha256Digest::of(spelled));
        let spelled = format!("sightline seals 1\nitm_1 {seal}\n");
        assert_eq!(list([("itm_1", &seal)]), Sha256Digest::of(spelled.as_bytes()));
    }

    #[test]
    fn another_row_another_salt_another_seal() {
        let row = json!({"state": "denied"});
        let seal = of_row(&[7; 32], &row).unwrap();
        assert_ne!(seal, of_row(&[8; 32], &row).unwrap());
        assert_ne!(seal, of_row(&[7; 32], &json!({"state": "released"})).unwrap());
        assert_ne!(seal, of_row(&[7; 32], &Value::Null).unwrap());
    }
}
