//! The operator's file: which recorder, what of it is published, and what the recorder does not know.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use domain::Position;
use protocol::{ClockOffset, SourceDescription};
use serde::Deserialize;

use crate::burned::Face;
use crate::limits::Hours;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The recorder.
    pub adapter: AdapterConfig,
    /// What of it is published.
    #[serde(default)]
    pub publish: Publish,
    /// What it does not know, or knows wrongly.
    #[serde(default, rename = "source")]
    pub sources: Vec<SourceConfig>,
    /// The clock in its pictures by which its times are, where it has no other that can be asked.
    #[serde(default)]
    pub burned_in_clock: Option<Face>,
    /// How the connector works.
    #[serde(default)]
    pub connector: ConnectorConfig,
    /// What it may take of the line and of the disk.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Keeping footage for requests that are not decided; without it only systems that can do so by themselves hold.
    #[serde(default)]
    pub hold: Option<HoldConfig>,
}

/// What the connector may take of the line and of the disk for footage. What is exported waits; it is not lost to the recorder
/// meanwhile.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// All uploads together, in million bits a second.
    #[serde(default, deserialize_with = "positive")]
    pub upload_mbit: Option<f64>,
    /// The hours of each day at which footage is sent.
    #[serde(default)]
    pub hours: Option<Hours>,
    /// So many million bytes of each disk are left to others; 512 MiB unless given, or a twentieth of the disk if that is less.
    #[serde(default)]
    pub keep_free_mb: Option<u32>,
}

fn positive<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let number = f64::deserialize(deserializer)?;
    if number >= 0.01 { Ok(Some(number)) } else { Err(serde::de::Error::custom("a pace of 0.01 or more is needed")) }
}

/// How footage is kept for requests that are not decided.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldConfig {
    /// The key with which it is encrypted: 32 bytes, made when there is none. Best on another disk than what is held.
    pub key_file: PathBuf,
}

/// The recorder.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AdapterConfig {
    /// A program that speaks for a video system.
    Command(CommandConfig),
    /// A folder of time-stamped segments.
    Folder(FolderConfig),
    /// Frigate.
    Frigate(WebConfig),
    /// MediaMTX.
    Mediamtx(MediamtxConfig),
    /// Milestone XProtect.
    Milestone(MilestoneConfig),
    /// Moonfire NVR.
    Moonfire(WebConfig),
    /// Nx Witness, DW Spectrum or Wisenet WAVE.
    Nx(WebConfig),
    /// A device with ONVIF Profile G.
    Onvif(WebConfig),
    /// ZoneMinder.
    Zoneminder(WebConfig),
}

/// A video system with a web API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebConfig {
    /// Its address, such as `http://127.0.0.1/zm`.
    pub url: String,
    /// An account of it that may see and export what is published.
    #[serde(default)]
    pub username: Option<String>,
    /// The file with its password, or with a key; read each time it is needed, and so may be changed.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// PEM of the authorities to believe, where the system's certificate is of none that this machine knows.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// IANA time zone of its times, where it does not say so itself.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// How long it keeps what it records, where it does not say so itself.
    #[serde(default)]
    pub retention_hours: Option<i64>,
    /// An answer that takes longer is given up; so is a download that is silent for half of it.
    #[serde(default = "sixty")]
    pub answer_seconds: u32,
}

/// MediaMTX, whose two servers have an address each and one account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediamtxConfig {
    /// Where its playback server hands out recordings, such as `http://127.0.0.1:9996`.
    pub playback_url: String,
    /// Its control API, such as `http://127.0.0.1:9997`.
    #[serde(flatten)]
    pub web: WebConfig,
}

/// Milestone XProtect, whose two servers have an address each and one account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MilestoneConfig {
    /// Its Open Network Bridge, such as `http://127.0.0.1:580`.
    pub bridge_url: String,
    /// Its API Gateway, such as `https://xprotect.example`.
    #[serde(flatten)]
    pub web: WebConfig,
}

fn sixty() -> u32 {
    60
}

impl AdapterConfig {
    /// Whether its system shows pictures of now; others show what was recorded last.
    fn shows_now(&self) -> bool {
        !matches!(self, Self::Folder(_) | Self::Mediamtx(_) | Self::Milestone(_) | Self::Moonfire(_))
    }

