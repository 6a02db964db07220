//! Lists as CSV (RFC 4180).

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

/// A head and rows, each ended by CRLF.
pub(super) fn text(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = head.join(",");
    text.push_str("\r\n");
    for row in rows {
        let fields: Vec<String> = row.iter().map(|field| quoted(field)).collect();
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
    text
}

/// Quoted where needed. What a spreadsheet would take for a formula gets an apostrophe before it, unless it is a number.
fn quoted(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']) && field.parse::<f64>().is_err();
    let field = if formula { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\r', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

/// A file to save; the next page's cursor, if there is one, stands in `Sightline-Next-Cursor`.
pub(super) fn answer(name: &'static str, text: String, next_cursor: Option<&str>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let mut response =
        ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], [(header::CONTENT_DISPOSITION, disposition)], text)
            .into_response();
    if let Some(cursor) = next_cursor.and_then(|cursor| HeaderValue::from_str(cursor).ok()) {
        response.headers_mut().insert("sightline-next-cursor", cursor);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_no_formula_survives() {
        let row = ["plain", "a,b", "say \"x\"", "=1+1", "-5.5", "two\nlines"].map(str::to_owned).to_vec();
        assert_eq!(
            text(&["a", "b"], [row].into_iter()),
            "a,b\r\nplain,\"a,b\",\"say \"\"x\"\"\",'=1+1,-5.5,\"two\nlines\"\r\n"
        );
    }
}
