//! The streets and buildings that the agency brought, to be drawn and to be searched.

use std::sync::Arc;

use domain::gazetteer::{Gazetteer, Place};
use tokio::sync::OnceCell;

use crate::{App, Error, Result};

/// The layer, read once.
#[derive(Default)]
pub(crate) struct Layer(OnceCell<Option<Loaded>>);

struct Loaded {
    text: Arc<str>,
    sha256: String,
    gazetteer: Arc<Gazetteer>,
}

/// The layer as it was brought: GeoJSON.
pub struct Streets {
    /// The text of the file.
    pub text: Arc<str>,
    /// What tells this text from another.
    pub sha256: String,
}

async fn loaded(app: &App) -> Result<Option<&Loaded>> {
    let loaded = app.streets().0.get_or_try_init(|| async {
        let Some(path) = app.settings().streets.clone() else { return Ok(None) };
        let read = tokio::task::spawn_blocking(move || {
            let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            let layer = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
            let gazetteer = Gazetteer::from_geojson(&layer);
            Ok(Loaded {
                sha256: proof::Sha256Digest::of(text.as_bytes()).to_string(),
                text: text.into(),
                gazetteer: Arc::new(gazetteer),
            })
        });
        read.await
            .unwrap_or_else(|e| Err(e.to_string()))
            .map(Some)
            .map_err(|e: String| Error::internal(format!("the streets layer cannot be read: {e}")))
    });
    Ok(loaded.await?.as_ref())
}

/// The layer, if the agency brought one.
pub async fn layer(app: &App) -> Result<Streets> {
    let loaded = loaded(app).await?.ok_or_else(|| Error::not_found("streets layer"))?;
    Ok(Streets { text: Arc::clone(&loaded.text), sha256: loaded.sha256.clone() })
}

/// Places by what people call them, the likeliest first; none without a layer.
pub async fn find_places(app: &App, text: &str, limit: usize) -> Result<Vec<Place>> {
    let Some(loaded) = loaded(app).await? else { return Ok(Vec::new()) };
    Ok(loaded.gazetteer.find(text, limit))
}
