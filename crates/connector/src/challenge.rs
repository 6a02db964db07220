//! Says who one is where that is asked for: Basic (RFC 7617) and Digest (RFC 7616), which HTTP and RTSP (RFC 2326, 14) share.

use aws_lc_rs::digest::{SHA256, digest as hash};
use base64::Engine;
use md5::{Digest, Md5};

/// A user name and a password, and how they were asked for last. What answers is not trusted: a password leaves in the clear
/// only where no digest was offered.
#[derive(Clone, Default)]
pub struct Identity {
    account: Option<(String, String)>,
    challenge: Option<Challenge>,
    /// How often the challenge was answered: a server may want each answer to count one more.
    uses: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Challenge {
    Basic,
    Digest { algorithm: Algorithm, realm: String, nonce: String, opaque: Option<String>, counts: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    fn named(name: Option<&str>) -> Option<Self> {
        match name {
            None => Some(Self::Md5),
            Some(name) if name.eq_ignore_ascii_case("MD5") => Some(Self::Md5),
            Some(name) if name.eq_ignore_ascii_case("SHA-256") => Some(Self::Sha256),
            Some(_) => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn of(self, text: &str) -> String {
        match self {
            Self::Md5 => crate::hex(&Md5::digest(text.as_bytes())),
            Self::Sha256 => crate::hex(hash(&SHA256, text.as_bytes()).as_ref()),
        }
    }
}

impl Identity {
    /// An account that was not asked for yet; none where there is none.
    pub fn new(account: Option<(String, String)>) -> Self {
        Self { account, challenge: None, uses: 0 }
    }

    /// Takes the values of `WWW-Authenticate`, and says whether it is worth trying again: not where the same was answered already.
    pub fn challenged<'a>(&mut self, told: impl Iterator<Item = &'a str>) -> bool {
        let strongest = told.flat_map(challenges).max();
        let worth = self.account.is_some() && strongest.is_some() && strongest != self.challenge;
        (self.challenge, self.uses) = (strongest, 0);
        worth
    }

    /// The value of `Authorization` for a request, if one was asked for.
    pub fn answer(&mut self, method: &str, uri: &str) -> Option<String> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).ok()?;
        self.uses += 1;
        self.answer_with(method, uri, &crate::hex(&bytes))
    }

    fn answer_with(&self, method: &str, uri: &str, cnonce: &str) -> Option<String> {
        let (user, password) = self.account.as_ref()?;
        let Challenge::Digest { algorithm, realm, nonce, opaque, counts } = self.challenge.as_ref()? else {
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            return Some(format!("Basic {pair}"));
        };
        let who = algorithm.of(&format!("{user}:{realm}:{password}"));
        let what = algorithm.of(&format!("{method}:{uri}"));
        let count = format!("{:08x}", self.uses);
        let proof = if *counts {
            algorithm.of(&format!("{who}:{nonce}:{count}:{cnonce}:auth:{what}"))
        } else {
            algorithm.of(&format!("{who}:{nonce}:{what}")) // RFC 2069, as old cameras know it
        };
        let mut answer = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, algorithm={}, response=\"{proof}\"",
            quoted(user),
            quoted(realm),
            quoted(nonce),
            quoted(uri),
            algorithm.name()
        );
        if let Some(opaque) = opaque {
            answer += &format!(", opaque={}", quoted(opaque));
        }
        if *counts {
            answer += &format!(", qop=auth, nc={count}, cnonce=\"{cnonce}\"");
        }
        // what was told comes back in it, and must not become a line of its own
        (!answer.contains(char::is_control)).then_some(answer)
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The challenges of one value that can be answered; there may be several in it.
fn challenges(value: &str) -> Vec<Challenge> {
    let mut out = Vec::new();
    let mut rest = value;
    while let Some((scheme, parameters, after)) = next(rest) {
        rest = after;
        let told = |name: &str| parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone());
        if scheme.eq_ignore_ascii_case("Basic") {
            out.push(Challenge::Basic);
        }
        let algorithm = Algorithm::named(told("algorithm").as_deref());
        let qop = told("qop");
        let can = qop.as_deref().is_none_or(|qop| qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")));
        if let (true, true, Some(algorithm), Some(realm), Some(nonce)) =
            (scheme.eq_ignore_ascii_case("Digest"), can, algorithm, told("realm"), told("nonce"))
        {
            out.push(Challenge::Digest { algorithm, realm, nonce, opaque: told("opaque"), counts: qop.is_some() });
        }
    }
    out
}

type Parameters = Vec<(String, String)>;

/// A scheme with its parameters, and what follows.
fn next(text: &str) -> Option<(&str, Parameters, &str)> {
    let text = text.trim_start_matches([' ', ',', '\t']);
    let end = text.find([' ', ',']).unwrap_or(text.len());
    let (scheme, mut rest) = text.split_at(end);
    if scheme.is_empty() {
        return None;
    }
    let mut parameters = Vec::new();
    loop {
        let at = rest.trim_start_matches([' ', ',', '\t']);
        let Some((name, value)) = at.split_once('=') else { return Some((scheme, parameters, at)) };
        let name = name.trim_end();
        if name.contains([' ', ',']) {
            return Some((scheme, parameters, at)); // another scheme
        }
        let (value, after) = value_of(value.trim_start());
        parameters.push((name.to_owned(), value));
        rest = after;
    }
}

/// A token or a quoted string, and what follows.
fn value_of(text: &str) -> (String, &str) {
    let Some(inner) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, letter) in inner.char_indices() {
        match letter {
            '"' if !escaped => return (value, &inner[at + 1..]),
            '\\' if !escaped => escaped = true,
            _ => {
                value.push(letter);
                escaped = false;
            }
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: [&str; 2] = [
        r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#,
        r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#,
    ];
    const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

    fn mufasa(told: &[&str]) -> Identity {
        let mut identity = Identity::new(Some(("Mufasa".into(), "Circle of Life".into())));
        assert!(identity.challenged(told.iter().copied()));
        identity.uses = 1;
        identity
    }

    /// The examples of RFC 7616, 3.9.1; of two the stronger is answered.
    #[test]
    fn digests() {
        let answer = mufasa(&TOLD).answer_with("GET", "/dir/index.html", CNONCE).unwrap();
        assert!(
            answer.contains("response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""),
            "{answer}"
        );
        let answer = mufasa(&TOLD[1..]).answer_with("GET", "/dir/index.html", CNONCE).unwrap();
        assert!(answer.contains("response=\"8ca523f5e9506fed4657c9700eebdbec\""), "{answer}");
    }

    /// The example of RFC 2069, with the response of its erratum.
    #[test]
    fn without_qop() {
        let told = r#"Digest realm="testrealm@host.com",nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",opaque="5ccc069c403ebaf9f0171e9517f40e41""#;
        let mut identity = Identity::new(Some(("Mufasa".into(), "CircleOfLife".into())));
        assert!(identity.challenged([told].into_iter()));
        let answer = identity.answer("GET", "/dir/index.html").unwrap();
        assert!(answer.contains("response=\"1949323746fe6a43ef61f9606e7febea\""), "{answer}");
        assert!(!answer.contains("qop"));
    }

    #[test]
    fn basic_only_where_no_digest_is_offered() {
        let both = r#"Basic realm="camera", Digest realm="camera", nonce="1""#;
        assert!(mufasa(&[both]).answer("GET", "/").unwrap().starts_with("Digest "));
        let answer = mufasa(&[r#"Basic realm="camera""#]).answer("GET", "/").unwrap();
        assert_eq!(answer, "Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl");
    }

    #[test]
    fn nothing_is_smuggled_in() {
        let told = "Digest realm=\"a\nX: y\", nonce=\"1\"";
        assert_eq!(mufasa(&[told]).answer("GET", "/"), None);
    }

    #[test]
    fn what_was_refused_is_not_tried_again() {
        let mut identity = mufasa(&TOLD);
        assert!(!identity.challenged(TOLD.into_iter()));
        assert!(!Identity::new(None).challenged(TOLD.into_iter()));
        assert!(
            !identity.challenged([r#"Digest realm="x", nonce="y", algorithm=unheard"#, ",,=\"", "Digest"].into_iter())
        );
    }
}
