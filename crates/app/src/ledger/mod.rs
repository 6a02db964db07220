//! Reading the ledger: its checkpoint, its tiles, proofs, its events; and erasing what is personal beside it.
//! `jobs/sequence_ledger.rs` writes it.

mod key;
#[cfg(test)]
pub(crate) mod tests;

use bytes::Bytes;
use domain::id::EventId;
use domain::policy::Privilege;
use domain::{Caller, Timestamp, policy};
use proof::note::Verifier;
use proof::tile::{self, Kind, Tile, Tiles};
use proof::{Sha256Digest, tree};
pub use store::ledger::Filter;
use store::ledger::{Head, Row};
use store::{Event, Tx};

pub use key::{Key, signer};

use crate::page::{self, Page};
use crate::{App, Error, Result};

/// Where a tile lies in the store of bytes.
pub(crate) fn file(tile: Tile) -> String {
    format!("ledger/{tile}")
}

/// Whoever reads the ledger: auditors; anybody for checkpoints and tiles, where it is configured so.
fn may_read(app: &App, caller: Option<&Caller>) -> Result<()> {
    if app.settings().ledger_public {
        return Ok(());
    }
    match caller {
        Some(caller) => Ok(policy::holds_everywhere(caller, Privilege::ViewAudit)?),
        None => Err(Error::new(crate::Kind::Unauthenticated, "not_signed_in", "Sign in to read the ledger.")),
    }
}

/// The last checkpoint, a signed note.
pub async fn checkpoint(app: &App, caller: Option<&Caller>) -> Result<String> {
    may_read(app, caller)?;
    Ok(head(app).await?.checkpoint)
}

/// The last checkpoint, for whoever owns the data directory.
pub async fn checkpoint_for_operator(app: &App) -> Result<String> {
    Ok(head(app).await?.checkpoint)
}

/// The public key that checkpoints verify with, as a vkey.
pub async fn verifier(app: &App) -> Result<Verifier> {
    Ok(signer(app).await?.verifier().clone())
}

async fn head(app: &App) -> Result<Head> {
    let head = store::ledger::head(&mut app.read().await?).await?;
    head.ok_or_else(|| Error::not_found("checkpoint yet"))
}

/// A tile of the tree under the last checkpoint, by its path: `tile/0/x001/234.p/5`.
pub async fn tile(app: &App, caller: Option<&Caller>, path: &str) -> Result<Bytes> {
    may_read(app, caller)?;
    let tile: Tile = path.parse().map_err(|_| Error::not_found("tile"))?;
    read_tile(app, tile).await?.ok_or_else(|| Error::not_found("tile"))
}

/// The bytes of a tile. Partial tiles that the tree has outgrown are removed from the store, and cut anew from the
/// wider one.
pub(crate) async fn read_tile(app: &App, tile: Tile) -> Result<Option<Bytes>> {
    // Twice: the sequencer may widen the tile between the two looks.
    for _ in 0..2 {
        let head = head(app).await?;
        let widest = Tile::holding(tile.kind, tile.index * tile::WIDTH, head.size);
        if tile.width > widest.width {
            return Ok(None);
        }
        if let Some(bytes) = stored(app, tile).await? {
            return Ok(Some(bytes));
        }
        if let Some(bytes) = if widest.width > tile.width { stored(app, widest).await? } else { None } {
            return cut(tile, widest, &bytes).map(Some);
        }
    }
    Ok(None)
}

async fn stored(app: &App, tile: Tile) -> Result<Option<Bytes>> {
    let name = file(tile);
    match app.blobs().size(&name).await? {
        // Gone between the two calls means gone.
        Some(_) => Ok(app.blobs().get(&name).await.ok()),
        None => Ok(None),
    }
}

fn cut(tile: Tile, widest: Tile, bytes: &Bytes) -> Result<Bytes> {
    let width = usize::from(tile.width);
    match tile.kind {
        Kind::Hashes(_) if bytes.len() >= width * 32 => Ok(bytes.slice(..width * 32)),
        Kind::Hashes(_) => Err(Error::internal(tile::TileError::Content(widest))),
        Kind::Entries => {
            let leaves = tile::read_bundle(widest, bytes).map_err(Error::internal)?;
            Ok(tile::write_bundle(&leaves[..width]).map_err(Error::internal)?.into())
        }
    }
}

/// The tiles asked for, of a tree of hashes.
pub(crate) async fn read_tiles(app: &App, wanted: &[Tile]) -> Result<Tiles> {
    let mut tiles = Tiles::default();
    for tile in wanted {
        let bytes = read_tile(app, *tile).await?.ok_or_else(|| Error::internal(tile::TileError::Missing(*tile)))?;
        tiles.insert(*tile, &bytes).map_err(Error::internal)?;
    }
    Ok(tiles)
}

