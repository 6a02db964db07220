//! What answers like a recorder with ONVIF Profile G. Built from the Core, Media, Recording Control, Recording Search and Replay
//! Control Service Specifications: no answer of a real device is recorded yet. Like many, it believes to be at another address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use base64::Engine;
use domain::{Timestamp, Window};
use md5::{Digest, Md5};
use sightline_connector::adapter::onvif::xml::{self, Element, escaped};
use sightline_connector::hex;

use super::site::Site;
use super::system::{PASSWORD, Served, System, USER};
use super::world::{Recording, World, jpeg};

pub(crate) struct Onvif;

const ENVELOPE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<env:Envelope xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\" \
    xmlns:tt=\"http://www.onvif.org/ver10/schema\" xmlns:ter=\"http://www.onvif.org/ver10/error\"><env:Body>";
const SERVICES: [(&str, &str); 5] = [
    ("device", "http://www.onvif.org/ver10/device/wsdl"),
    ("media", "http://www.onvif.org/ver10/media/wsdl"),
    ("recording", "http://www.onvif.org/ver10/recording/wsdl"),
    ("search", "http://www.onvif.org/ver10/search/wsdl"),
    ("replay", "http://www.onvif.org/ver10/replay/wsdl"),
];

#[derive(Clone)]
pub(super) struct Server {
    pub(super) world: Arc<World>,
    rtsp_port: u16,
    searches: Arc<Mutex<HashMap<String, Search>>>,
    /// Answers to searches that are not those of a device.
    own: Option<fn(&Server, &Element) -> Option<Response>>,
}

/// Its results come with the second answer.
struct Search {
    results: String,
    asked: usize,
}

impl System for Onvif {
    const PRECISION: Duration = Duration::ZERO;

    async fn serve(world: Arc<World>) -> Served {
        let more = Router::new().route("/snapshot/{camera}", routing::get(picture));
        let site = serve(world, more, None).await;
        let adapter = format!("kind = \"onvif\"\nurl = \"{}\"", site.url);
        Served { adapter, site: Some(site), _keep: None, held: Arc::default() }
    }
}

/// Brings a device up, and what else is served beside it.
pub(super) async fn serve(
    world: Arc<World>,
    more: Router,
    own: Option<fn(&Server, &Element) -> Option<Response>>,
) -> Site {
    let rtsp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rtsp_port = rtsp.local_addr().unwrap().port();
    let server = Server { world: Arc::clone(&world), rtsp_port, searches: Arc::default(), own };
    let routes = Router::new().route("/onvif/{service}", routing::post(soap)).with_state(server).merge(more);
    // footage comes over RTSP alone
    let site = Site::start(routes, |_| false, world.ahead_us).await;
    tokio::spawn(super::rtsp::serve(rtsp, world, site.faults()));
    site
}

async fn soap(State(server): State<Server>, Path(service): Path<String>, headers: HeaderMap, body: String) -> Response {
    let envelope = xml::parse(body.as_bytes()).unwrap();
    let asked = envelope.at(&["Body"]).and_then(Element::first).unwrap();
    let form = headers[header::CONTENT_TYPE].to_str().unwrap();
    assert!(form.contains(&format!("/{}\"", asked.name)), "{form}");
    if asked.name != "GetSystemDateAndTime" && !signed_in(&envelope, server.now()) {
        return fault("env:Sender", "ter:NotAuthorized");
    }
    if let Some(own) = server.own.and_then(|own| own(&server, asked)) {
        return own;
    }
    let answer = match (service.as_str(), asked.name.as_str()) {
        ("device_service", "GetSystemDateAndTime") => server.date_and_time(),
        ("device_service", "GetServices") => services(),
        ("device_service", "GetDeviceInformation") => "<Manufacturer>Maker</Manufacturer><Model>M 1</Model>".into(),
        ("device_service", "GetScopes") => "<Scopes><ScopeItem>onvif://www.onvif.org/name/Recorder</ScopeItem></Scopes>".into(),
        ("media_service", "GetProfiles") => server.each_camera(|id, _| {
            format!("<Profiles token=\"p{id}\"><tt:VideoSourceConfiguration token=\"c{id}\"><tt:SourceToken>v{id}</tt:SourceToken></tt:VideoSourceConfiguration></Profiles>")
        }),
        ("media_service", "GetSnapshotUri") => {
            let camera = asked.text(&["ProfileToken"]).unwrap().strip_prefix('p').unwrap();
            format!("<MediaUri><tt:Uri>http://192.0.2.7/snapshot/{camera}?size=full</tt:Uri></MediaUri>")
        }
        ("recording_service", "GetRecordingJobs") => server.each_camera(|id, _| {
            format!("<JobItem><tt:JobToken>j{id}</tt:JobToken><tt:JobConfiguration><tt:RecordingToken>{id}</tt:RecordingToken><tt:Source><tt:SourceToken Type=\"http://www.onvif.org/ver10/schema/Profile\"><tt:Token>p{id}</tt:Token></tt:SourceToken></tt:Source></tt:JobConfiguration></JobItem>")
        }),
        ("search_service", "FindRecordings") => server.search(server.recordings()),
        ("search_service", "FindEvents") => server.search(server.events(asked)),
        ("search_service", "GetRecordingSearchResults" | "GetEventSearchResults") => server.results(asked),
        ("search_service", "EndSearch") => {
            server.searches.lock().unwrap().remove(asked.text(&["SearchToken"]).unwrap());
            String::new()
        }
        ("replay_service", "GetReplayUri") => {
            let token = asked.text(&["RecordingToken"]).unwrap();
            format!("<Uri>rtsp://192.0.2.7:{}/replay/{token}</Uri>", server.rtsp_port)
        }
        _ => return fault("env:Receiver", "ter:ActionNotSupported"),
    };
    answered(&service, &asked.name, &answer)
}

