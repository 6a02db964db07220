//! What the Open Network Bridge tells of recordings. It is an ONVIF device with a search of its own: for a camera by its id, around
//! a moment (Milestone Open Network Bridge administrator manual, "Manage video playback").

use std::time::Duration;

use domain::{Timestamp, Window};

use crate::adapter::Trouble;
use crate::adapter::onvif::recordings::time;
use crate::adapter::onvif::soap::{Device, SEARCH};
use crate::adapter::onvif::xml::{self, Element, escaped};
use crate::clock;
use crate::config::WebConfig;
use crate::rtsp::replay::Source;

/// No search looks further: milliseconds in 31 bits, as nothing says that it takes more.
const REACH: Duration = Duration::from_millis(i32::MAX as u64);
/// So many sequences are asked for at once.
const PAGE: usize = 1_000;
/// And so often, for one window.
const PAGES: usize = 100;
/// What lies further away is looked for so many times, which is eight years.
const STEPS: usize = 120;
/// So far back, where the bridge does not tell since when there are recordings.
const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// What a search saw of a camera's recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// What the bridge calls the recording.
    pub token: Option<String>,
    /// From when to when there is a picture; in no order, and some perhaps twice.
    pub spans: Vec<Window>,
    /// More is being recorded now, as far as the bridge says so.
    pub goes_on: bool,
}

impl Seen {
    /// What recordings (`tt:RecordingInformation`) tell.
    fn of(recordings: &[Element]) -> Self {
        let mut seen = Self::default();
        for recording in recordings {
            let Some(token) = recording.text(&["RecordingToken"]) else { continue };
            let span = |of: &Element, from: &str, to: &str| {
                let (from, to) = (time(of.text(&[from])?)?, time(of.text(&[to])?)?);
                (from < to).then_some(Window { from, to })
            };
            let video = |track: &&Element| track.text(&["TrackType"]) == Some("Video");
            let tracks: Vec<_> = recording.all("Track").filter(video).collect();
            let mut spans: Vec<_> = tracks.iter().filter_map(|track| span(track, "DataFrom", "DataTo")).collect();
            if spans.is_empty() {
                spans.extend(span(recording, "EarliestRecording", "LatestRecording"));
            }
            seen.token.get_or_insert_with(|| token.to_owned());
            seen.spans.extend(spans);
            seen.goes_on |= recording.text(&["RecordingStatus"]) == Some("Recording");
        }
        seen
    }

    fn add(&mut self, other: Self) {
        self.token = self.token.take().or(other.token);
        self.spans.extend(other.spans);
        self.goes_on |= other.goes_on;
    }

    /// Its beginning and its end.
    pub fn bounds(&self) -> Option<(Timestamp, Timestamp)> {
        let begins = self.spans.iter().map(|span| span.from).min();
        begins.zip(self.spans.iter().map(|span| span.to).max())
    }

    fn reaches_into(&self, window: Window) -> bool {
        self.spans.iter().any(|span| span.intersect(window).is_some())
    }

    fn begins_by(&self, at: Timestamp) -> bool {
        self.bounds().is_some_and(|(begins, _)| begins <= at)
    }

    fn reaches_beyond(&self, at: Timestamp) -> bool {
        self.bounds().is_some_and(|(_, ends)| ends > at)
    }
}

/// What an answer of `GetRecordingSearchResults` tells; none if it is no XML.
pub fn read(answer: &[u8]) -> Option<Seen> {
    let mut recordings = Vec::new();
    let answer = xml::parse(answer)?;
    answer.within("RecordingInformation", &mut recordings);
    Some(Seen::of(&recordings.into_iter().cloned().collect::<Vec<_>>()))
}

pub(super) struct Bridge(Device);

impl Bridge {
    pub(super) fn new(config: WebConfig) -> anyhow::Result<Self> {
        Ok(Self(Device::new(config)?))
    }

    /// Where a recording is played from.
    pub(super) async fn source(&self, token: &str) -> Result<Source, Trouble> {
        self.0.source(token).await
    }

    /// Sequences of a camera around a moment: so many that begin before it, and so many that begin within some time after it.
    async fn look(
        &self,
        camera: &str,
        at: Timestamp,
        before: usize,
        (within, after): (Duration, usize),
    ) -> Result<Seen, Trouble> {
        let moment = at.to_jiff().unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ");
        let (back, forth) = (REACH.as_millis(), within.min(REACH).as_millis());
        let filter = format!("boolean(//Track[TrackType = \"Video\"]),{moment},{back},{before},{forth},{after}");
        let scope = format!(
            "<Scope><tt:IncludedSources><tt:Token>{}</tt:Token></tt:IncludedSources>\
             <tt:RecordingInformationFilter>{}</tt:RecordingInformationFilter></Scope>",
            escaped(camera),
            escaped(&filter)
        );
        Ok(Seen::of(&self.0.search("Recording", &scope, "RecordingInformation").await?))
    }

