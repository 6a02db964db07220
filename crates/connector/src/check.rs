//! What `sightline-connector check` finds out beyond what the video system says: whether `run` would come to publish, and what the
//! server would say to it. Nothing that it tries is left behind, for it may be another user who runs it.

use std::path::Path;
use std::sync::Arc;

use protocol::SourceDescription;

use crate::config::Config;
use crate::held::Holds;
use crate::recorder::Recorder;
use crate::spool::Spool;

/// What would keep `run` from its state, its holds or its status page. Beside a connector that runs here nothing is taken from it.
pub fn machine(config: &Config, state: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    let used = Spool::is_used(state);
    if let Err(error) = &used {
        wrong.push(format!("{error:#}. Another folder can be named with --state, as the service does."));
    }
    let key_file = config.hold.as_ref().map(|hold| hold.key_file.as_path());
    if let Err(error) = Holds::would_open(state, key_file) {
        wrong.push(format!("{error:#}."));
    }
    // the one that runs here has it
    if let Some(address) = config.connector.status.filter(|_| !matches!(used, Ok(true)))
        && let Err(error) = std::net::TcpListener::bind(address)
    {
        wrong.push(format!("There would be no status page, for {address} cannot be had: {error}."));
    }
    wrong
}

/// What the server would not take over of what is published, and that nothing is.
pub fn sources(recorder: &Recorder, sources: &[Arc<SourceDescription>]) -> Vec<String> {
    let published: Vec<_> = sources.iter().filter(|source| recorder.allows(source)).collect();
    if published.is_empty() && !sources.is_empty() {
        return vec!["Nothing is published: [publish] keeps every camera back.".into()];
    }
    let refused = |source: &&Arc<SourceDescription>| {
        let why = source.validate().err()?;
        Some(format!("The server would not take over '{}': {why}", source.device_id))
    };
    published.into_iter().filter_map(|source| refused(&source)).collect()
}