pub(super) fn answered(service: &str, name: &str, answer: &str) -> Response {
    let namespace = SERVICES.iter().find(|(name, _)| service.starts_with(name)).unwrap().1;
    let body =
        format!("{ENVELOPE}<{name}Response xmlns=\"{namespace}\">{answer}</{name}Response></env:Body></env:Envelope>");
    ([(header::CONTENT_TYPE, "application/soap+xml; charset=utf-8")], body).into_response()
}

pub(super) fn fault(code: &str, reason: &str) -> Response {
    let code = format!(
        "<env:Code><env:Value>{code}</env:Value><env:Subcode><env:Value>{reason}</env:Value></env:Subcode></env:Code>"
    );
    let text = "<env:Reason><env:Text xml:lang=\"en\">http://192.0.2.7/?token=x</env:Text></env:Reason>";
    (StatusCode::BAD_REQUEST, format!("{ENVELOPE}<env:Fault>{code}{text}</env:Fault></env:Body></env:Envelope>"))
        .into_response()
}

/// The digest of WS-Security's UsernameToken; what seems older than five seconds is refused.
fn signed_in(envelope: &Element, now: Timestamp) -> bool {
    let base64 = base64::engine::general_purpose::STANDARD;
    let Some(token) = envelope.at(&["Header", "Security", "UsernameToken"]) else { return false };
    let (nonce, created) = (token.text(&["Nonce"]).unwrap(), token.text(&["Created"]).unwrap());
    let mut sum = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    [&base64.decode(nonce).unwrap(), created.as_bytes(), PASSWORD.as_bytes()].iter().for_each(|part| sum.update(part));
    let fresh = created.parse::<Timestamp>().unwrap().as_micros().abs_diff(now.as_micros()) < 5_000_000;
    let right = token.text(&["Password"]) == Some(&base64.encode(sum.finish()));
    fresh && right && token.text(&["Username"]) == Some(USER)
}

fn services() -> String {
    let one = |(name, namespace): &(&str, &str)| {
        format!(
            "<Service><Namespace>{namespace}</Namespace><XAddr>http://192.0.2.7/onvif/{name}_service</XAddr>\
             <Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></Version></Service>"
        )
    };
    SERVICES.iter().map(one).collect()
}

impl Server {
    pub(super) fn now(&self) -> Timestamp {
        let now = Timestamp::from(jiff::Timestamp::now());
        Timestamp::from_micros(now.as_micros() + self.world.ahead_us)
    }

    fn date_and_time(&self) -> String {
        let now = self.now().to_jiff().unwrap();
        let time = now.strftime("<tt:Hour>%-H</tt:Hour><tt:Minute>%-M</tt:Minute><tt:Second>%-S</tt:Second>");
        let date = now.strftime("<tt:Year>%Y</tt:Year><tt:Month>%-m</tt:Month><tt:Day>%-d</tt:Day>");
        format!(
            "<SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>\
             <tt:UTCDateTime><tt:Time>{time}</tt:Time><tt:Date>{date}</tt:Date></tt:UTCDateTime></SystemDateAndTime>"
        )
    }

    fn each_camera(&self, told: impl Fn(&str, &str) -> String) -> String {
        self.world.cameras().map(|(id, name)| told(id, name)).collect()
    }

    fn of(&self, camera: &str) -> Vec<&Recording> {
        self.world.recordings.iter().filter(|recording| recording.camera == camera).collect()
    }

    pub(super) fn search(&self, results: String) -> String {
        let mut searches = self.searches.lock().unwrap();
        let token = format!("search & {}", searches.len());
        searches.insert(token.clone(), Search { results, asked: 0 });
        format!("<SearchToken>{}</SearchToken>", escaped(&token))
    }

