//! Walks the leaves. Each lies in three places: as a row, as an entry of a bundle, as a hash in a tile. Where they
//! differ, the two that agree show which was changed; the root tells whether they were right.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use domain::Timestamp;
use domain::id::EventId;
use proof::event::{Personal, PublicEvent, verify_personal};
use proof::tile::{self, Growth, Kind, Tile, Tiles};
use proof::{Checkpoint, Sha256Digest, tree};
use store::Engine;
use store::ledger::{Head, Row};

use super::{Recorded, Report};
use crate::{App, Error, Result, ledger};

#[derive(Default)]
struct Walk {
    recorded: Recorded,
    /// Events that tombstones name, and when these were written.
    tombstones: HashMap<String, i64>,
    /// Events whose rows say when they were erased.
    marked: HashMap<String, Timestamp>,
    /// The number of the row before.
    last_seq: Option<i64>,
    /// Events whose personal part is gone.
    gone: Vec<String>,
}

/// Checks the tree under a head, and the rows outside it. Answers what events say of files.
pub(super) async fn tree(app: &App, report: &mut Report, head: &Head, older: Option<&Checkpoint>) -> Result<Recorded> {
    let mut walk = Walk::default();
    let mut edge = Tiles::default();
    let mut root = tree::root(&[]);
    let mut at = 0;
    while at < head.size {
        let to = (at + tile::WIDTH).min(head.size);
        let hashes = walk.batch(app, report, head.size, at, to).await?;
        if let Some(older) = older.filter(|older| (at..=to).contains(&older.size)) {
            let then = tile::grow(at, &edge, &hashes[..(older.size - at) as usize]).map_err(Error::internal)?;
            same_past(report, older, then.root);
        }
        let growth = tile::grow(at, &edge, &hashes).map_err(Error::internal)?;
        upper_tiles(app, report, head.size, &growth).await?;
        edge = growth.edge(&edge).map_err(Error::internal)?;
        (root, at) = (growth.root, to);
    }
    report.leaves = head.size;
    if root != head.root {
        report
            .add("ledger", format!("the {} leaves give the root {root}, the checkpoint says {}", head.size, head.root));
    }
    walk.outside(app, report, head.size).await?;
    walk.erased(app, report).await?;
    Ok(walk.recorded)
}

fn same_past(report: &mut Report, older: &Checkpoint, root: Sha256Digest) {
    let problem = format!(
        "its first {} leaves are not those of the checkpoint kept elsewhere: leaves were changed and signed anew",
        older.size
    );
    // Asked at the end of one batch and at the start of the next: said once.
    if older.root != root && !report.findings.iter().any(|finding| finding.problem == problem) {
        report.add("ledger", problem);
    }
}

/// Holds the tiles above the leaves' own against what the leaves give.
async fn upper_tiles(app: &App, report: &mut Report, size: u64, growth: &Growth) -> Result<()> {
    for (tile, computed) in &growth.tiles {
        let lasting = *tile == Tile::holding(tile.kind, tile.index * tile::WIDTH, size);
        if tile.kind == Kind::Hashes(0) || !lasting {
            continue;
        }
        match read(app, report, *tile).await? {
            Some(stored) if stored == *computed => {}
            Some(_) => report.add(ledger::file(*tile), "it is not what the leaves give"),
            None => {}
        }
    }
    Ok(())
}

async fn read(app: &App, report: &mut Report, tile: Tile) -> Result<Option<Bytes>> {
    match ledger::read_tile(app, tile).await {
        Ok(Some(bytes)) => return Ok(Some(bytes)),
        Ok(None) => report.add(ledger::file(tile), "it is missing"),
        Err(_) => report.add(ledger::file(tile), "it cannot be read"),
    }
    Ok(None)
}

/// Where a leaf lies.
struct Places<'p> {
    row: Option<&'p Row>,
    entry: Option<&'p [u8]>,
    hash: Option<Sha256Digest>,
}