    /// What is recorded of a window; where nothing is, what is nearest to it on both sides.
    pub(super) async fn recorded(&self, camera: &str, window: Window, now: Timestamp) -> Result<Seen, Trouble> {
        let within = self.within(camera, window).await?;
        if within.reaches_into(window) { Ok(within) } else { self.around(camera, window, now).await }
    }

    async fn within(&self, camera: &str, window: Window) -> Result<Seen, Trouble> {
        let (mut all, mut at) = (Seen::default(), window.from);
        for _ in 0..PAGES {
            // a moment is told in whole seconds
            let rest = window.to.since(at) + Duration::from_secs(1);
            let seen = self.look(camera, at, 2, (rest, PAGE)).await?;
            let last = seen.spans.iter().map(|span| span.from).max();
            let full = seen.spans.len() >= PAGE;
            all.add(seen);
            match last.filter(|last| full && at < *last && *last < window.to) {
                Some(last) => at = last,
                None => break,
            }
        }
        Ok(all)
    }

    async fn around(&self, camera: &str, window: Window, now: Timestamp) -> Result<Seen, Trouble> {
        let (mut seen, mut at) = (Seen::default(), window.from);
        for _ in 0..STEPS {
            seen.add(self.look(camera, at, 1, (REACH, 1)).await?);
            at = at.plus(REACH);
            if seen.reaches_beyond(window.from) || at > now {
                break;
            }
        }
        if !seen.begins_by(window.from) {
            seen.add(self.newest(camera, window.from).await?);
        }
        Ok(seen)
    }

    /// Whether it answers for a camera at all: a search that costs little.
    pub(super) async fn hands_out(&self, camera: &str) -> Result<(), Trouble> {
        self.look(camera, clock::now(), 1, (REACH, 1)).await.map(drop)
    }

    /// The newest sequence of a camera that begins before a moment.
    pub(super) async fn newest(&self, camera: &str, until: Timestamp) -> Result<Seen, Trouble> {
        // which it tells of all cameras together, where it is set up to
        let summary = self.0.ask(SEARCH, "GetRecordingSummary", "").await.unwrap_or_default();
        let told = |name| summary.text(&["Summary", name]).and_then(time);
        let since = told("DataFrom").unwrap_or(until.minus(YEAR));
        let mut at = told("DataUntil").map_or(until, |at| at.min(until));
        for _ in 0..STEPS {
            let seen = self.look(camera, at, 1, (Duration::from_secs(1), 1)).await?;
            if seen.begins_by(at) || at < since {
                return Ok(seen);
            }
            at = at.minus(REACH);
        }
        Ok(Seen::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(recordings: &str) -> Seen {
        read(format!("<Envelope><ResultList>{recordings}</ResultList></Envelope>").as_bytes()).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_recording_is_where_its_video_tracks_are() {
        let told = seen(
            "<RecordingInformation><RecordingToken>r</RecordingToken><EarliestRecording>2026-01-10T00:00:00Z</EarliestRecording>\
             <LatestRecording>2026-01-11T00:00:00Z</LatestRecording>\
             <Track><TrackType>Video</TrackType><DataFrom>2026-01-10T12:00:00Z</DataFrom><DataTo>2026-01-10T12:00:20Z</DataTo></Track>\
             <Track><TrackType>Audio</TrackType><DataFrom>2026-01-10T11:00:00Z</DataFrom><DataTo>2026-01-10T12:00:20Z</DataTo></Track>\
             <Track><TrackType>Video</TrackType><DataFrom>2026-01-10T13:00:00Z</DataFrom><DataTo>2026-01-10T13:00:00Z</DataTo></Track>\
             <RecordingStatus>Recording</RecordingStatus></RecordingInformation>",
        );
        assert_eq!(told.token.as_deref(), Some("r"));
        assert_eq!(told.spans, [Window { from: at("2026-01-10T12:00:00Z"), to: at("2026-01-10T12:00:20Z") }]);
        assert!(told.goes_on);
    }

    #[test]
    fn without_tracks_it_is_from_its_first_to_its_last_picture() {
        let told = seen(
            "<RecordingInformation><RecordingToken>r</RecordingToken><EarliestRecording>2026-01-10T12:00:00Z</EarliestRecording>\
             <LatestRecording>2026-01-10T12:00:20Z</LatestRecording></RecordingInformation>\
             <RecordingInformation><RecordingToken>r</RecordingToken></RecordingInformation>",
        );
        assert_eq!(told.bounds(), Some((at("2026-01-10T12:00:00Z"), at("2026-01-10T12:00:20Z"))));
        assert_eq!(seen("<RecordingInformation/>"), Seen::default());
    }
}
