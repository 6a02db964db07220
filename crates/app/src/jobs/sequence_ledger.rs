//! Extends the ledger, about once a second, when there are new events.
//!
//! One server at a time, by a lease in the ledger's row:
//!
//! 1. [`claim`]: one transaction takes the lease and gives new rows their places. From then on their leaves are fixed.
//! 2. [`build`] and [`write`]: tiles and bundles. They are a function of the rows and go beside those of the last
//!    checkpoint, so writing them twice, or only half of them, changes nothing that is signed.
//! 3. [`publish`]: one transaction replaces the checkpoint, if the lease still holds. Only now does the tree have
//!    the new leaves.
//!
//! A crash anywhere leaves the last checkpoint and all its tiles; the next run begins again from there.

use std::time::Duration;

use domain::Timestamp;
use futures::StreamExt as _;
use proof::tile::{self, Kind, Tile};
use proof::{Checkpoint, tree};
use store::ledger::Head;
use tokio_util::sync::CancellationToken;

use crate::ledger::{file, read_tile, read_tiles, signer};
use crate::{App, Error, Result};

/// How often there may be a new checkpoint.
const EVERY: Duration = Duration::from_secs(1);
/// How long one extension may take before another server begins it anew, or the same one after it was killed.
pub(crate) const LEASE: Duration = Duration::from_secs(15);
/// How many leaves one extension adds.
const MOST: u64 = 4096;

