//! ZoneMinder 1.36 and later, by its API (<https://zoneminder.readthedocs.io/en/latest/api.html>).
//!
//! It records a camera as a row of events, each with a video of its own. Their times are told to the second, in the
//! server's local time; neighbours overlap by a second or two, and that is kept.

mod event;
mod lock;
mod login;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Position, Timestamp, Window};
use jiff::tz::TimeZone;
use protocol::{ClockOffset, ProblemReport, SourceDescription};
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::archive::{self, Archive, Bounds, Recording};
use super::web::{self, Pages, Web, WebError};
use super::{Adapter, Asked, Coverage, Discovery, Exported, Locks, Trouble};
use crate::config::WebConfig;
use crate::growth::Fetched;
use event::{Event, Events};
use lock::Lock;
use login::Login;

/// Events are asked for by so many.
const PAGE: usize = 100;
/// And no more pages than that.
const PAGES: usize = 1_000;

/// A ZoneMinder server.
pub struct ZoneMinder {
    web: Web,
    config: WebConfig,
    login: Login,
    zone: tokio::sync::OnceCell<TimeZone>,
}

#[derive(Deserialize)]
struct Monitors {
    monitors: Vec<MonitorRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MonitorRow {
    monitor: Monitor,
    #[serde(rename = "Monitor_Status", default)]
    status: Option<MonitorStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Monitor {
    id: event::Number,
    name: String,
    #[serde(default)]
    latitude: Option<event::Number>,
    #[serde(default)]
    longitude: Option<event::Number>,
    #[serde(default)]
    manufacturer: Option<String>,
    /// 0: no video is written.
    #[serde(default)]
    video_writer: Option<event::Number>,
}

impl Monitor {
    fn writes_no_video(&self) -> bool {
        self.video_writer.as_ref().and_then(event::Number::float) == Some(0.0)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MonitorStatus {
    #[serde(default)]
    status: Option<String>,
}

#[derive(Deserialize)]
struct Zone {
    tz: String,
}

impl ZoneMinder {
    /// Checks the settings; nothing is asked yet.
    pub fn new(config: WebConfig) -> anyhow::Result<Self> {
        use anyhow::Context;
        let zone = tokio::sync::OnceCell::new();
        if let Some(name) = &config.time_zone {
            let told = TimeZone::get(name).with_context(|| format!("time_zone '{name}' is none of the IANA names"))?;
            let _ = zone.set(told);
        }
        Ok(Self { web: Web::new(&config)?, login: Login::default(), zone, config })
    }

    /// Asks the API. A token that has run out is replaced, once.
    async fn api<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
        pages: &mut Pages,
    ) -> Result<T, Trouble> {
        let path: Vec<_> = std::iter::once("api").chain(segments.iter().copied()).collect();
        let ask = |token: &str| with_token(self.web.request(Method::GET, &path).query(query), token);
        let token = self.login.token(&self.web, &self.config).await?;
        Ok(match self.web.page(ask(&token), pages).await {
            Err(WebError::Refused(_)) => {
                let token = self.login.anew(&self.web, &self.config).await?;
                self.web.page(ask(&token), pages).await?
            }
            answer => answer?,
        })
    }

    async fn zone(&self) -> Result<&TimeZone, Trouble> {
        self.zone
            .get_or_try_init(|| async {
                let told: Zone = self.api(&["host", "getTimeZone.json"], &[], &mut Pages::default()).await?;
                TimeZone::get(&told.tz).map_err(|_| {
                    Trouble::again(
                        "The video system names no time zone that is known: set time_zone in the configuration.",
                    )
                })
            })
            .await
    }

    /// The cameras, and that some keep no video.
    async fn monitors(&self) -> Result<(Vec<SourceDescription>, Option<ProblemReport>), Trouble> {
        let listed: Monitors = self.api(&["monitors.json"], &[], &mut Pages::default()).await?;
        let problem = without_video(&listed);
        let sources = listed.monitors.into_iter().map(|row| described(row, self.config.retention_hours)).collect();
        Ok((sources, problem))
    }

    /// That what was asked for was kept as single pictures, where it was.
    async fn pictures_only(&self, asked: &Asked) -> Result<Option<Trouble>, Trouble> {
        let events = self.events(&asked.device_id, asked.window).await?;
        let reaching = event::reaching_into(&events, asked.window, self.zone().await?);
        let pictures = !reaching.is_empty() && reaching.iter().all(|event| event.is_of_pictures());
        Ok(pictures.then(|| Trouble::never(PICTURES)))
    }

    /// Events of a camera that begin up to `to`, by the server's local time, the newest first; all those that reach
    /// beyond `from`, and one before.
    async fn events(&self, monitor: &str, window: Window) -> Result<Vec<Event>, Trouble> {
        let zone = self.zone().await?;
        let until = event::local(window.to.plus(event::AROUND), zone);
        let (monitor, until) = (format!("MonitorId:{monitor}"), format!("StartDateTime <=:{until}"));
        let (mut found, mut pages) = (Vec::<Event>::new(), Pages::default());
        for page in 1..=PAGES {
            let path = ["events", "index", &monitor, &format!("{until}.json")];
            let rows = self.page(&path, "desc", (PAGE, page), &mut pages).await?;
            let full = rows.len() >= PAGE;
            found.extend(rows);
            let earliest = window.from.minus(event::AROUND);
            let before = |event: &Event| event.surely_ended_before(earliest, zone);
            if !full || found.last().is_some_and(before) {
                break;
            }
        }
        Ok(found)
    }

    async fn page(
        &self,
        path: &[&str],
        direction: &str,
        (limit, page): (usize, usize),
        pages: &mut Pages,
    ) -> Result<Vec<Event>, Trouble> {
        let (rows, page) = (limit.to_string(), page.to_string());
        let query = [("sort", "StartDateTime"), ("direction", direction), ("limit", &rows), ("page", &page)];
        let answer: Events = self.api(path, &query, pages).await?;
        Ok(answer.events.into_iter().take(limit).map(|row| row.event).collect())
    }

    /// When the oldest or the newest event of a camera begins.
    async fn outermost(&self, monitor: &str, direction: &str) -> Result<Option<Timestamp>, Trouble> {
        let path = ["events", "index", &format!("MonitorId:{monitor}.json")];
        let events = self.page(&path, direction, (1, 1), &mut Pages::default()).await?;
        let zone = self.zone().await?;
        Ok(events.first().and_then(|event| event.earliest(zone)))
    }
}

/// The cameras that an answer of `monitors.json` tells.
pub fn read_monitors(answer: &[u8]) -> serde_json::Result<Vec<SourceDescription>> {
    let listed: Monitors = serde_json::from_slice(answer)?;
    Ok(listed.monitors.into_iter().map(|row| described(row, None)).collect())
}

/// The recordings that an answer of `events/index` tells, with their true place in time, in order. Its local times are of `zone`.
pub fn read_events(answer: &[u8], zone: &TimeZone) -> serde_json::Result<Vec<Recording>> {
    let listed: Events = serde_json::from_slice(answer)?;
    Ok(event::recordings(listed.events.into_iter().map(|row| row.event).collect(), zone))
}

fn described(MonitorRow { monitor, status }: MonitorRow, retention_hours: Option<i64>) -> SourceDescription {
    let position = match (monitor.latitude.and_then(|n| n.float()), monitor.longitude.and_then(|n| n.float())) {
        (Some(lat), Some(lon)) if (lat, lon) != (0.0, 0.0) => Position::checked(lat, lon),
        _ => None,
    };
    SourceDescription {
        device_id: monitor.id.to_string(),
        name: monitor.name,
        position,
        make: monitor.manufacturer.filter(|make| !make.is_empty()),
        online: status.and_then(|status| status.status).map(|status| status == "Connected"),
        retention_hours,
        ..SourceDescription::default()
    }
}

/// The API takes its token in the query alone. Addresses are therefore never written anywhere.
fn with_token(request: RequestBuilder, token: &str) -> RequestBuilder {
    if token.is_empty() { request } else { request.query(&[("token", token)]) }
}

/// Whether an event is one of those that locks are named by.
fn among(locks: &[String], event: &str) -> bool {
    locks.iter().any(|lock| Lock::read(lock).keeps(event))
}

#[async_trait]
impl Archive for ZoneMinder {
    const KIND: &'static str = "zoneminder";
    const LISTED_WITHIN: Duration = Duration::from_secs(30);

    async fn list(&self, device_id: &str, window: Window) -> Result<Vec<Recording>, Trouble> {
        let events = self.events(device_id, window).await?;
        let videos = events.into_iter().filter(|event| !event.is_of_pictures()).collect();
        Ok(event::recordings(videos, self.zone().await?))
    }

    async fn bounds(&self, device_id: &str) -> Result<Option<Bounds>, Trouble> {
        let oldest = self.outermost(device_id, "asc").await?;
        let newest = self.outermost(device_id, "desc").await?;
        Ok(oldest.zip(newest).map(|(oldest, newest)| Bounds { oldest, newest }))
    }

    async fn fetch(&self, _device_id: &str, recording: &Recording, into: &Path) -> Result<bool, Trouble> {
        let token = self.login.token(&self.web, &self.config).await?;
        let query = [("view", "view_video"), ("eid", &recording.name)];
        let ask = || with_token(self.web.request(Method::GET, &["index.php"]).query(&query), &token);
        // an open event may last as long as ZoneMinder lets any last
        let long = recording.ends.map_or(Duration::from_secs(7_200), |ends| ends.since(recording.begins));
        match self.web.download(ask, into, web::longest(long)).await {
            Ok(_) => Ok(true),
            Err(WebError::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What a camera had sent before ZoneMinder took its first picture comes all at once: such a video is seconds longer than its
    /// event, and begins before it. It is the end that is noted as it happens.
    async fn begins(
        &self,
        recording: &Recording,
        _file: &Path,
        lasts: Duration,
    ) -> Result<(Timestamp, Duration), Trouble> {
        let told = recording.ends.map_or(lasts, |ends| ends.since(recording.begins));
        let longer = lasts.saturating_sub(told);
        // a frame or so more is no news: it may as well lie at the end
        Ok((recording.begins.minus(longer), recording.or_later + longer.min(event::PRECISION)))
    }
}

#[async_trait]
impl Adapter for ZoneMinder {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    async fn discover(&self) -> Discovery {
        match self.monitors().await {
            Ok((sources, problem)) => Discovery { problem, ..Discovery::of(Ok(sources), WHAT_TO_DO) },
            Err(trouble) => Discovery::of(Err(trouble), WHAT_TO_DO),
        }
    }

    async fn snapshot(&self, device_id: &str) -> Result<Vec<u8>, Trouble> {
        let token = self.login.token(&self.web, &self.config).await?;
        let query = [("mode", "single"), ("monitor", device_id), ("scale", "100")];
        let request = self.web.request(Method::GET, &["cgi-bin", "zms"]).query(&query);
        Ok(self.web.picture(with_token(request, &token)).await?)
    }

    async fn coverage(&self, asked: &Asked) -> Result<Coverage, Trouble> {
        archive::coverage(self, asked).await
    }

    async fn export(&self, asked: &Asked, into: &Path, fetched: &Fetched) -> Result<Exported, Trouble> {
        match archive::export(self, asked, into, fetched).await {
            Err(none @ (Trouble::Unavailable { .. } | Trouble::NotYet)) => {
                Err(self.pictures_only(asked).await?.unwrap_or(none))
            }
            done => done,
        }
    }

    async fn clock(&self) -> Result<Option<ClockOffset>, Trouble> {
        Ok(self.web.clock(self.web.request(Method::GET, &["api", "host", "getVersion.json"])).await?)
    }

    async fn hold(&self, asked: &Asked, locks: &Locks<'_>) -> Result<Option<String>, Trouble> {
        let events = self.events(&asked.device_id, asked.window).await?;
        let names = event::reaching_into(&events, asked.window, self.zone().await?);
        if names.is_empty() {
            return Err(archive::nothing_there(self, asked).await?);
        }
        if names.iter().all(|event| event.is_of_pictures()) {
            return Err(Trouble::never(PICTURES));
        }
        self.lock(&names, locks).await.map(Some)
    }

    async fn holds_still(&self, name: &str) -> Result<Option<String>, Trouble> {
        self.look_at(name).await
    }

    async fn free(&self, name: &str, others: &[String]) -> Result<(), Trouble> {
        self.unlock(name, others).await
    }
}

const PICTURES: &str = "ZoneMinder kept that time as single pictures (JPEG) and not as video: there is no recording that could be exported.";

/// The monitors whose events will have no video, if there are any.
fn without_video(listed: &Monitors) -> Option<ProblemReport> {
    let names: Vec<_> = listed
        .monitors
        .iter()
        .filter(|row| row.monitor.writes_no_video())
        .map(|row| row.monitor.name.as_str())
        .collect();
    let first = names.first()?;
    let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
    let short: String = first.chars().take(100).collect();
    Some(ProblemReport {
        text: format!("ZoneMinder keeps '{short}'{more} as single pictures (JPEG), of which no footage can be exported."),
        what_to_do: "Set its Video Writer (Monitor, Storage) to Camera Passthrough or Encode, or exclude it in the configuration.".into(),
    })
}

/// What to do when it does not tell of its cameras.
const WHAT_TO_DO: &str = "See that ZoneMinder runs, that the url of the configuration opens its console, and that the account may use \
                     the API (Options, Users: API enabled) and view the cameras.";
