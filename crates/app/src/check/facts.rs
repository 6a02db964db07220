//! What the ledger says that rows must say too: the states of items and what was granted, who may see a case, and what was made
//! of a file. The newest event about a thing counts; a thing that changes while we look is left alone.

use std::collections::{BTreeMap, HashMap};

use domain::Timestamp;
use domain::case::Level;
use proof::event::PublicEvent;
use serde_json::Value;
use store::check::KnownFile;

use super::Report;
use crate::{App, Result};

/// A line of an access list: the level, and until when.
type Line = (String, Option<String>);

/// What events have said so far.
#[derive(Default)]
pub(super) struct Facts {
    /// The number of the last event that was read.
    pub(super) last_seq: i64,
    access: HashMap<String, BTreeMap<String, Line>>,
    items: HashMap<String, (String, Option<(String, String)>)>,
    /// Evidence to the hashes of its playable copy and its thumbnail.
    made: HashMap<String, (Option<String>, Option<String>)>,
}

fn text(event: &PublicEvent, key: &str) -> Option<String> {
    event.data.get(key).and_then(Value::as_str).map(str::to_owned)
}

impl Facts {
    /// Takes in an event, in the order of the ledger.
    pub(super) fn note(&mut self, event: &PublicEvent) {
        match event.kind.as_str() {
            "evidence.process" => {
                if let Some(id) = event.objects.get("evidence") {
                    let made = (text(event, "playable_sha256"), text(event, "thumbnail_sha256"));
                    self.made.insert(id.clone(), made);
                }
            }
            "group.remove" => {
                if let Some(group) = event.objects.get("group") {
                    self.access.values_mut().for_each(|lines| drop(lines.remove(group)));
                }
            }
            "case.create" | "case.set_access" | "case.share" => self.note_access(event),
            _ => self.note_item(event),
        }
    }

    fn note_access(&mut self, event: &PublicEvent) {
        let Some(case) = event.objects.get("case") else { return };
        let Some(entries) = event.data.get("access").and_then(Value::as_array) else { return };
        let lines = self.access.entry(case.clone()).or_default();
        if event.kind != "case.share" {
            lines.clear();
        }
        for entry in entries {
            let said = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
            if let (Some(principal), Some(level)) = (said("principal"), said("level")) {
                lines.insert(principal, (level, said("expires_at")));
            }
        }
    }

    fn note_item(&mut self, event: &PublicEvent) {
        let (Some(id), Some(state)) = (event.objects.get("request_item"), text(event, "state")) else { return };
        if event.kind.starts_with("request_item.") {
            let granted = text(event, "granted_from").zip(text(event, "granted_to"));
            self.items.insert(id.clone(), (state, granted));
        }
    }

    /// A derivative must be what was recorded when it was made: whoever replaces it together with its row is found out here.
    pub(super) async fn derivative(&self, app: &App, report: &mut Report, file: &KnownFile) -> Result<()> {
        let recorded = match file.what {
            "playable" => self.made.get(&file.id).map(|made| &made.0),
            _ => self.made.get(&file.id).map(|made| &made.1),
        };
        if recorded.is_none_or(|recorded| *recorded != file.sha256) && self.rests(app, &file.id).await? {
            let problem = format!("the hash of its {} in its row is not the one that the ledger recorded", file.what);
            report.add(&file.id, problem);
        }
        Ok(())
    }

    /// Whether nothing happened to a thing since its events were read.
    async fn rests(&self, app: &App, id: &str) -> Result<bool> {
        Ok(!store::check::has_newer(&mut app.read().await?, id, self.last_seq).await?)
    }

    /// Holds rows against what was recorded of them.
    pub(super) async fn compare(&mut self, app: &App, report: &mut Report) -> Result<()> {
        self.compare_items(app, report).await?;
        self.compare_access(app, report).await
    }

    async fn compare_items(&mut self, app: &App, report: &mut Report) -> Result<()> {
        let mut after = String::new();
        loop {
            let rows = store::check::items(&mut app.read().await?, &after, 500).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for row in rows {
                let (state, granted) = self.items.remove(&row.id).unwrap_or_else(|| ("pending".to_owned(), None));
                let is = row.granted.map(|(from, to)| (from.to_string(), to.to_string()));
                if (row.state == state && is == granted) || !self.rests(app, &row.id).await? {
                    continue;
                }
                let what =
                    if row.state == state { "what was granted".to_owned() } else { format!("its state, {state},") };
                report.add(&row.id, format!("{what} as the ledger recorded it is not what its row says"));
            }
        }
    }

    async fn compare_access(&mut self, app: &App, report: &mut Report) -> Result<()> {
        let mut after = String::new();
        loop {
            let (lines, last) = store::check::access_lines(&mut app.read().await?, &after, 200).await?;
            let Some(last) = last else { return Ok(()) };
            let mut now: BTreeMap<String, BTreeMap<String, Line>> = BTreeMap::new();
            for (case, principal, rank, expires_at) in lines {
                let level = Level::of_rank(rank).map_or_else(|| rank.to_string(), |level| level.as_str().to_owned());
                let until = expires_at.map(|at: Timestamp| at.to_string());
                now.entry(case).or_default().insert(principal, (level, until));
            }
            let here = |case: &str| after.as_str() < case && case <= last.as_str();
            let mut cases: Vec<String> = self.access.keys().filter(|case| here(case)).cloned().collect();
            cases.extend(now.keys().filter(|case| !self.access.contains_key(*case)).cloned());
            for case in cases {
                let recorded = self.access.remove(&case).unwrap_or_default();
                if recorded != now.remove(&case).unwrap_or_default() && self.rests(app, &case).await? {
                    report.add(&case, "who may see it is not what the ledger recorded last");
                }
            }
            after = last;
        }
    }
}