/// Shows that an event is in the tree under a checkpoint: all that `verify` needs.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The leaf, as it was hashed.
    pub leaf: String,
    /// Its place in the tree.
    pub leaf_index: u64,
    /// The hashes beside the path from the leaf to the root.
    pub hashes: Vec<Sha256Digest>,
    /// The signed checkpoint.
    pub checkpoint: String,
    /// The key that it verifies with.
    pub vkey: String,
}

/// Proves that an event is in the ledger.
pub async fn prove(app: &App, caller: &Caller, id: &EventId) -> Result<Proof> {
    policy::holds_everywhere(caller, Privilege::ViewAudit)?;
    prove_for_package(app, id).await
}

/// The same for a package, whose maker was allowed to make it.
pub async fn prove_for_package(app: &App, id: &EventId) -> Result<Proof> {
    let mut tx = app.read().await?;
    let row = store::ledger::find(&mut tx, id).await?.ok_or_else(|| Error::not_found("event"))?;
    drop(tx);
    let head = head(app).await?;
    let index = row.leaf_index.and_then(|index| u64::try_from(index).ok()).filter(|index| *index < head.size);
    let index = index.ok_or_else(|| {
        Error::conflict("not_sequenced", "The event has no place in the ledger yet. Ask again in a few seconds.")
    })?;
    let plan = tree::plan_inclusion(index, head.size).map_err(Error::internal)?;
    let hashes =
        read_tiles(app, &tile::needed(&plan, head.size)).await?.prove(&plan, head.size).map_err(Error::internal)?;
    let leaf = row.public()?.leaf().map_err(Error::internal)?;
    if !tree::verify_inclusion(index, head.size, &tree::leaf_hash(&leaf), &hashes, &head.root) {
        return Err(Error::internal("the event's row is not what the ledger holds: run `sightline check`"));
    }
    let leaf = String::from_utf8(leaf).map_err(Error::internal)?;
    Ok(Proof { leaf, leaf_index: index, hashes, checkpoint: head.checkpoint, vkey: verifier(app).await?.to_string() })
}

/// An event as an auditor sees it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The row.
    pub row: Row,
    /// The name of who did it, where it has one.
    pub actor_name: Option<String>,
}

/// The events, newest first.
pub async fn list(
    app: &App,
    caller: &Caller,
    filter: &Filter,
    cursor: Option<&str>,
    limit: Option<i64>,
) -> Result<Page<Seen>> {
    policy::holds_everywhere(caller, Privilege::ViewAudit)?;
    let limit = page::limit(limit)?;
    let mut tx = app.read().await?;
    let rows = store::ledger::list(&mut tx, filter, page::key(cursor)?, limit + 1).await?;
    let seen = rows.into_iter().map(|(row, actor_name)| Seen { row, actor_name }).collect();
    Ok(Page::cut(seen, limit, |seen: &Seen| seen.row.seq))
}

/// Erases the personal part of an event as part of another action; the answered event, the tombstone, must be
/// committed with it. `None` where there is nothing personal (any more).
pub async fn erase_in(tx: &mut Tx, caller: &Caller, id: &EventId) -> Result<Option<Event>> {
    Ok(store::ledger::erase(tx, id, caller.actor()).await?)
}

/// Erases the personal part of an event.
pub async fn erase_personal(app: &App, caller: &Caller, id: &EventId) -> Result<()> {
    policy::holds_everywhere(caller, Privilege::ManageSettings)?;
    let mut tx = app.begin().await?;
    store::ledger::find(&mut tx, id).await?.ok_or_else(|| Error::not_found("event"))?;
    match erase_in(&mut tx, caller, id).await? {
        Some(tombstone) => Ok(tx.commit([tombstone]).await?),
        None => Err(Error::conflict("nothing_personal", "The event has no personal part, or it was erased already.")),
    }
}

/// Erases again what tombstones say was erased, after a backup was restored. Answers how many there were.
pub async fn replay_tombstones(app: &App) -> Result<u64> {
    let mut tx = app.begin().await?;
    let count = store::ledger::replay_tombstones(&mut tx).await?;
    tx.commit_housekeeping().await?;
    Ok(count)
}

/// When the last checkpoint was signed, and over how many leaves.
pub async fn state(app: &App) -> Result<(u64, Timestamp)> {
    let head = head(app).await?;
    Ok((head.size, head.signed_at))
}