    /// Takes relative paths from the folder of the file that names them.
    fn beside(&mut self, folder: &Path) {
        match self {
            Self::Command(adapter) => adapter.beside(folder),
            Self::Folder(adapter) => adapter.path = folder.join(&adapter.path),
            Self::Frigate(web)
            | Self::Mediamtx(MediamtxConfig { web, .. })
            | Self::Milestone(MilestoneConfig { web, .. })
            | Self::Moonfire(web)
            | Self::Nx(web)
            | Self::Onvif(web)
            | Self::Zoneminder(web) => {
                for path in [&mut web.password_file, &mut web.ca_file].into_iter().flatten() {
                    *path = folder.join(&path);
                }
            }
        }
    }
}

/// A program that speaks for a video system.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandConfig {
    /// The program and its arguments; no shell reads them. A relative path of the program is taken from the folder of the file
    /// that says so.
    pub command: Vec<String>,
    /// All of its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// How long the video system keeps what it records, for cameras of which the program does not say so.
    #[serde(default)]
    pub retention_hours: Option<i64>,
    /// A program that is silent for so long while it is asked for something is ended.
    #[serde(default = "sixty")]
    pub answer_seconds: u32,
    /// Where it is started: the folder of the file.
    #[serde(skip)]
    pub folder: PathBuf,
}

impl CommandConfig {
    fn beside(&mut self, folder: &Path) {
        folder.clone_into(&mut self.folder);
        if let Some(program) = self.command.first_mut() {
            *program = folder.join(&*program).to_string_lossy().into_owned();
        }
    }
}

/// A folder of time-stamped segments.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderConfig {
    /// The folder; relative to the file that says so.
    pub path: PathBuf,
    /// Names below it, such as `{camera}/%Y-%m-%d/%H-%M-%S.mp4`.
    pub pattern: String,
    /// IANA time zone of the times in the names.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// The one camera of a pattern without `{camera}`; the folder's name unless given.
    #[serde(default)]
    pub camera: Option<String>,
    /// How long the recorder keeps what it records.
    #[serde(default)]
    pub retention_hours: Option<i64>,
    /// How much later than its name a segment may begin; by default what the name leaves open, a second for most. 0 for a
    /// recorder that begins its segments exactly when it says so.
    #[serde(default)]
    pub name_precision_ms: Option<i64>,
    /// Holes between segments up to this are none; by default what the precision of the names makes of it.
    #[serde(default)]
    pub gap_tolerance_ms: Option<i64>,
    /// How long after a window's end the segment that holds it may still be written.
    #[serde(default = "fifteen_minutes")]
    pub wait_for_recording_seconds: u32,
}

fn utc() -> String {
    "UTC".into()
}

fn fifteen_minutes() -> u32 {
    900
}

/// What is published: names, tags and ids, `*` for any text; and where. What is excluded stays so.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// What may be.
    #[serde(default = "all")]
    pub include: Vec<String>,
    /// Where: of what may be, only cameras that stand in one of these; everywhere unless set.
    #[serde(default)]
    pub within: Vec<Area>,
    /// What may be wherever it stands, also nowhere.
    #[serde(default)]
    pub also: Vec<String>,
    /// What may not.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// West, south, east and north of an area in degrees, as in GeoJSON (RFC 7946, 5). One that is west of 180° and east of it begins
/// with the larger number.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "[f64; 4]")]
pub struct Area([f64; 4]);

impl TryFrom<[f64; 4]> for Area {
    type Error = String;

    fn try_from(area @ [west, south, east, north]: [f64; 4]) -> Result<Self, String> {
        let (corner, other) = (Position::checked(south, west), Position::checked(north, east));
        let held = corner.is_some() && other.is_some() && south < north && west != east;
        if held { Ok(Self(area)) } else { Err(format!("{area:?} is no area: west, south, east, north in degrees")) }
    }
}

impl Area {
    fn holds(&self, at: Position) -> bool {
        let Self([west, south, east, north]) = *self;
        let across = if west < east { west <= at.lon && at.lon <= east } else { west <= at.lon || at.lon <= east };
        across && south <= at.lat && at.lat <= north
    }
}

fn all() -> Vec<String> {
    vec!["*".into()]
}

impl Default for Publish {
    fn default() -> Self {
        Self { include: all(), within: Vec::new(), also: Vec::new(), exclude: Vec::new() }
    }
}

impl Publish {
    /// Whether a source is published.
    pub fn allows(&self, source: &SourceDescription) -> bool {
        let named = |pattern: &String| {
            let words = [&source.device_id, &source.name].into_iter().chain(&source.tags);
            words.into_iter().any(|word| matches(pattern, word))
        };
        let there = || source.position.is_some_and(|at| self.within.iter().any(|area| area.holds(at)));
        let chosen = self.include.iter().any(named) && (self.within.is_empty() || there());
        (chosen || self.also.iter().any(named)) && !self.exclude.iter().any(named)
    }
}

