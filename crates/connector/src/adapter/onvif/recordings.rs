//! What a device has recorded (ONVIF Recording Search Service Specification).

use std::time::Duration;

use domain::{Timestamp, Window};

use super::soap::{Device, REPLAY, SEARCH};
use super::xml::{Element, escaped};
use crate::adapter::Trouble;
use crate::adapter::web::{self, Pages, WebError};
use crate::rtsp::replay::Source;

/// So many answers of one search are read.
const ROUNDS: usize = 2_000;
/// A search that is not done is asked again after so long.
const BETWEEN: Duration = Duration::from_millis(200);
/// RTSP, where an address names no port.
const PORT: u16 = 554;

/// A recording: of a camera, all that is kept of it (`tt:RecordingInformation`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recording {
    pub(super) token: String,
    pub(super) name: Option<String>,
    pub(super) location: Option<String>,
    pub(super) description: Option<String>,
    pub(super) earliest: Option<Timestamp>,
    pub(super) latest: Option<Timestamp>,
    /// More is being recorded now.
    pub(super) goes_on: bool,
    video_tracks: Vec<String>,
}

impl Recording {
    fn of(told: &Element) -> Option<Self> {
        let text = |path: &[&str]| told.text(path).map(str::to_owned);
        let video = |track: &&Element| track.text(&["TrackType"]) == Some("Video");
        let tracks = told.all("Track").filter(video).filter_map(|track| track.text(&["TrackToken"]).map(str::to_owned));
        Some(Self {
            token: text(&["RecordingToken"])?,
            name: text(&["Source", "Name"]),
            location: text(&["Source", "Location"]),
            description: text(&["Source", "Description"]),
            earliest: told.text(&["EarliestRecording"]).and_then(time),
            latest: told.text(&["LatestRecording"]).and_then(time),
            goes_on: told.text(&["RecordingStatus"]) == Some("Recording"),
            video_tracks: tracks.collect(),
        })
    }
}

/// An `xs:dateTime`; without a zone it is UTC.
pub(in crate::adapter) fn time(text: &str) -> Option<Timestamp> {
    let told = text.parse::<jiff::Timestamp>().or_else(|_| format!("{text}Z").parse());
    told.ok().map(Timestamp::from)
}

impl Device {
    /// All recordings that there are.
    pub(super) async fn recordings(&self) -> Result<Vec<Recording>, Trouble> {
        let found = self.search("Recording", "<Scope/>", "RecordingInformation").await?;
        Ok(found.iter().filter_map(Recording::of).collect())
    }

    /// One of them; none if there is no such.
    pub(super) async fn recording(&self, token: &str) -> Result<Option<Recording>, Trouble> {
        Ok(self.recordings().await?.into_iter().find(|recording| recording.token == token))
    }

    /// For which spans of a window there is a picture. A device that tells no changes has recorded all the time, as far as it says.
    pub(super) async fn spans(&self, recording: &Recording, window: Window) -> Result<Vec<Window>, Trouble> {
        let (Some(from), Some(to)) = (recording.earliest, recording.latest) else { return Ok(Vec::new()) };
        let Some(within) = (Window { from, to }).intersect(window) else { return Ok(Vec::new()) };
        let query = format!(
            "<StartPoint>{}</StartPoint><EndPoint>{}</EndPoint><Scope><tt:IncludedRecordings>{}</tt:IncludedRecordings></Scope>\
             <SearchFilter><e:TopicExpression xmlns:e=\"http://docs.oasis-open.org/wsn/b-2\" \
             xmlns:tns1=\"http://www.onvif.org/ver10/topics\" \
             Dialect=\"http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet\">tns1:RecordingHistory/Track/State\
             </e:TopicExpression></SearchFilter><IncludeStartState>true</IncludeStartState>",
            window.from,
            window.to,
            escaped(&recording.token)
        );
        let events = match self.search("Event", &query, "Result").await {
            Err(Trouble::Broken { retryable: false, .. }) => Vec::new(), // it knows no such search
            found => found?,
        };
        Ok(spans(&events, recording, within))
    }

    /// `FindRecordings` and its like: begun, asked until it is done, and ended.
    pub(in crate::adapter) async fn search(
        &self,
        kind: &str,
        query: &str,
        result: &str,
    ) -> Result<Vec<Element>, Trouble> {
        let begin = format!("{query}<KeepAliveTime>PT60S</KeepAliveTime>");
        let begun = self.ask(SEARCH, &format!("Find{kind}s"), &begin).await?;
        let unclear = || Trouble::again("The video system's answer to a search is not understood.");
        let token = escaped(begun.text(&["SearchToken"]).ok_or_else(unclear)?);
        let token = format!("<SearchToken>{token}</SearchToken>");
        let more = format!("Get{kind}SearchResults");
        let limits = "<MinResults>1</MinResults><MaxResults>100</MaxResults><WaitTime>PT5S</WaitTime>";
        let ask = format!("{token}{limits}");
        let (mut found, mut pages) = (Vec::new(), Pages::default());
        for _ in 0..ROUNDS {
            let answer = self.ask(SEARCH, &more, &ask).await?;
            let list = answer.at(&["ResultList"]).ok_or_else(unclear)?;
            let before = found.len();
            pages.take(list.bytes())?;
            found.extend(list.all(result).cloned());
            if list.text(&["SearchState"]) == Some("Completed") {
                // the device ends it by itself if it does not hear this
                let _ = self.ask(SEARCH, "EndSearch", &token).await;
                return Ok(found);
            }
            if found.len() == before {
                tokio::time::sleep(BETWEEN).await;
            }
        }
        Err(Trouble::again("A search of the video system does not end."))
    }

