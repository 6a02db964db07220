//! Text signed by named keys: C2SP signed-note (<https://c2sp.org/signed-note>).
//!
//! ```text
//! text, each line ended by a newline
//!
//! — key name base64(key id || signature)
//! ```
//!
//! The key id is `SHA-256(name || "\n" || 0x01 || public key)[..4]`; 0x01 means Ed25519.

use std::fmt;
use std::str::FromStr;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::digest::Hasher;

const ED25519: u8 = 1;
/// More signatures than this are not read.
const MOST_SIGNATURES: usize = 100;

/// What is wrong with a note or a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The text of a key is not one.
    #[error("not a key of signed notes")]
    Key,
    /// A key name must not be empty, nor hold spaces or plus signs.
    #[error("a key name must not be empty, nor hold spaces or plus signs")]
    Name,
    /// Not the shape of a signed note.
    #[error("not a signed note")]
    Malformed,
    /// No signature by the key that is trusted.
    #[error("not signed by the expected key")]
    Unsigned,
    /// A signature by the key that is trusted, and it is wrong.
    #[error("the signature is wrong")]
    WrongSignature,
}

fn key_id(name: &str, public: &[u8; 32]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(name.as_bytes());
    hasher.update(&[b'\n', ED25519]);
    hasher.update(public);
    let [a, b, c, d, ..] = hasher.finish().0;
    u32::from_be_bytes([a, b, c, d])
}

fn check_name(name: &str) -> Result<(), NoteError> {
    let fits = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+');
    fits.then_some(()).ok_or(NoteError::Name)
}

/// `name+hash+base64(0x01 || key)`, the end that both kinds of keys share.
fn parse_key(text: &str) -> Result<(&str, u32, [u8; 32]), NoteError> {
    let (name, rest) = text.split_once('+').ok_or(NoteError::Key)?;
    let (id, key) = rest.split_once('+').ok_or(NoteError::Key)?;
    check_name(name)?;
    if id.len() != 8 || !id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Err(NoteError::Key);
    }
    let id = u32::from_str_radix(id, 16).map_err(|_| NoteError::Key)?;
    match BASE64.decode(key).map_err(|_| NoteError::Key)?.split_first() {
        Some((&ED25519, key)) => Ok((name, id, key.try_into().map_err(|_| NoteError::Key)?)),
        _ => Err(NoteError::Key),
    }
}

/// A public key with a name. Its text is a *vkey*: `name+0a1b2c3d+AQ…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    id: u32,
    key: VerifyingKey,
}

impl Verifier {
    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The 32 bytes of the public key.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    fn new(name: &str, key: VerifyingKey) -> Self {
        Self { name: name.to_owned(), id: key_id(name, key.as_bytes()), key }
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.id, BASE64.encode(key))
    }
}

impl FromStr for Verifier {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, id, key) = parse_key(text)?;
        let verifier = Self::new(name, VerifyingKey::from_bytes(&key).map_err(|_| NoteError::Key)?);
        if verifier.id == id { Ok(verifier) } else { Err(NoteError::Key) }
    }
}

/// A private key with a name. Its text is an *skey*: `PRIVATE+KEY+name+0a1b2c3d+AQ…`.
#[derive(Clone)]
pub struct Signer {
    verifier: Verifier,
    key: SigningKey,
}

impl Signer {
    /// The key made from 32 random bytes.
    ///
    /// # Errors
    /// When the name is empty, or holds spaces or plus signs.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        let key = SigningKey::from_bytes(seed);
        Ok(Self { verifier: Verifier::new(name, key.verifying_key()), key })
    }

    /// What others verify with.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The text of the private key, for a file that nobody else reads.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        format!("PRIVATE+KEY+{}+{:08x}+{}", self.verifier.name, self.verifier.id, BASE64.encode(key))
    }

    /// The text with one signature.
    ///
    /// # Errors
    /// When the text does not end with a newline, or holds control characters.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        check_text(text)?;
        let mut signature = self.verifier.id.to_be_bytes().to_vec();
        signature.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        Ok(format!("{text}\n— {} {}\n", self.verifier.name, BASE64.encode(signature)))
    }
}

impl FromStr for Signer {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, id, seed) = parse_key(text.strip_prefix("PRIVATE+KEY+").ok_or(NoteError::Key)?)?;
        let signer = Self::from_seed(name, &seed)?;
        if signer.verifier.id == id { Ok(signer) } else { Err(NoteError::Key) }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.verifier)
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    let fits = text.ends_with('\n') && !text.contains(|c: char| c < ' ' && c != '\n');
    fits.then_some(()).ok_or(NoteError::Malformed)
}

/// The text of a note that the key signed. Signatures by other keys are passed over.
///
/// # Errors
/// When it is no note, is not signed by the key, or its signature is wrong.
pub fn open<'n>(note: &'n str, verifier: &Verifier) -> Result<&'n str, NoteError> {
    let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
    let text = &note[..text.len() + 1];
    check_text(text)?;
    let lines = signatures.strip_suffix('\n').ok_or(NoteError::Malformed)?;
    let mut signed = false;
    for (n, line) in lines.split('\n').enumerate() {
        let (name, signature) =
            line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or(NoteError::Malformed)?;
        let signature = BASE64.decode(signature).map_err(|_| NoteError::Malformed)?;
        let (id, signature) = signature.split_first_chunk::<4>().ok_or(NoteError::Malformed)?;
        if n >= MOST_SIGNATURES || check_name(name).is_err() || signature.is_empty() {
            return Err(NoteError::Malformed);
        }
        if name == verifier.name && u32::from_be_bytes(*id) == verifier.id {
            let signature = Signature::from_slice(signature).map_err(|_| NoteError::WrongSignature)?;
            verifier.key.verify_strict(text.as_bytes(), &signature).map_err(|_| NoteError::WrongSignature)?;
            signed = true;
        }
    }
    if signed { Ok(text) } else { Err(NoteError::Unsigned) }
}