/// `*` stands for any text, also none. Between the first and the last, each part is looked for where it comes first: that takes no longer
/// than reading the text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut left) = text.strip_prefix(head).and_then(|text| text.strip_suffix(tail)) else { return false };
    middle.split('*').all(|part| {
        let after = left.split_once(part).map(|(_, after)| after);
        left = after.unwrap_or("");
        after.is_some()
    })
}

/// What the recorder does not know about one of its cameras, or knows wrongly.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct SourceConfig {
    pub id: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub position: Option<Position>,
    pub address: Option<String>,
    pub bearing_deg: Option<f64>,
    pub fov_deg: Option<f64>,
    pub range_m: Option<f64>,
    pub tilt_deg: Option<f64>,
    pub mounting_height_m: Option<f64>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub retention_hours: Option<i64>,
    pub clock_offset_ms: Option<i64>,
    pub clock_uncertainty_ms: Option<i64>,
    pub tags: Option<Vec<String>>,
    pub make: Option<String>,
    pub model: Option<String>,
}

impl SourceConfig {
    /// Puts what is set here over what the recorder said.
    pub fn apply(&self, source: &mut SourceDescription) {
        fn over<T: Clone>(target: &mut Option<T>, value: &Option<T>) {
            if value.is_some() {
                target.clone_from(value);
            }
        }
        if let Some(name) = &self.name {
            source.name.clone_from(name);
        }
        if let Some(tags) = &self.tags {
            source.tags.clone_from(tags);
        }
        over(&mut source.description, &self.description);
        over(&mut source.position, &self.position);
        over(&mut source.address, &self.address);
        over(&mut source.bearing_deg, &self.bearing_deg);
        over(&mut source.fov_deg, &self.fov_deg);
        over(&mut source.range_m, &self.range_m);
        over(&mut source.tilt_deg, &self.tilt_deg);
        over(&mut source.mounting_height_m, &self.mounting_height_m);
        over(&mut source.kind, &self.kind);
        over(&mut source.retention_hours, &self.retention_hours);
        over(&mut source.make, &self.make);
        over(&mut source.model, &self.model);
        over(&mut source.clock_offset, &self.clock_offset());
    }

    /// Whether its numbers can be told: TOML has `nan` and `inf`, JSON has not, and one of them would spoil the whole publication.
    fn is_finite(&self) -> bool {
        let position = self.position.map(|at| [at.lat, at.lon]).unwrap_or_default();
        let others = [self.bearing_deg, self.fov_deg, self.range_m, self.tilt_deg, self.mounting_height_m];
        position.into_iter().chain(others.into_iter().flatten()).all(f64::is_finite)
    }

    /// How far the recorder's clock is off for this camera.
    pub fn clock_offset(&self) -> Option<ClockOffset> {
        let offset_ms = self.clock_offset_ms?;
        Some(ClockOffset { offset_ms, uncertainty_ms: self.clock_uncertainty_ms, measured_at: None })
    }
}

/// How the connector works.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorConfig {
    /// Where exports wait for their upload; `sightline-connector-state` beside the file unless given.
    #[serde(default)]
    pub state: Option<PathBuf>,
    /// How many exports are worked on at once, and how many holds beside them.
    #[serde(default = "four")]
    pub tasks: usize,
    /// Where a page tells what the connector does: an address of this machine alone, such as `127.0.0.1:9180`.
    #[serde(default, deserialize_with = "loopback")]
    pub status: Option<SocketAddr>,
    /// Goes on where the kernel cannot keep ffmpeg from files that it need not read; its other limits hold all the same.
    #[serde(default)]
    pub allow_unconfined: bool,
    /// How often the recorder is asked for its cameras.
    #[serde(default = "minute")]
    pub discover_seconds: u64,
}

fn loopback<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let address = SocketAddr::deserialize(deserializer)?;
    let refused = || serde::de::Error::custom("it tells of cameras and requests: only a loopback address will do");
    if address.ip().is_loopback() { Ok(Some(address)) } else { Err(refused()) }
}

fn four() -> usize {
    4
}

fn minute() -> u64 {
    60
}

impl Default for ConnectorConfig {
    fn default() -> Self {
        Self { state: None, tasks: four(), status: None, allow_unconfined: false, discover_seconds: minute() }
    }
}