    /// Where a recording is played from: at the host of the configuration, whatever the device says.
    pub(in crate::adapter) async fn source(&self, token: &str) -> Result<Source, Trouble> {
        let unclear = || Trouble::from(WebError::Form("an address that is none".into()));
        let told: reqwest::Url = self.replay_uri(token).await?.parse().map_err(|_| unclear())?;
        let host = self.web.base().host_str().filter(|_| told.scheme() == "rtsp").ok_or_else(unclear)?;
        let port = told.port().unwrap_or(PORT);
        let query = told.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(Source {
            uri: format!("rtsp://{host}:{port}{}{query}", told.path()),
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            account: web::credentials(&self.config)?,
            answer_within: Duration::from_secs(self.config.answer_seconds.max(1).into()),
            name: token.to_owned(),
        })
    }

    async fn replay_uri(&self, token: &str) -> Result<String, Trouble> {
        let content = format!(
            "<StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport>\
             </StreamSetup><RecordingToken>{}</RecordingToken>",
            escaped(token)
        );
        let answer = self.ask(REPLAY, "GetReplayUri", &content).await?;
        answer.text(&["Uri"]).map(str::to_owned).ok_or_else(|| Trouble::again("The video system names no replay."))
    }
}

/// The spans of a window that an answer to a search tells of the first recording in it.
pub(super) fn read(answer: &Element, window: Window) -> Vec<Window> {
    let Some(list) = answer.at(&["ResultList"]) else { return Vec::new() };
    let Some(recording) = list.all("RecordingInformation").find_map(Recording::of) else { return Vec::new() };
    let events: Vec<_> = list.all("Result").cloned().collect();
    spans(&events, &recording, window)
}

/// What is there of a window in which there is anything, by the events that tell of changes; all, where there are none.
fn spans(events: &[Element], recording: &Recording, within: Window) -> Vec<Window> {
    let changes: Vec<_> = events.iter().filter_map(|event| change(event, recording)).collect();
    if changes.is_empty() { vec![within] } else { present(changes, within) }
}

/// Whether from a time on there is a picture (`tns1:RecordingHistory/Track/State`).
fn change(event: &Element, recording: &Recording) -> Option<(Timestamp, bool)> {
    let track = event.text(&["TrackToken"]).unwrap_or_default();
    let of_video = recording.video_tracks.is_empty() || recording.video_tracks.iter().any(|video| video == track);
    if event.text(&["RecordingToken"])? != recording.token || !of_video {
        return None;
    }
    let mut items = Vec::new();
    event.within("SimpleItem", &mut items);
    let told = items.iter().find(|item| item.attribute("Name") == Some("IsDataPresent"))?;
    let present = matches!(told.attribute("Value"), Some("true" | "1"));
    Some((time(event.text(&["Time"])?)?, present))
}

fn present(mut changes: Vec<(Timestamp, bool)>, within: Window) -> Vec<Window> {
    changes.sort_by_key(|(at, _)| *at); // of the same moment, the last told holds
    // before the first change it was the other way round
    let mut since = changes.first().filter(|(_, present)| !present).map(|_| within.from);
    let mut spans = Vec::new();
    for (at, present) in changes {
        match since {
            None if present => since = Some(at),
            Some(from) if !present => {
                spans.push(Window { from, to: at });
                since = None;
            }
            _ => {}
        }
    }
    spans.extend(since.map(|from| Window { from, to: within.to }));
    spans.into_iter().filter(|span| span.from < span.to).filter_map(|span| span.intersect(within)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn spans_of(changes: &[(i64, bool)]) -> Vec<(i64, i64)> {
        let changes = changes.iter().map(|(second, present)| (at(*second), *present)).collect();
        let seconds = |span: Window| (span.from.as_micros() / 1_000_000, span.to.as_micros() / 1_000_000);
        present(changes, Window { from: at(10), to: at(100) }).into_iter().map(seconds).collect()
    }

    #[test]
    fn changes_make_spans() {
        assert_eq!(spans_of(&[(10, true), (20, false), (30, true)]), [(10, 20), (30, 100)]);
        assert_eq!(spans_of(&[(20, false), (5, true), (300, true)]), [(10, 20)]);
        assert_eq!(spans_of(&[(20, false)]), [(10, 20)]);
        assert_eq!(spans_of(&[(10, false)]), []);
        assert_eq!(spans_of(&[(20, true), (20, false), (20, true)]), [(20, 100)]);
    }

    #[test]
    fn times_with_and_without_a_zone() {
        assert_eq!(time("1970-01-01T00:00:10"), Some(at(10)));
        assert_eq!(time("1970-01-01T01:00:10.000+01:00"), Some(at(10)));
        assert_eq!(time("yesterday"), None);
    }
}
