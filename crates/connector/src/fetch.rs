//! Where an export comes from: out of what is held for its item, or from the recorder.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use domain::Window;
use domain::id::RequestItemId;
use protocol::{Gap, Manifest};

use crate::adapter::{Exported, Trouble};
use crate::growth::{self, Fetched};
use crate::held::Taken;
use crate::session::Shared;
use crate::status::Told;

/// What differs by no more is as good as whole: a picture or two.
const AS_GOOD_AS_WHOLE_US: i64 = 500_000;

/// Writes the window into the folder, out of what is held for the item if anything is. A recorder that was found to lack some of what is held
/// is not asked again.
pub async fn export(
    shared: &Shared,
    item: &RequestItemId,
    device_id: &str,
    window: Window,
    (told, recorder_lacks): (&Told, &AtomicBool),
    into: PathBuf,
) -> Result<Exported, Trouble> {
    let fetched = Fetched::default();
    tokio::select! {
        exported = taken_or_fetched(shared, item, device_id, window, &into, &fetched, recorder_lacks) => exported,
        never = growth::watch(&into, &fetched, told) => match never {},
    }
}

async fn taken_or_fetched(
    shared: &Shared,
    item: &RequestItemId,
    device_id: &str,
    window: Window,
    into: &Path,
    fetched: &Fetched,
    recorder_lacks: &AtomicBool,
) -> Result<Exported, Trouble> {
    if let Some(held) = shared.holds.find(item) {
        shared.recorder.require_published(device_id, &held.source)?;
    }
    match shared.holds.take(item, device_id, window, into).await? {
        Taken::Export(held) => Ok(*held),
        Taken::Nothing => shared.recorder.export(device_id, window, into, fetched).await,
        Taken::Damaged(why) => {
            let exported = shared.recorder.export(device_id, window, into, fetched).await;
            exported.map_err(|trouble| and_held_is_lost(trouble, &why))
        }
        Taken::Locked { why, .. } if recorder_lacks.load(Ordering::Relaxed) => Err(no_key(&why)),
        Taken::Locked { why, manifest } => {
            let exported = shared.recorder.export(device_id, window, into, fetched).await;
            let enough = unless_held_is_more(exported, &manifest, window, &why);
            recorder_lacks.store(matches!(enough, Err(Trouble::NoKey(_))), Ordering::Relaxed);
            enough
        }
    }
}

/// The recorder has no footage, and what was held of it is none either.
fn and_held_is_lost(trouble: Trouble, why: &str) -> Trouble {
    match trouble {
        Trouble::Unavailable { reason, detail } => {
            let detail = format!("{detail} It was held for this request, but what was held cannot be read: {why}.");
            Trouble::Unavailable { reason, detail }
        }
        other => other,
    }
}

/// What the recorder still has is taken where it lacks no more than what is held, which will be read when its key is back.
fn unless_held_is_more(
    exported: Result<Exported, Trouble>,
    held: &Manifest,
    window: Window,
    why: &str,
) -> Result<Exported, Trouble> {
    let lacks = |manifest: &Manifest| {
        let within = |gap: &Gap| gap.window().intersect(window).map(|lost| lost.to.as_micros() - lost.from.as_micros());
        manifest.gaps.iter().filter_map(within).sum::<i64>()
    };
    let held_is_more = match &exported {
        Ok(exported) => lacks(&exported.manifest) > lacks(held) + AS_GOOD_AS_WHOLE_US,
        Err(trouble) => matches!(trouble, Trouble::Unavailable { .. }),
    };
    if !held_is_more {
        return exported;
    }
    Err(no_key(why))
}

fn no_key(why: &str) -> Trouble {
    Trouble::NoKey(format!("The recorder no longer has all of it, and what is held cannot be read now: {why}."))
}
