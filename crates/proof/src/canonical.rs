//! Canonical JSON: the one byte form of a value that we hash.
//!
//! The subset of RFC 8785 (JSON Canonicalization Scheme) without floats: no whitespace; object
//! members sorted by the UTF-16 code units of their names; strings escaped as little as JSON
//! allows (`\" \\ \b \t \n \f \r`, and `\u00xx` in lower case for the other control characters);
//! integers in plain decimal, within ±(2^53 − 1), beyond which readers of JSON disagree. Every
//! RFC 8785 writer gives the same bytes for what this one accepts.

use serde_json::Value;

/// The largest integer that every JSON reader keeps exactly (RFC 7493 section 2.2).
pub const LARGEST_INTEGER: i64 = 9_007_199_254_740_991;

/// Why a value has no canonical form here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A number with a fraction or an exponent.
    #[error("{0} is not an integer: give floats as text, or in a smaller unit")]
    Float(String),
    /// An integer that some readers of JSON would round.
    #[error("{0} is beyond 2^53 - 1: give it as text")]
    TooLarge(String),
}

/// The canonical bytes of a value.
///
/// # Errors
/// When it holds a float, or an integer beyond 2^53 − 1.
pub fn to_bytes(value: &Value) -> Result<Vec<u8>, Refused> {
    let mut out = Vec::new();
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), Refused> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => {
            if number.is_f64() {
                return Err(Refused::Float(number.to_string()));
            }
            match number.as_i64() {
                Some(n) if n.unsigned_abs() <= LARGEST_INTEGER.unsigned_abs() => {
                    out.extend_from_slice(n.to_string().as_bytes())
                }
                _ => return Err(Refused::TooLarge(number.to_string())),
            }
        }
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (i, (name, member)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_string(name, out);
                out.push(b':');
                write(member, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\r' => out.extend_from_slice(b"\\r"),
            c if c < ' ' => out.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(value: &Value) -> String {
        String::from_utf8(to_bytes(value).unwrap()).unwrap()
    }

    #[test]
    fn rfc_8785_property_order() {
        // RFC 8785 section 3.2.3: the order of these names.
        let value = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        assert_eq!(
            text(&value),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn rfc_8785_strings() {
        // RFC 8785 section 3.2.2.2, the string of the sample.
        let value = json!({"string": "\u{20ac}$\u{000F}\u{000a}A'\u{0042}\u{0022}\u{005c}\\\"\u{002f}", "literals": [null, true, false]});
        assert_eq!(text(&value), r#"{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#);
    }

    #[test]
    fn numbers() {
        assert_eq!(
            text(&json!([0, -1, LARGEST_INTEGER, -LARGEST_INTEGER])),
            "[0,-1,9007199254740991,-9007199254740991]"
        );
        for bad in [json!(1.5), json!(1.0), json!(LARGEST_INTEGER + 1), json!(i64::MIN), json!(u64::MAX)] {
            assert!(to_bytes(&json!({ "n": bad })).is_err());
        }
    }
}
