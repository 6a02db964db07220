//! The two servers of MediaMTX, and what they are asked.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use domain::Timestamp;
use protocol::ClockOffset;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::run::{self, Entry, Run};
use crate::adapter::Trouble;
use crate::adapter::web::{self, Pages, Web, WebError};
use crate::config::{MediamtxConfig, WebConfig};

/// Paths are asked for by so many: each comes with all its segments.
const PAGE: usize = 10;
/// And no more pages than that.
const PAGES: usize = 1_000;
/// One segment that cannot be read has a list of all refused; so often it is asked for in halves.
const REFUSALS: usize = 100;

/// The control API and the playback server, and the account at both.
pub(super) struct Servers {
    api: Web,
    playback: Web,
    pub(super) config: WebConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: DeserializeOwned")]
pub(super) struct PageOf<T> {
    page_count: usize,
    pub(super) items: Vec<T>,
}

/// A path that there is now.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Live {
    pub(super) name: String,
    pub(super) conf_name: String,
    /// What `online` was called before.
    #[serde(default)]
    ready: bool,
    #[serde(default)]
    online: Option<bool>,
}

impl Live {
    pub(super) fn online(&self) -> bool {
        self.online.unwrap_or(self.ready)
    }
}

/// A path with recordings.
#[derive(Deserialize)]
pub(super) struct Recorded {
    pub(super) name: String,
    segments: Vec<Segment>,
}

#[derive(Deserialize)]
struct Segment {
    start: Timestamp,
}

impl Recorded {
    /// When its segments begin, in order.
    pub(super) fn begins(self) -> Vec<Timestamp> {
        let mut begins: Vec<_> = self.segments.into_iter().map(|segment| segment.start).collect();
        begins.sort_unstable();
        begins.dedup();
        begins
    }

    fn newest(&self) -> Option<Timestamp> {
        self.segments.iter().map(|segment| segment.start).max()
    }
}

impl Servers {
    pub(super) fn new(MediamtxConfig { playback_url, web }: MediamtxConfig) -> anyhow::Result<Self> {
        use anyhow::Context;
        let playback = WebConfig { url: playback_url, ..web.clone() };
        Ok(Self { api: Web::new(&web)?, playback: Web::new(&playback).context("playback_url")?, config: web })
    }

    fn get(&self, server: &Web, path: &[&str]) -> Result<RequestBuilder, Trouble> {
        let request = server.request(Method::GET, path);
        Ok(match web::credentials(&self.config)? {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        })
    }

    /// The paths that there are now, and those that have recordings.
    pub(super) async fn paths(&self) -> Result<(Vec<Live>, Vec<Recorded>), Trouble> {
        Ok((self.all("paths").await?, self.all("recordings").await?))
    }

    /// All of a list of the control API.
    async fn all<T: DeserializeOwned>(&self, of: &str) -> Result<Vec<T>, Trouble> {
        let (mut all, mut pages) = (Vec::new(), Pages::default());
        for page in 0..PAGES {
            let request = self.get(&self.api, &["v3", of, "list"])?;
            let request = request.query(&[("itemsPerPage", PAGE), ("page", page)]);
            let answer: PageOf<T> = self.api.page(request, &mut pages).await?;
            all.extend(answer.items);
            if page + 1 >= answer.page_count {
                break;
            }
        }
        Ok(all)
    }

    /// When the segments of a path begin, in order. One that is not configured has none.
    pub(super) async fn segments(&self, path: &str) -> Result<Vec<Timestamp>, Trouble> {
        let words: Vec<_> = ["v3", "recordings", "get"].into_iter().chain(path.split('/')).collect();
        let recorded: Recorded = match self.api.json(self.get(&self.api, &words)?).await {
            Err(WebError::Status(400)) => return Ok(Vec::new()),
            answer => answer?,
        };
        Ok(recorded.begins())
    }

    pub(super) async fn clock(&self) -> Result<Option<ClockOffset>, Trouble> {
        let request = self.get(&self.api, &["v3", "paths", "list"])?;
        Ok(self.api.clock(request.query(&[("itemsPerPage", 1)])).await?)
    }

    /// That the control API answers does not mean that recordings are handed out: the playback server has an address and rights
    /// of its own.
    pub(super) async fn hand_out(&self, recorded: &[Recorded]) -> Result<(), Trouble> {
        let newest = |path: &Recorded| Some((path.name.clone(), path.newest()?));
        let Some((path, newest)) = recorded.iter().find_map(newest) else { return Ok(()) };
        match self.entries(&path, newest, None).await? {
            // one that it cannot read, or that is just begun, says nothing of the others
            Ok(_) | Err(WebError::Status(500)) => Ok(()),
            Err(error @ WebError::Away(_)) => Err(Trouble::Away(format!("The playback server: {error}."))),
            Err(error) => Err(Trouble::again(format!("The playback server: {error}."))),
        }
    }

    /// What the playback server tells of the segments that begin from one on and not after another time.
    async fn entries(
        &self,
        path: &str,
        from: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<Result<Vec<Entry>, WebError>, Trouble> {
        let mut query = vec![("path", path.to_owned()), ("start", from.to_string())];
        query.extend(until.map(|until| ("end", until.to_string())));
        Ok(self.playback.json(self.get(&self.playback, &["list"])?.query(&query)).await)
    }

    /// The runs that some of a path's segments are. Where one of them cannot be read, as after a power cut, it is left out.
    pub(super) async fn runs(
        &self,
        path: &str,
        segments: &[Timestamp],
        wanted: Range<usize>,
    ) -> Result<Vec<Run>, Trouble> {
        let (mut runs, mut refusals, mut left) = (Vec::new(), 0, vec![wanted]);
        while let Some(part) = left.pop() {
            let Some(own @ [first, ..]) = segments.get(part.clone()) else { continue };
            // a segment that begins at the end would be listed too
            let until = segments.get(part.end).map(|next| next.minus(Duration::from_micros(1)));
            match self.entries(path, *first, until).await? {
                Err(WebError::Status(500)) if refusals < REFUSALS => {
                    refusals += 1;
                    let middle = part.start + own.len() / 2;
                    if own.len() > 1 {
                        left.extend([middle..part.end, part.start..middle]);
                    }
                }
                Err(WebError::NotFound) => {}
                answer => runs.extend(run::runs(own, answer?)),
            }
        }
        if runs.is_empty() && refusals > 0 {
            return Err(Trouble::again(
                "The playback server cannot read what was recorded (500); it knows recordFormat fmp4 alone.",
            ));
        }
        Ok(runs)
    }

    /// Writes a part of a run into a file, and answers whether there is anything of it.
    pub(super) async fn part(&self, path: &str, from: Timestamp, long: Duration, into: &Path) -> Result<bool, Trouble> {
        let (start, duration) = (from.to_string(), run::seconds(long));
        let query = [("path", path), ("start", &start), ("duration", &duration), ("format", "fmp4")];
        let request = self.get(&self.playback, &["get"])?.query(&query);
        let again = || request.try_clone().expect("a request without a body");
        match self.playback.download(again, into, web::longest(long)).await {
            // what it cannot read itself: the file stays empty, and is told to be unreadable
            Ok(_) | Err(WebError::Status(400)) => Ok(true),
            Err(WebError::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
