//! The API document, held against what the server really answers: every answer that a test gets through the router.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use domain::Timestamp;
use serde_json::{Map, Value};

use super::Reply;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&sightline_server::http::openapi()).expect("the document is JSON"));

/// Panics where an answer is not as the document says.
pub(crate) fn check(method: &str, path: &str, reply: &Reply) {
    let faults = faults(method, path, reply);
    let said = || format!("{method} {path} answers {} {}", reply.status, reply.json);
    assert!(faults.is_empty(), "{}\nbut the document says: {}", said(), faults.join("; "));
}

/// In what an answer is not as the document says. What the document does not speak of has no faults.
pub(crate) fn faults(method: &str, path: &str, reply: &Reply) -> Vec<String> {
    let Some(operation) = operation(method, path) else { return Vec::new() };
    let kind = reply.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or("");
    if reply.status >= 500 || reply.body.is_empty() || !kind.ends_with("json") {
        return Vec::new();
    }
    let answers = &operation["responses"];
    let answer = answers.get(reply.status.to_string()).or_else(|| answers.get(format!("{}XX", reply.status / 100)));
    let Some(answer) = answer else { return vec![format!("no status {}", reply.status)] };
    let schema = &answer["content"][kind]["schema"];
    if !schema.is_object() {
        return vec![format!("no {kind} for status {}", reply.status)];
    }
    let mut faults = Vec::new();
    fit(&reply.json, schema, "", &mut faults);
    faults
}

/// The operation at an address, the one with the fewest parameters first.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let parts: Vec<&str> = path.split('?').next()?.split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        template.len() == parts.len() && template.iter().zip(&parts).all(|(t, p)| t.starts_with('{') || t == p)
    };
    let paths = DOCUMENT["paths"].as_object()?.iter().filter(|(template, _)| fits(template));
    let (_, methods) = paths.min_by_key(|(template, _)| template.matches('{').count())?;
    methods.get(method.to_lowercase())
}

fn resolved(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str() {
        Some(target) => resolved(DOCUMENT.pointer(target.trim_start_matches('#')).expect("references lead somewhere")),
        None => schema,
    }
}

fn parts(schema: &'static Value, of: &str) -> impl Iterator<Item = &'static Value> + use<> {
    schema[of].as_array().into_iter().flatten()
}

fn fit(value: &Value, schema: &'static Value, at: &str, faults: &mut Vec<String>) {
    fit_in_part(value, schema, at, faults);
    let schema = resolved(schema);
    if let (Some(fields), Some(known)) = (value.as_object(), known_fields(schema)) {
        faults
            .extend(fields.keys().filter(|name| !known.contains(name.as_str())).map(|name| format!("no {at}/{name}")));
    }
}

/// Whether it is of the form, where other parts of a schema may know more fields.
fn fit_in_part(value: &Value, schema: &'static Value, at: &str, faults: &mut Vec<String>) {
    let schema = resolved(schema);
    for part in parts(schema, "allOf") {
        fit_in_part(value, part, at, faults);
    }
    if schema["oneOf"].is_array() {
        let tried = parts(schema, "oneOf").map(|one| {
            let mut faults = Vec::new();
            fit_in_part(value, one, at, &mut faults);
            faults
        });
        // The one that comes nearest explains best.
        faults.extend(tried.min_by_key(Vec::len).unwrap_or_default());
    }
    if !is_of_type(value, &schema["type"]) {
        faults.push(format!("{at} is {}, not {value}", schema["type"]));
    }
    if schema["enum"].is_array() && !value.is_null() && !parts(schema, "enum").any(|one| one == value) {
        faults.push(format!("{at} is one of {}, not {value}", schema["enum"]));
    }
    match value {
        Value::String(text) => fit_text(text, schema, at, faults),
        Value::Array(items) if schema["items"].is_object() => {
            items.iter().enumerate().for_each(|(i, item)| fit(item, &schema["items"], &format!("{at}/{i}"), faults));
        }
        Value::Object(fields) => fit_fields(fields, schema, at, faults),
        _ => {}
    }
}

fn fit_fields(fields: &Map<String, Value>, schema: &'static Value, at: &str, faults: &mut Vec<String>) {
    let missing = parts(schema, "required").filter_map(Value::as_str).filter(|name| !fields.contains_key(*name));
    faults.extend(missing.map(|name| format!("{at}/{name} is always there")));
    for (name, value) in fields {
        let property =
            [&schema["properties"][name], &schema["additionalProperties"]].into_iter().find(|s| s.is_object());
        if let Some(property) = property {
            fit(value, property, &format!("{at}/{name}"), faults);
        }
    }
}

fn fit_text(text: &str, schema: &Value, at: &str, faults: &mut Vec<String>) {
    if schema["format"] == "date-time" && text.parse::<Timestamp>().is_err() {
        faults.push(format!("{at} is a time, not {text}"));
    }
    // Ids are the only texts with a pattern: `^cam_[…]{25}$`.
    let prefix = schema["pattern"].as_str().and_then(|pattern| pattern.trim_start_matches('^').split('[').next());
    if prefix.is_some_and(|prefix| !prefix.contains('(') && !text.starts_with(prefix)) {
        faults.push(format!("{at} is an id like {}, not {text}", schema["pattern"]));
    }
}

fn is_of_type(value: &Value, kinds: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    kinds.as_array().map_or_else(|| is(kinds), |kinds| kinds.iter().any(is))
}

/// The fields that the schema names; none where it leaves them open.
fn known_fields(schema: &'static Value) -> Option<BTreeSet<&'static str>> {
    let mut known = BTreeSet::new();
    let mut open = true;
    let mut waiting = vec![schema];
    while let Some(schema) = waiting.pop() {
        let schema = resolved(schema);
        waiting.extend(parts(schema, "allOf").chain(parts(schema, "oneOf")));
        if let Some(properties) = schema["properties"].as_object() {
            open = false;
            known.extend(properties.keys().map(String::as_str));
        }
        if schema["additionalProperties"].is_object() {
            return None;
        }
    }
    (!open).then_some(known)
}
