//! Ids: a prefix that names the noun and a UUIDv7 in 26 characters, such as
//! `cam_01hv3x7a9qf8r9x0m5t6k2w4zd` ([TypeID 0.3](https://github.com/jetify-com/typeid)). The text is the same in SQL,
//! in the API and in logs; sorting it sorts by time of creation.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Timestamp;

/// The text is not an id of the noun that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id that begins with {0}_")]
pub struct NotAnId(pub &'static str);

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// UUIDv7 (RFC 9562 §5.7) of the instant and ten random bytes, in Crockford's base 32.
fn suffix(now: Timestamp, random: [u8; 10]) -> String {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0) & 0xffff_ffff_ffff;
    let mut bits = u128::from(millis) << 80;
    let mut tail = 0u128;
    for byte in random {
        tail = tail << 8 | u128::from(byte);
    }
    bits |= tail;
    bits = bits & !(0xf << 76) | 0x7 << 76; // version 7
    bits = bits & !(0b11 << 62) | 0b10 << 62; // variant of RFC 9562
    (0..26).rev().map(|i| char::from(ALPHABET[(bits >> (5 * i) & 31) as usize])).collect()
}

fn is_suffix(text: &str) -> bool {
    text.len() == 26 && text.as_bytes()[0] <= b'7' && text.bytes().all(|b| ALPHABET.contains(&b))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// What stands before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id. Clock and randomness are the caller's.
            pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
                Self(format!(concat!($prefix, "_{}"), suffix(now, random)))
            }

            /// The text, prefix included.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Id for $name {
            fn new(now: Timestamp, random: [u8; 10]) -> Self {
                Self::new(now, random)
            }
            fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                match text.strip_prefix(concat!($prefix, "_")) {
                    Some(rest) if is_suffix(rest) => Ok(Self(text.to_owned())),
                    _ => Err(NotAnId($prefix)),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$")))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    )*};
}

/// What all ids have in common.
pub trait Id: Sized + Clone + fmt::Display + FromStr<Err = NotAnId> {
    /// A new id. Clock and randomness are the caller's.
    fn new(now: Timestamp, random: [u8; 10]) -> Self;
    /// The text, prefix included.
    fn as_str(&self) -> &str;
}

ids! {
    /// A person who signs in.
    AccountId = "acc";
    /// An owner of cameras, or the host.
    OrganizationId = "org";
    /// A set of accounts.
    GroupId = "grp";
    /// An API token.
    TokenId = "tok";
    /// A fixed camera.
    CameraId = "cam";
    /// A video request.
    VideoRequestId = "req";
    /// One source and window of a video request.
    RequestItemId = "itm";
    /// An entry of a request's thread.
    MessageId = "msg";
    /// A case.
    CaseId = "cas";
    /// One file of a case.
    EvidenceId = "evd";
    /// A public upload link.
    FileRequestId = "frq";
    /// A tus upload.
    UploadId = "upl";
    /// A connector beside a video system.
    ConnectorId = "con";
    /// Something a connector is asked to do.
    TaskId = "tsk";
    /// A ledger event.
    EventId = "evt";
    /// A queued job.
    JobId = "job";
    /// A mail in the outbox.
    MailId = "mai";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_name_their_noun() {
        let early = CameraId::new(Timestamp::from_micros(1_000_000), [0xff; 10]);
        let late = CameraId::new(Timestamp::from_micros(2_000_000), [0; 10]);
        assert!(early < late);
        assert_eq!(early.as_str().parse::<CameraId>().unwrap(), early);
        assert!(early.as_str().parse::<CaseId>().is_err());
        assert!("cam_8zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<CameraId>().is_err(), "more than 128 bits");
    }

    #[test]
    fn the_suffix_is_the_published_vector() {
        // typeid/spec valid.yml: 01890a5d-ac96-774b-bcce-b302099a8057
        let random = [0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a, 0x80, 0x57];
        let id = CameraId::new(Timestamp::from_micros(0x0189_0a5d_ac96 * 1_000), random);
        assert_eq!(id.as_str(), "cam_01h455vb4pex5vsknk084sn02q");
    }
}