/// Reads the file; relative paths in it are taken from where it lies.
pub fn read(path: &Path) -> anyhow::Result<Config> {
    use anyhow::Context;
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let folder = std::path::absolute(path)?.parent().map(Path::to_path_buf).unwrap_or_default();
    parse(&text, &folder).with_context(|| format!("{} is not understood", path.display()))
}

/// Why a clock cannot be read off the pictures of a system.
const NO_CLOCK: &str = "[burned_in_clock]: this adapter shows pictures of what was recorded last and not of now, so the clock in them \
                        does not tell how far it is off; set clock_offset_ms of [[source]] instead";

/// Reads the text of a file that lies in a folder.
pub fn parse(text: &str, folder: &Path) -> Result<Config, toml::de::Error> {
    let mut config: Config = toml::from_str(text)?;
    config.adapter.beside(folder);
    if config.burned_in_clock.is_some() && !config.adapter.shows_now() {
        return Err(serde::de::Error::custom(NO_CLOCK));
    }
    if let Some(source) = config.sources.iter().find(|source| !source.is_finite()) {
        return Err(serde::de::Error::custom(format!("[[source]] '{}' has a number that is none", source.id)));
    }
    if let Some(hold) = &mut config.hold {
        hold.key_file = folder.join(&hold.key_file);
    }
    config.connector.state =
        Some(folder.join(config.connector.state.take().unwrap_or_else(|| "sightline-connector-state".into())));
    config.connector.tasks = config.connector.tasks.clamp(1, 64);
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusion_wins() {
        let source = |id: &str, tags: &[&str]| SourceDescription {
            device_id: id.into(),
            name: format!("Camera {id}"),
            tags: tags.iter().map(|t| (*t).to_owned()).collect(),
            ..SourceDescription::default()
        };
        let publish = Publish {
            include: vec!["yard*".into(), "public".into()],
            exclude: vec!["*private*".into()],
            ..Publish::default()
        };
        assert!(publish.allows(&source("yard-1", &[])));
        assert!(publish.allows(&source("gate", &["public"])));
        assert!(!publish.allows(&source("gate", &[])));
        assert!(!publish.allows(&source("yard-2", &["very private indeed"])));
    }

    #[test]
    fn a_star_is_any_text() {
        let all = ["", "*", "a", "a*", "*a", "*a*", "a*b", "a*b*a", "*a*b*", "a**a", "*ä*"];
        let of = |text: &str| all.into_iter().filter(|pattern| matches(pattern, text)).collect::<Vec<_>>();
        assert_eq!(of(""), ["", "*"]);
        assert_eq!(of("a"), ["*", "a", "a*", "*a", "*a*"]);
        assert_eq!(of("ab"), ["*", "a*", "*a*", "a*b", "*a*b*"]);
        assert_eq!(of("abaa"), ["*", "a*", "*a", "*a*", "a*b*a", "*a*b*", "a**a"]);
        assert_eq!(of("bäb"), ["*", "*ä*"]);
        assert!(!matches("aa*aa", "aaa"), "no letter counts twice");
        assert!(!matches(&"*a".repeat(50), &"a".repeat(49)) && matches(&"*a".repeat(50), &"a".repeat(50)));
        assert!(!matches("*north*gate*south*", &"north gate ".repeat(1 << 20)));
    }

    #[test]
    fn two_addresses_share_an_account() {
        let text = "[adapter]\nkind='mediamtx'\nurl='http://a'\nplayback_url='http://b'\npassword_file='p'\n";
        let AdapterConfig::Mediamtx(read) = parse(text, Path::new("/etc")).unwrap().adapter else { panic!() };
        assert_eq!((read.web.url.as_str(), read.playback_url.as_str()), ("http://a", "http://b"));
        assert_eq!(read.web.password_file, Some("/etc/p".into()));
        assert!(toml::from_str::<Config>(&format!("{text}typo=1")).is_err());
        let text = "[adapter]\nkind='milestone'\nurl='http://a'\nbridge_url='http://b'\npassword_file='p'\n";
        let AdapterConfig::Milestone(read) = parse(text, Path::new("/etc")).unwrap().adapter else { panic!() };
        assert_eq!((read.web.url.as_str(), read.bridge_url.as_str()), ("http://a", "http://b"));
        assert_eq!(read.web.password_file, Some("/etc/p".into()));
    }

    #[test]
    fn an_area_chooses_and_exceptions_are_one_by_one() {
        let publish: Publish = toml::from_str(
            "within = [[8.5, 47.3, 8.6, 47.4], [179.0, -20.0, -179.0, -10.0]]\nalso = ['bus-*']\nexclude = ['yard-3']",
        )
        .unwrap();
        let allows = |id: &str, at: Option<(f64, f64)>| {
            let position = at.map(|(lat, lon)| Position { lat, lon });
            publish.allows(&SourceDescription { device_id: id.into(), position, ..SourceDescription::default() })
        };
        assert!(allows("yard-1", Some((47.35, 8.55))) && !allows("yard-2", Some((47.45, 8.55))));
        assert!(!allows("yard-3", Some((47.35, 8.55))), "what is excluded stays so");
        assert!(allows("suva", Some((-18.0, 179.5))) && allows("taveuni", Some((-16.9, -179.9))));
        assert!(!allows("lobby", None) && allows("bus-12", None));
        for area in ["[8.5, 47.4, 8.6, 47.3]", "[8.5, 47.3, 8.5, 47.4]", "[8.5, 47.3, 8.6, 97.4]", "[8.5, 47.3]"] {
            assert!(toml::from_str::<Publish>(&format!("within = [{area}]")).is_err(), "{area}");
        }
    }

    #[test]
    fn the_file_of_the_manual_is_read() {
        let config: Config = toml::from_str(
            r#"
            [adapter]
            kind = "folder"
            path = "/srv/recordings"
            pattern = "{camera}/%Y-%m-%d/%H-%M-%S.mp4"
            time_zone = "Europe/Zurich"
            retention_hours = 168
            [publish]
            include = ["*"]
            exclude = []
            [[source]]
            id = "2"
            position = { lat = 47.372, lon = 8.542 }
            bearing_deg = 120
            "#,
        )
        .unwrap();
        assert_eq!(config.sources[0].bearing_deg, Some(120.0));
        assert!(toml::from_str::<Config>("[adapter]\nkind='folder'\npath='x'\npattern='%s'\ntypo=1").is_err());
    }

    #[test]
    fn numbers_that_cannot_be_told_are_refused() {
        let of = |line: &str| {
            parse(
                &format!("[adapter]\nkind='folder'\npath='x'\npattern='%s'\n[[source]]\nid='2'\n{line}"),
                Path::new("/"),
            )
        };
        assert!(of("position = { lat = 95.0, lon = 0.0 }").is_ok(), "of which the server says what is wrong");
        for line in ["position = { lat = nan, lon = 0.0 }", "bearing_deg = inf", "range_m = -inf"] {
            assert!(of(line).unwrap_err().to_string().contains("'2' has a number that is none"), "{line}");
        }
    }

    #[test]
    fn a_clock_is_read_only_off_pictures_of_now() {
        let clock =
            "[burned_in_clock]\nsource = 'front'\nbox = [16, 8, 400, 40]\nformat = '%F %T'\ntime_zone = 'UTC'\n";
        let of = |adapter: &str, clock: &str| parse(&format!("[adapter]\n{adapter}\n{clock}"), Path::new("/etc"));
        let web = "kind = 'zoneminder'\nurl = 'http://a'";
        assert_eq!(of(web, clock).unwrap().burned_in_clock.unwrap().source, "front");
        for adapter in ["kind = 'folder'\npath = '.'\npattern = '%s'", "kind = 'moonfire'\nurl = 'http://a'"] {
            let said = of(adapter, clock).unwrap_err().to_string();
            assert!(said.contains("not of now") && said.contains("clock_offset_ms"), "{said}");
            assert!(of(adapter, "").is_ok());
        }
        let said = of(web, &clock.replace("%T", "%H:%M")).unwrap_err().to_string();
        assert!(said.contains("it lacks the second (%S)"), "{said}");
    }

    #[test]
    fn each_system_has_an_example_that_holds() {
        let examples = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../packaging/connector/usr/share/doc/sightline-connector/examples"
        );
        for kind in crate::adapter::KINDS {
            let path = Path::new(examples).join(format!("{kind}.toml"));
            let config = read(&path).unwrap_or_else(|error| panic!("{}: {error:#}", path.display()));
            assert_eq!(crate::adapter::open(&config).unwrap().kind(), *kind);
            let text = std::fs::read_to_string(&path).unwrap();
            let name =
                text.strip_prefix("# ").and_then(|text| text.split_once(": /usr/share/doc/sightline-connector/"));
            assert!(
                name.is_some_and(|(_, rest)| rest.starts_with(&format!("{kind}.md\n"))),
                "the page reads its name there"
            );
        }
        assert_eq!(std::fs::read_dir(examples).unwrap().count(), crate::adapter::KINDS.len());
    }
}
