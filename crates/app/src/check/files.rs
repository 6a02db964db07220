//! Holds files against their rows, and rows against the ledger.

use std::collections::HashSet;

use domain::id::EvidenceId;
use futures::StreamExt as _;
use proof::tile::Tile;
use proof::{Hasher, Sha256Digest};
use store::check::KnownFile;

use super::{Original, Recorded, Report};
use crate::{App, Result};

/// Every file of every piece of evidence, and the thumbnails of cameras.
pub(super) async fn evidence(app: &App, report: &mut Report, recorded: &Recorded) -> Result<()> {
    let mut after = String::new();
    let mut seen = HashSet::new();
    let mut purged = Vec::new();
    loop {
        let (files, last) = store::check::evidence_files(&mut app.read().await?, &after, 200).await?;
        for file in &files {
            if file.what == "original" {
                seen.insert(file.id.clone());
                in_ledger(app, report, file, recorded).await?;
                purge_in_ledger(app, report, file, recorded).await?;
            }
            if !file.purged {
                bytes(app, report, file).await?;
            } else if app.blobs().size(&file.name).await?.is_some() {
                purged.push(file.clone());
            }
        }
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    let vanished =
        |id: &&String| id.parse::<EvidenceId>().is_ok() && !seen.contains(*id) && !recorded.purged.contains(*id);
    for id in recorded.originals.keys().filter(vanished) {
        report.add(id, "the ledger records that it was received, and its row is gone");
    }
    gone(app, report, purged).await?;
    for file in store::check::camera_files(&mut app.read().await?).await? {
        bytes(app, report, &file).await?;
    }
    Ok(())
}

/// What the row says must be what the ledger recorded: whoever changes a file and its row is found out here.
async fn in_ledger(app: &App, report: &mut Report, file: &KnownFile, recorded: &Recorded) -> Result<()> {
    let by_upload = || recorded.originals.get(file.upload_id.as_ref()?);
    let said = match recorded.originals.get(&file.id).or_else(by_upload) {
        Some(said) => Some(said.clone()),
        None => arrived_since(app, file).await?,
    };
    match said {
        None => report.add(&file.id, "no event in the ledger records its original"),
        Some((sha256, size)) => {
            let same = file.sha256.as_ref() == Some(&sha256) && (size.is_none() || file.size_bytes == size);
            if !same {
                report.add(
                    &file.id,
                    format!("its row is not what the ledger recorded of its original: SHA-256 {sha256}"),
                );
            }
        }
    }
    Ok(())
}

/// What the event says of a file that arrived after the ledger was read.
async fn arrived_since(app: &App, file: &KnownFile) -> Result<Option<Original>> {
    let history = store::history::of(&mut app.read().await?, &file.id, None, 500).await?;
    let received = history.iter().find(|entry| entry.kind == super::RECEIVED);
    Ok(received.and_then(|entry| super::original(&entry.detail)))
}

/// A row says that its file was purged exactly where the ledger does: otherwise a file could be removed, or brought back, by a word in
/// its row.
async fn purge_in_ledger(app: &App, report: &mut Report, file: &KnownFile, recorded: &Recorded) -> Result<()> {
    match (file.purged, recorded.purged.contains(&file.id)) {
        // It may have been purged since the ledger was read.
        (true, false) => {
            let history = store::history::of(&mut app.read().await?, &file.id, None, 500).await?;
            if !history.iter().any(|entry| entry.kind == super::PURGED) {
                report.add(&file.id, "its row says that it was purged, and no event in the ledger does");
            }
        }
        (false, true) => report.add(&file.id, "the ledger records that it was purged, and its row does not"),
        _ => {}
    }
    Ok(())
}

/// Bytes that were purged and are here. What was purged just now is removed within moments, so they are asked for twice.
async fn gone(app: &App, report: &mut Report, purged: Vec<KnownFile>) -> Result<()> {
    if !purged.is_empty() {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    }
    for file in purged {
        if app.blobs().size(&file.name).await?.is_some() {
            let problem =
                "was purged, and is here: were old files restored, or was its removal given up (see the jobs)?";
            report.add(&file.id, format!("its {} {} {problem}", file.what, file.name));
        }
    }
    Ok(())
}

async fn bytes(app: &App, report: &mut Report, file: &KnownFile) -> Result<()> {
    let problem = match read(app, &file.name).await {
        Some((sha256, size)) => {
            report.files += 1;
            report.bytes += size.unsigned_abs();
            if file.size_bytes.is_some_and(|expected| expected != size) {
                format!("is {size} bytes long, its row says {}", file.size_bytes.unwrap_or_default())
            } else if file.sha256.as_ref().is_some_and(|expected| *expected != sha256.to_string()) {
                format!("has the SHA-256 {sha256}, its row says {}", file.sha256.as_deref().unwrap_or_default())
            } else {
                return Ok(());
            }
        }
        None => "is missing or cannot be read".to_owned(),
    };
    // A file that was purged or replaced while we looked is no longer named by its row.
    if store::check::is_known(&mut app.read().await?, &file.name).await? {
        report.add(&file.id, format!("its {} {} {problem}", file.what, file.name));
    }
    Ok(())
}

async fn read(app: &App, name: &str) -> Option<(Sha256Digest, i64)> {
    let mut parts = app.blobs().stream(name, None).await.ok()?;
    let mut hasher = Hasher::new();
    let mut size = 0;
    while let Some(part) = parts.next().await {
        let part = part.ok()?;
        hasher.update(&part);
        size += part.len() as i64;
    }
    Some((hasher.finish(), size))
}

/// Files that no row names. What is just being written gets its row within moments, so they are asked for twice.
pub(super) async fn unknown(app: &App, report: &mut Report) -> Result<()> {
    let mut suspects = Vec::new();
    let mut found = app.blobs().list("");
    while let Some(file) = found.next().await {
        let (name, _) = file?;
        match tile(&name) {
            Some(tile) => {
                // Those of a longer tree than was signed yet are a crash's; those of a longer tree than was ever numbered are not.
                let numbered = store::check::numbered(&mut app.read().await?).await?;
                if tile.leaves() > numbered {
                    report.add(&name, format!("it is of a tree of at least {} leaves; the events give {numbered}: the ledger was cut short or begun anew", tile.leaves()));
                }
            }
            None if !is_known(app, &name).await? => suspects.push(name),
            None => {}
        }
    }
    if !suspects.is_empty() {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    }
    for name in suspects {
        if app.blobs().size(&name).await?.is_none() || is_known(app, &name).await? {
            continue;
        }
        match name.split_once('/') {
            Some(("picture" | "thumbnail", _)) => report.leftovers.push(name),
            _ => report.add(name, "no row names this file"),
        }
    }
    Ok(())
}

/// Whether a row names the file, or the original that it is about to be made from.
async fn is_known(app: &App, name: &str) -> Result<bool> {
    let mut tx = app.read().await?;
    if store::check::is_known(&mut tx, name).await? {
        return Ok(true);
    }
    match name.split_once('/') {
        Some(("playable" | "thumbnail", tail)) => {
            Ok(store::check::is_known(&mut tx, &format!("evidence/{tail}")).await?)
        }
        _ => Ok(false),
    }
}

/// Tiles are held against the leaves; those that were outgrown, or that a crash left, are harmless.
fn tile(name: &str) -> Option<Tile> {
    name.strip_prefix("ledger/")?.parse().ok()
}
