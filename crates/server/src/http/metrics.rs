//! Numbers in Prometheus' text format. Whoever scrapes them sends a token, which needs no more than `view_dashboard`, for all
//! organizations.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use app::App;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::extract::Signed;
use super::problem::Answer;

/// Answers of this process, by the first digit of their status.
static ANSWERS: [AtomicU64; 6] = [const { AtomicU64::new(0) }; 6];

pub(super) fn count(status: StatusCode) {
    if let Some(answers) = ANSWERS.get(usize::from(status.as_u16() / 100)) {
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) async fn show(State(app): State<App>, Signed(caller): Signed) -> Answer<impl IntoResponse> {
    let found = app::metrics::read(&app, &caller).await?;
    let mut text = String::new();
    let answers =
        ANSWERS.iter().enumerate().skip(1).map(|(class, n)| (format!("{class}xx"), n.load(Ordering::Relaxed)));
    family(
        &mut text,
        "sightline_http_responses_total",
        "counter",
        "Answers of this process by class.",
        "status",
        answers,
    );
    for (name, help, rows) in [
        ("sightline_jobs", "Jobs by state.", found.jobs),
        ("sightline_mails", "Mails by state.", found.mails),
        ("sightline_request_items", "Request items by state.", found.items),
    ] {
        family(&mut text, name, "gauge", help, "state", rows);
    }
    let help = "Leaves under the last checkpoint.";
    write_head(&mut text, "sightline_ledger_size", "gauge", help);
    let _ = writeln!(text, "sightline_ledger_size {}", found.ledger_size);
    Ok((
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (header::CACHE_CONTROL, "no-store")],
        text,
    ))
}

fn write_head(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing into a string does not fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn family(
    text: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    label: &str,
    rows: impl IntoIterator<Item = (String, impl std::fmt::Display)>,
) {
    write_head(text, name, kind, help);
    for (value, number) in rows {
        let _ = writeln!(text, "{name}{{{label}=\"{value}\"}} {number}");
    }
}