    fn results(&self, asked: &Element) -> String {
        let mut searches = self.searches.lock().unwrap();
        let search = searches.get_mut(asked.text(&["SearchToken"]).unwrap()).unwrap();
        search.asked += 1;
        let (state, results) = if search.asked == 1 { ("Searching", "") } else { ("Completed", &search.results[..]) };
        format!("<ResultList><tt:SearchState>{state}</tt:SearchState>{results}</ResultList>")
    }

    fn recordings(&self) -> String {
        self.each_camera(|id, name| {
            let of = self.of(id);
            let earliest = of.iter().map(|recording| recording.from).min();
            let latest = of.iter().map(|recording| recording.end(self.now())).max();
            let time = |name: &str, at: Option<Timestamp>| at.map(|at| format!("<tt:{name}>{at}</tt:{name}>")).unwrap_or_default();
            let status = if of.iter().any(|recording| recording.to.is_none()) { "Recording" } else { "Stopped" };
            format!(
                "<tt:RecordingInformation><tt:RecordingToken>{id}</tt:RecordingToken><tt:Source><tt:SourceId>http://localhost/sourceID</tt:SourceId>\
                 <tt:Name>{}</tt:Name><tt:Location/><tt:Description/><tt:Address/></tt:Source>{}{}<tt:Content/>\
                 <tt:Track><tt:TrackToken>t1</tt:TrackToken><tt:TrackType>Video</tt:TrackType><tt:Description/></tt:Track>\
                 <tt:RecordingStatus>{status}</tt:RecordingStatus></tt:RecordingInformation>",
                escaped(name),
                time("EarliestRecording", earliest),
                time("LatestRecording", latest)
            )
        })
    }

    /// `tns1:RecordingHistory/Track/State`: where the picture begins and ends within the time that is asked for, and how it was before.
    fn events(&self, asked: &Element) -> String {
        let time = |name: &str| asked.text(&[name]).unwrap().parse::<Timestamp>().unwrap();
        let window = Window { from: time("StartPoint"), to: time("EndPoint") };
        let camera = asked.text(&["Scope", "IncludedRecordings"]).unwrap();
        let of = self.of(camera);
        let starts = of.iter().filter(|r| of.iter().all(|other| other.to != Some(r.from))).map(|r| (r.from, true));
        let ends =
            of.iter().filter(|r| of.iter().all(|other| Some(other.from) != r.to)).filter_map(|r| Some((r.to?, false)));
        let mut changes: Vec<_> = starts.chain(ends).collect();
        changes.sort_unstable();
        let before = changes.iter().rev().find(|(at, _)| *at <= window.from).is_some_and(|(_, present)| *present);
        changes.retain(|(at, _)| window.from < *at && *at < window.to);
        changes.insert(0, (window.from, before));
        let event = |(at, present): &(Timestamp, bool)| {
            format!(
                "<tt:Result><tt:RecordingToken>{camera}</tt:RecordingToken><tt:TrackToken>t1</tt:TrackToken><tt:Time>{at}</tt:Time>\
                 <tt:Event><Topic>tns1:RecordingHistory/Track/State</Topic><Message><tt:Message UtcTime=\"{at}\"><tt:Source>\
                 <tt:SimpleItem Name=\"RecordingToken\" Value=\"{camera}\"/><tt:SimpleItem Name=\"Track\" Value=\"t1\"/></tt:Source>\
                 <tt:Data><tt:SimpleItem Name=\"IsDataPresent\" Value=\"{present}\"/></tt:Data></tt:Message></Message></tt:Event>\
                 <tt:StartStateEvent>false</tt:StartStateEvent></tt:Result>"
            )
        };
        changes.iter().map(event).collect()
    }
}

/// Wants HTTP's digest, with counting.
async fn picture(Path(camera): Path<String>, headers: HeaderMap) -> Response {
    let told = headers.get(header::AUTHORIZATION).and_then(|told| told.to_str().ok()).unwrap_or_default();
    let value =
        |name: &str| told.split(", ").find_map(|one| one.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default();
    let sum = |text: String| hex(&Md5::digest(text.as_bytes()));
    let (who, what) = (sum(format!("{USER}:r:{PASSWORD}")), sum(format!("GET:/snapshot/{camera}?size=full")));
    let (nc, cnonce) = (value("nc"), value("cnonce").trim_matches('"'));
    let right = sum(format!("{who}:n1:{nc}:{cnonce}:auth:{what}"));
    if value("response").trim_matches('"') != right {
        let ask = "Digest realm=\"r\", qop=\"auth\", nonce=\"n1\", algorithm=MD5";
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, ask)]).into_response();
    }
    ([(header::CONTENT_TYPE, "image/jpeg")], jpeg()).into_response()
}