impl Walk {
    /// Checks up to 256 leaves that share a tile, and answers their hashes.
    async fn batch(
        &mut self,
        app: &App,
        report: &mut Report,
        size: u64,
        from: u64,
        to: u64,
    ) -> Result<Vec<Sha256Digest>> {
        let rows = store::ledger::leaves(&mut app.read().await?, from, to).await?;
        report.events += rows.len() as u64;
        self.rows(app, report, &rows).await?;
        let rows: BTreeMap<u64, &Row> =
            rows.iter().filter_map(|row| Some((u64::try_from(row.leaf_index?).ok()?, row))).collect();
        let bundle = Tile::holding(Kind::Entries, from, size);
        let entries = match read(app, report, bundle).await? {
            Some(bytes) => tile::read_bundle(bundle, &bytes).unwrap_or_else(|_| {
                report.add(ledger::file(bundle), "it does not hold as many leaves as its name says");
                Vec::new()
            }),
            None => Vec::new(),
        };
        let tile = Tile::holding(Kind::Hashes(0), from, size);
        let mut tiles = Tiles::default();
        if let Some(bytes) = read(app, report, tile).await?
            && tiles.insert(tile, &bytes).is_err()
        {
            report.add(ledger::file(tile), "it does not hold as many hashes as its name says");
        }
        let hashes = tiles.get(tile).unwrap_or_default();
        let mut truth = Vec::new();
        for (n, place) in (from..to).enumerate() {
            let places = Places {
                row: rows.get(&place).copied(),
                entry: entries.get(n).map(Vec::as_slice),
                hash: hashes.get(n).copied(),
            };
            truth.push(self.leaf(report, place, &places, (bundle, tile)));
        }
        Ok(truth)
    }

    /// What stands in and beside rows for the sake of lists: their numbers, and what gives objects their histories.
    async fn rows(&mut self, app: &App, report: &mut Report, rows: &[Row]) -> Result<()> {
        let (Some(least), Some(most)) = (rows.iter().map(|r| r.seq).min(), rows.iter().map(|r| r.seq).max()) else {
            return Ok(());
        };
        let mut tx = app.read().await?;
        let mut histories: HashMap<i64, BTreeSet<String>> = HashMap::new();
        for (seq, object) in store::check::event_objects(&mut tx, least, most).await? {
            histories.entry(seq).or_default().insert(object);
        }
        let seals = store::seal::of_events(&mut tx, least, most).await?;
        let mut seals: HashMap<i64, Sha256Digest> =
            seals.chunk_by(|a, b| a.seq == b.seq).map(|of_one| (of_one[0].seq, store::seal::list(of_one))).collect();
        for row in rows {
            let Ok(event) = row.public() else { continue };
            if seals.remove(&row.seq) != event.seals {
                report.add(&row.id, "the seals of what changed with it are not those that the ledger holds");
            }
            let objects: BTreeSet<String> = event.objects.into_values().collect();
            if histories.remove(&row.seq).unwrap_or_default() != objects {
                report.add(&row.id, "the histories of what it is about do not have it, or have more");
            }
            // One writer at a time numbers rows as it commits them; with several, a later commit may bear a lower number.
            let in_order = tx.engine() == Engine::Sqlite && self.last_seq.is_some_and(|last| row.seq <= last);
            if in_order {
                report.add(&row.id, "its number is not in the order of the ledger");
            }
            self.last_seq = Some(row.seq);
            if let Some(at) = row.erased_at {
                self.marked.insert(row.id.clone(), at);
            }
        }
        Ok(())
    }

    fn leaf(
        &mut self,
        report: &mut Report,
        place: u64,
        places: &Places<'_>,
        (bundle, tile): (Tile, Tile),
    ) -> Sha256Digest {
        let from_row = places.row.and_then(|row| row.public().ok()?.leaf().ok());
        let of_row = from_row.as_deref().map(tree::leaf_hash);
        let of_entry = places.entry.map(tree::leaf_hash);
        let truth = match (of_row, of_entry, places.hash) {
            (_, Some(entry), Some(hash)) if entry == hash => entry,
            (Some(row), _, Some(hash)) if row == hash => row,
            (Some(row), Some(entry), _) if row == entry => row,
            (row, entry, hash) => hash.or(entry).or(row).unwrap_or_else(|| tree::root(&[])),
        };
        let leaf =
            places.entry.filter(|_| of_entry == Some(truth)).or(from_row.as_deref().filter(|_| of_row == Some(truth)));
        let event = leaf.and_then(|leaf| PublicEvent::from_leaf(leaf).ok());
        if places.entry.is_some() && of_entry != Some(truth) {
            report.add(ledger::file(bundle), format!("leaf {place} is not the one that was hashed"));
        }
        if places.hash.is_some_and(|hash| hash != truth) {
            report.add(ledger::file(tile), format!("the hash of leaf {place} is not that of the leaf"));
        }
        match (places.row, &event) {
            (None, Some(event)) => {
                report.add(&event.id, format!("its row is gone, or has lost its place; it is leaf {place}"))
            }
            (None, None) => report.add(format!("leaf {place}"), "its event's row is gone, or has lost its place"),
            (Some(row), _) if of_row != Some(truth) => {
                let named = event.as_ref().map_or(&row.id, |event| &event.id);
                report.add(
                    named,
                    format!("its row is not what the ledger holds as leaf {place}{}", differences(row, event.as_ref())),
                );
            }
            (Some(row), _) => self.personal(report, row),
        }
        if let Some(event) = &event {
            self.record(event);
        }
        truth
    }