/// Extends the ledger until it is told to stop.
pub(super) async fn work(app: App, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match super::caught(run(&app)).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::error!(%error, source = ?error.source, "the ledger could not be extended"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Extends the ledger by what there is. True while there may be more.
pub async fn run(app: &App) -> Result<bool> {
    let Some(claim) = claim(app).await? else { return Ok(false) };
    let extension = build(app, &claim).await?;
    write(app, &extension.files).await?;
    let full = extension.head.size - claim.head.size == MOST;
    if !publish(app, &claim, &extension.head).await? {
        return Ok(false);
    }
    for name in &extension.outgrown {
        app.blobs().remove(name).await?;
    }
    Ok(full)
}

/// The right to extend the tree, and from where.
#[derive(Debug)]
pub(crate) struct Claim {
    lease: Timestamp,
    head: Head,
}

/// Takes the lease and gives new rows their places; `None` when nothing is new, or another server is at it.
pub(crate) async fn claim(app: &App) -> Result<Option<Claim>> {
    let mut tx = app.read().await?;
    if store::ledger::head(&mut tx).await?.is_none() {
        drop(tx);
        begin(app).await?;
        tx = app.read().await?;
    }
    if !store::ledger::lags(&mut tx).await? {
        return Ok(None);
    }
    drop(tx);
    let mut tx = app.begin().await?;
    let lease = tx.now().plus(LEASE);
    let Some(head) = store::ledger::lease(&mut tx, lease).await? else { return Ok(None) };
    store::ledger::number(&mut tx, head.size, MOST as i64).await?;
    tx.commit_housekeeping().await?;
    Ok(Some(Claim { lease, head }))
}

/// Signs the empty tree.
async fn begin(app: &App) -> Result<()> {
    if app.blobs().list("ledger/").next().await.is_some() {
        return Err(Error::internal("there are tiles of a ledger that has no checkpoint: run `sightline check`"));
    }
    let signer = signer(app).await?;
    let empty = Checkpoint { origin: signer.verifier().name().to_owned(), size: 0, root: tree::root(&[]) };
    let checkpoint = empty.sign(signer).map_err(Error::internal)?;
    let mut tx = app.begin().await?;
    store::ledger::begin(&mut tx, &empty.root, &checkpoint).await?;
    Ok(tx.commit_housekeeping().await?)
}

/// A longer tree.
pub(crate) struct Extension {
    /// What is to be written: name and bytes.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Partial tiles that wider ones replace.
    outgrown: Vec<String>,
    /// The new checkpoint.
    pub(crate) head: Head,
}

/// Computes the longer tree. It refuses to build on a tree that is not the one that was signed.
pub(crate) async fn build(app: &App, claim: &Claim) -> Result<Extension> {
    let signer = signer(app).await?;
    let old = &claim.head;
    let signed = Checkpoint::open(&old.checkpoint, signer.verifier()).map_err(Error::internal)?;
    let edge = read_tiles(app, &tile::edge(old.size)).await?;
    let root = edge.root(old.size).map_err(Error::internal)?;
    if (signed.size, signed.root) != (old.size, old.root) || root != old.root {
        return Err(Error::internal("the ledger's tiles are not those of its checkpoint: run `sightline check`"));
    }
    let leaves = new_leaves(app, old.size).await?;
    let hashes: Vec<_> = leaves.iter().map(|leaf| tree::leaf_hash(leaf)).collect();
    let growth = tile::grow(old.size, &edge, &hashes).map_err(Error::internal)?;
    let mut files = bundles(app, old.size, leaves).await?;
    files.extend(growth.tiles.into_iter().map(|(tile, bytes)| (file(tile), bytes)));
    let checkpoint = Checkpoint { origin: signed.origin, size: growth.size, root: growth.root };
    let head = Head {
        size: growth.size,
        root: growth.root,
        checkpoint: checkpoint.sign(signer).map_err(Error::internal)?,
        signed_at: app.now(),
    };
    Ok(Extension { files, outgrown: outgrown(old.size, growth.size), head })
}

async fn new_leaves(app: &App, size: u64) -> Result<Vec<Vec<u8>>> {
    let rows = store::ledger::leaves(&mut app.read().await?, size, size + MOST).await?;
    let mut leaves = Vec::new();
    for (place, row) in (size..).zip(&rows) {
        if row.leaf_index.and_then(|index| u64::try_from(index).ok()) != Some(place) {
            return Err(Error::internal(format!("no event has place {place} in the ledger: run `sightline check`")));
        }
        leaves.push(row.public()?.leaf().map_err(Error::internal)?);
    }
    Ok(leaves)
}

/// The bundles that new leaves go into. What an unfinished one holds already is taken from its file, not from rows:
/// a row that somebody changed since does not come into the ledger that way.
async fn bundles(app: &App, size: u64, new: Vec<Vec<u8>>) -> Result<Vec<(String, Vec<u8>)>> {
    let partial = Tile::holding(Kind::Entries, size, size);
    let mut leaves = Vec::new();
    if partial.width > 0 {
        let bytes = read_tile(app, partial).await?.ok_or_else(|| Error::internal(tile::TileError::Missing(partial)))?;
        leaves = tile::read_bundle(partial, &bytes).map_err(Error::internal)?;
    }
    leaves.extend(new);
    let mut files = Vec::new();
    for (index, bundle) in (partial.index..).zip(leaves.chunks(tile::WIDTH as usize)) {
        let tile = Tile { kind: Kind::Entries, index, width: bundle.len() as u16 };
        files.push((file(tile), tile::write_bundle(bundle).map_err(Error::internal)?));
    }
    Ok(files)
}

fn outgrown(old: u64, new: u64) -> Vec<String> {
    let mut before = tile::edge(old);
    before.push(Tile::holding(Kind::Entries, old, old));
    let grown =
        |tile: &Tile| tile.width > 0 && Tile::holding(tile.kind, tile.index * tile::WIDTH, new).width > tile.width;
    before.into_iter().filter(grown).map(file).collect()
}

/// Writes tiles and bundles.
pub(crate) async fn write(app: &App, files: &[(String, Vec<u8>)]) -> Result<()> {
    for (name, bytes) in files {
        app.blobs().put_named(name, bytes.clone()).await?;
    }
    Ok(())
}

/// Replaces the checkpoint. False when the lease was lost: then another server has done it, or is about to.
pub(crate) async fn publish(app: &App, claim: &Claim, head: &Head) -> Result<bool> {
    let mut tx = app.begin().await?;
    let saved = store::ledger::save(&mut tx, claim.lease, claim.head.size, head).await?;
    tx.commit_housekeeping().await?;
    Ok(saved)
}