    /// Holds the personal part of a row against the commitment that its leaf holds.
    fn personal(&mut self, report: &mut Report, row: &Row) {
        let (Ok(public), Ok(personal)) = (row.public(), row.personal()) else {
            return report.add(&row.id, "its row cannot be read");
        };
        match verify_personal(public.commitment.as_ref(), row.salt.as_deref(), personal.as_ref()) {
            Personal::None | Personal::Kept => {}
            Personal::Erased => self.gone.push(row.id.clone()),
            Personal::Tampered => report.add(&row.id, "its personal part is not what the ledger committed to"),
        }
    }

    fn record(&mut self, event: &PublicEvent) {
        if let Some(id) = event.erases() {
            self.tombstones.insert(id.to_owned(), event.at);
        }
        if let Some(id) = event.objects.get("evidence").filter(|_| event.kind == super::PURGED) {
            self.recorded.purged.insert(id.clone());
        }
        let Some(original) = super::original(&event.data) else { return };
        // A connector's upload ends before it becomes evidence.
        for id in ["evidence", "upload"].into_iter().filter_map(|noun| event.objects.get(noun)) {
            self.recorded.originals.entry(id.clone()).or_insert_with(|| original.clone());
        }
    }

    /// Rows that have no leaf under the checkpoint: what was just committed.
    async fn outside(&mut self, app: &App, report: &mut Report, size: u64) -> Result<()> {
        for id in store::ledger::misplaced(&mut app.read().await?, size).await? {
            report.add(id, "its place in the ledger is none that the ledger gives");
        }
        for object in store::check::of_no_event(&mut app.read().await?).await? {
            report.add(object, "a seal or a history tells of it, and there is no event that could have");
        }
        let mut after = i64::MIN;
        loop {
            let rows = store::ledger::outside(&mut app.read().await?, size, after, 1000).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.seq;
            self.rows(app, report, &rows).await?;
            for row in &rows {
                report.events += 1;
                self.personal(report, row);
                if let Ok(event) = row.public() {
                    self.record(&event);
                }
            }
        }
    }

    /// Tells erased from tampered: what is gone must have a tombstone, and what has one must be gone.
    async fn erased(&mut self, app: &App, report: &mut Report) -> Result<()> {
        for id in self.gone.drain(..) {
            if self.tombstones.contains_key(&id) {
                report.erased += 1;
            } else {
                report.add(id, "its personal part is gone, and no event says that it was erased");
            }
        }
        let mut tx = app.read().await?;
        for (id, at) in &self.marked {
            // A restore that replays tombstones erases later than they say.
            if self.tombstones.get(id).is_none_or(|told| at.as_micros() < *told) {
                report.add(id, "its row says that its personal part was erased, and no event says so at that time");
            }
        }
        for id in self.tombstones.keys() {
            let Ok(event) = id.parse::<EventId>() else { continue };
            let row = store::ledger::find(&mut tx, &event).await?;
            if row.as_ref().is_some_and(|row| row.personal.is_none() && row.erased_at.is_none()) {
                report.add(id, "its personal part was erased, and its row does not say when");
            }
            if row.is_some_and(|row| row.personal.is_some()) {
                report.add(id, "its personal part was erased, and is there again: was a backup restored without replaying tombstones?");
            }
        }
        Ok(())
    }
}

/// Which public fields of a row differ from its leaf.
fn differences(row: &Row, event: Option<&PublicEvent>) -> String {
    let Some(event) = event else { return String::new() };
    let Ok(now) = row.public() else { return " (it cannot be read)".to_owned() };
    let fields = [
        ("id", now.id == event.id),
        ("at", now.at == event.at),
        ("kind", now.kind == event.kind),
        ("actor", now.actor == event.actor),
        ("objects", now.objects == event.objects),
        ("data", now.data == event.data),
        ("commitment", now.commitment == event.commitment),
        ("seals", now.seals == event.seals),
    ];
    let changed: Vec<_> = fields.into_iter().filter(|(_, same)| !same).map(|(field, _)| field).collect();
    format!(" ({})", changed.join(", "))
}
