//! Cameras: what is known of them, who said so, and what may be entered.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::id::{CameraId, ConnectorId, OrganizationId};
use crate::position::Position;
use crate::text_enum::text_enum;
use crate::{Invalid, Timestamp, Window};

text_enum! {
    /// How a camera can look around.
    CameraType {
        /// Always the same way.
        Fixed = "fixed",
        /// It can be turned.
        Panning = "panning",
        /// All around.
        Dome = "dome",
    }
}

text_enum! {
    /// Whether a camera can be expected to record now.
    Status as SourceStatus {
        /// Its connector is here and says that it delivers.
        Online = "online",
        /// Its connector is away, or says that it does not deliver.
        Offline = "offline",
        /// Nobody watches it.
        Unknown = "unknown",
        /// Its video system no longer has it.
        Vanished = "vanished",
    }
}

text_enum! {
    /// Who set a field.
    Origin {
        /// The connector, which may set it again.
        Connector = "connector",
        /// People, whose word stands.
        Office = "office",
    }
}

const CLOCK_IS_MEASURED: &str = "Its footage is exported by what its connector says of the recorder's clock. Set it there: \
    clock_offset_ms of its [[source]] in the connector's file.";

/// A connector that was not heard for so long is offline.
pub const CONNECTOR_SILENT_AFTER: Duration = Duration::from_secs(90);

/// Keeps `null` (empty the field) apart from a field that is left out (leave it).
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// One list of fields for what is known, for a change of it, and for who set what.
macro_rules! facts {
    ($($(#[$doc:meta])* $field:ident: $type:ty => $kept:ty,)+) => {
        /// What is known of a camera and can be entered.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Facts {
            $($(#[$doc])* pub $field: $kept,)+
        }

        /// What to change about a camera: a field that is left out stays, `null` empties it.
        #[derive(Debug, Clone, Default, PartialEq, Deserialize, utoipa::ToSchema)]
        #[schema(as = CameraInput)]
        #[serde(deny_unknown_fields)]
        pub struct Change {
            $(
                $(#[$doc])*
                #[serde(default, deserialize_with = "given")]
                #[schema(value_type = Option<$type>)]
                pub $field: Option<Option<$type>>,
            )+
            /// Whether it is visible to those who may search the registry.
            pub published: Option<bool>,
            /// The owner; of a new camera only.
            pub organization_id: Option<OrganizationId>,
            /// Its id in the source system; of a new camera only.
            pub device_id: Option<String>,
        }

        impl Facts {
            /// Takes over what the change says, for the fields that `take` lets through; answers those that are now different.
            fn apply(&mut self, change: Change, take: impl Fn(&str) -> bool) -> Vec<&'static str> {
                let mut changed = Vec::new();
                $(
                    let field = stringify!($field).trim_start_matches("r#");
                    if let Some(value) = change.$field.filter(|_| take(field)) {
                        let value = <$kept as Keep<$type>>::keep(value);
                        if self.$field != value {
                            self.$field = value;
                            changed.push(field);
                        }
                    }
                )+
                changed
            }
        }
    };
}

/// How a given value is kept: as it is where the field may be unknown, else empty for `null`.
trait Keep<T> {
    fn keep(value: Option<T>) -> Self;
}

impl<T> Keep<T> for Option<T> {
    fn keep(value: Option<T>) -> Self {
        value
    }
}

macro_rules! keep_empty {
    ($($type:ty)+) => {$(
        impl Keep<$type> for $type {
            fn keep(value: Option<$type>) -> Self {
                value.unwrap_or_default()
            }
        }
    )+};
}
keep_empty!(String Vec<String> BTreeMap<String, String>);

facts! {
    /// What people call it.
    name: String => String,
    /// Free text.
    description: String => String,
    /// The place of the organization that it belongs to.
    site: String => Option<String>,
    /// Where it stands.
    position: Position => Option<Position>,
    /// The same in words.
    address: String => Option<String>,
    /// Above the ground.
    mounting_height_m: f64 => Option<f64>,
    /// Where it looks, clockwise from north.
    bearing_deg: f64 => Option<f64>,
    /// Horizontal field of view.
    fov_deg: f64 => Option<f64>,
    /// Above (positive) or below the horizon.
    tilt_deg: f64 => Option<f64>,
    /// How far a person can be made out.
    range_m: f64 => Option<f64>,
    /// How it can look around.
    r#type: CameraType => Option<CameraType>,
    /// Words to find it by.
    tags: Vec<String> => Vec<String>,
    /// How long recordings are kept.
    retention_hours: i64 => Option<i64>,
    /// The recorder's clock minus true time.
    clock_offset_ms: i64 => Option<i64>,
    /// How far that may be wrong.
    clock_uncertainty_ms: i64 => Option<i64>,
    /// Who made it.
    make: String => Option<String>,
    /// Which model it is.
    model: String => Option<String>,
    /// What fits nowhere else.
    custom: BTreeMap<String, String> => BTreeMap<String, String>,
}

impl Facts {
    fn tidy(&mut self) {
        self.name = self.name.trim().to_owned();
        let mut seen = Vec::new();
        self.tags = std::mem::take(&mut self.tags).into_iter().map(|tag| tag.trim().to_owned()).collect();
        self.tags.retain(|tag| {
            let folded = crate::text::fold(tag);
            let new = !folded.is_empty() && !seen.contains(&folded);
            seen.push(folded);
            new
        });
        for text in [&mut self.site, &mut self.address, &mut self.make, &mut self.model] {
            *text = text.take().map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        }
    }

    fn validate(&self) -> Result<(), Invalid> {
        let mut invalid = Invalid::new();
        invalid.require_text("/name", &self.name, 200);
        invalid.limit_text("/description", Some(&self.description), 4_000);
        invalid.limit_text("/site", self.site.as_deref(), 200);
        invalid.limit_text("/address", self.address.as_deref(), 300);
        invalid.limit_text("/make", self.make.as_deref(), 100);
        invalid.limit_text("/model", self.model.as_deref(), 100);
        if self.position.is_some_and(|p| !p.is_valid()) {
            invalid.add("/position", "Expected a latitude from -90 to 90 and a longitude from -180 to 180.");
        }
        let mut expect = |pointer: &str, holds: bool, expected: &str| {
            if !holds {
                invalid.add(pointer, expected);
            }
        };
        let within =
            |value: Option<f64>, range: std::ops::RangeInclusive<f64>| value.is_none_or(|v| range.contains(&v));
        expect(
            "/bearing_deg",
            self.bearing_deg.is_none_or(|b| (0.0..360.0).contains(&b)),
            "Expected degrees clockwise from north, from 0 to less than 360.",
        );
        expect("/fov_deg", within(self.fov_deg, 1.0..=360.0), "Expected degrees from 1 to 360.");
        expect("/tilt_deg", within(self.tilt_deg, -90.0..=90.0), "Expected degrees from -90 to 90.");
        expect("/range_m", within(self.range_m, 1.0..=20_000.0), "Expected metres from 1 to 20000.");
        expect(
            "/mounting_height_m",
            within(self.mounting_height_m, -100.0..=1_000.0),
            "Expected metres from -100 to 1000.",
        );
        let hours = self.retention_hours.is_none_or(|h| (1..=876_000).contains(&h));
        expect("/retention_hours", hours, "Expected hours from 1 to 876000.");
        let year_ms = 366 * 24 * 3_600_000;
        expect(
            "/clock_offset_ms",
            self.clock_offset_ms.is_none_or(|o| (-year_ms..=year_ms).contains(&o)),
            "Expected milliseconds, at most a year.",
        );
        let uncertainty = self.clock_uncertainty_ms.is_none_or(|u| (0..=year_ms).contains(&u));
        expect("/clock_uncertainty_ms", uncertainty, "Expected milliseconds from 0 to a year.");
        expect("/tags", self.tags.len() <= 50, "At most 50 tags fit.");
        expect("/custom", self.custom.len() <= 50, "At most 50 further fields fit.");
        for (i, tag) in self.tags.iter().enumerate() {
            invalid.limit_text(&format!("/tags/{i}"), Some(tag), 60);
        }
        for (name, value) in &self.custom {
            invalid.require_text("/custom", name, 60);
            invalid.limit_text("/custom", Some(value), 1_000);
        }
        invalid.into_result()
    }
}

impl Change {
    /// Whether a camera of which nothing else is known could be described so.
    pub fn validate(self) -> Result<(), Invalid> {
        let mut facts = Facts::default();
        facts.apply(self, |_| true);
        facts.tidy();
        facts.validate()
    }
}

/// What one needs to know of the connector that a camera hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// Its id.
    pub id: ConnectorId,
    /// Its name.
    pub name: String,
    /// When it was last heard.
    pub last_seen_at: Option<Timestamp>,
    /// Since when it may no longer dial in.
    pub revoked_at: Option<Timestamp>,
}

impl Behind {
    /// Whether it was heard lately.
    pub fn online(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.last_seen_at.is_some_and(|at| at >= now.minus(CONNECTOR_SILENT_AFTER))
    }
}

/// A picture that shows what a camera sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// Its name in the blob store.
    pub blob: String,
    /// Of its bytes, hex.
    pub sha256: String,
    /// When it came.
    pub at: Timestamp,
}

/// A camera of the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// Its id.
    pub id: CameraId,
    /// The owner.
    pub organization_id: OrganizationId,
    /// The owner's name, for screens.
    pub organization_name: String,
    /// The connector that reports it and fetches its footage.
    pub connector: Option<Behind>,
    /// Its id in the source system.
    pub device_id: Option<String>,
    /// What is known of it.
    pub facts: Facts,
    /// Who set each field that was ever set.
    pub origins: BTreeMap<String, Origin>,
    /// Visible to those who may search the registry.
    pub published: bool,
    /// Since when its video system no longer has it.
    pub vanished_at: Option<Timestamp>,
    /// Whether it delivers, as its connector said last.
    pub online: Option<bool>,
    /// The end of its newest recording, as its connector said last.
    pub last_seen_at: Option<Timestamp>,
    /// Its picture.
    pub thumbnail: Option<Thumbnail>,
    /// When it was entered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Rises with each change.
    pub version: i64,
}

impl Camera {
    /// A camera of which nothing is known yet, not published.
    pub fn new(id: CameraId, organization_id: OrganizationId, organization_name: String, now: Timestamp) -> Self {
        Self {
            id,
            organization_id,
            organization_name,
            connector: None,
            device_id: None,
            facts: Facts::default(),
            origins: BTreeMap::new(),
            published: false,
            vanished_at: None,
            online: None,
            last_seen_at: None,
            thumbnail: None,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// Who says how far its clock is off: the connector that it hangs on, as its exports go by what that says; people where there is none.
    pub fn clock_by(&self) -> Origin {
        if self.connector.as_ref().is_some_and(|behind| behind.revoked_at.is_none()) {
            Origin::Connector
        } else {
            Origin::Office
        }
    }

    /// How far its clock is off, and how far that may be wrong, in milliseconds. What people set does not count beside a connector.
    pub fn clock(&self) -> (Option<i64>, Option<i64>) {
        let counts =
            |field: &str| self.clock_by() == Origin::Office || self.origins.get(field) != Some(&Origin::Office);
        let offset = self.facts.clock_offset_ms.filter(|_| counts("clock_offset_ms"));
        (offset, self.facts.clock_uncertainty_ms.filter(|_| counts("clock_uncertainty_ms")))
    }

    /// Changes by people: they stand until people change them again. The clock of a recorder with a connector is set there.
    pub fn change(&mut self, change: Change, now: Timestamp) -> Result<Vec<&'static str>, Invalid> {
        let (offset, uncertainty) = self.clock();
        let mut invalid = Invalid::new();
        let clock =
            [("offset", change.clock_offset_ms, offset), ("uncertainty", change.clock_uncertainty_ms, uncertainty)];
        for (name, given, counts) in clock {
            if self.clock_by() == Origin::Connector && given.is_some_and(|given| given != counts) {
                invalid.add(format!("/clock_{name}_ms"), CLOCK_IS_MEASURED);
            }
        }
        invalid.into_result()?;
        let published = change.published;
        self.take_over(change, Origin::Office, published, now)
    }

    /// What the connector says: only where no person has set the field, but for the clock, by which it exports. A new camera is published unless people hide it.
    pub fn describe(&mut self, change: Change, now: Timestamp) -> Result<Vec<&'static str>, Invalid> {
        self.take_over(change, Origin::Connector, Some(true), now)
    }

    fn take_over(
        &mut self,
        change: Change,
        origin: Origin,
        published: Option<bool>,
        now: Timestamp,
    ) -> Result<Vec<&'static str>, Invalid> {
        let origins = &self.origins;
        let free = |field: &str| {
            origin == Origin::Office || field.starts_with("clock_") || origins.get(field) != Some(&Origin::Office)
        };
        let mut facts = self.facts.clone();
        let mut changed = facts.apply(change, free);
        facts.tidy();
        facts.validate()?;
        if let Some(published) = published.filter(|p| *p != self.published && free("published")) {
            self.published = published;
            changed.push("published");
        }
        self.facts = facts;
        for field in &changed {
            self.origins.insert((*field).to_owned(), origin);
        }
        if !changed.is_empty() {
            self.updated_at = now;
        }
        Ok(changed)
    }

    /// Its owner keeps it back beside the recorder: nobody else sees it any more, whatever people chose here, nor its picture. Answers
    /// whether that is new. Published again it is seen again, unless people had hidden it.
    pub fn withdraw(&mut self, now: Timestamp) -> bool {
        let new = self.published || self.vanished_at.is_none() || self.thumbnail.is_some();
        if std::mem::take(&mut self.published) {
            self.origins.insert("published".to_owned(), Origin::Connector);
        }
        (self.vanished_at, self.thumbnail) = (self.vanished_at.or(Some(now)), None);
        new
    }

    /// Whether it can be expected to record now.
    pub fn status(&self, now: Timestamp) -> Status {
        match (&self.connector, self.online) {
            _ if self.vanished_at.is_some() => Status::Vanished,
            (None, _) => Status::Unknown,
            (Some(behind), _) if !behind.online(now) => Status::Offline,
            (_, Some(true)) => Status::Online,
            (_, Some(false)) => Status::Offline,
            (_, None) => Status::Unknown,
        }
    }

    /// When footage of a moment is overwritten, where the retention is known.
    pub fn overwrite_at(&self, recorded: Timestamp) -> Option<Timestamp> {
        let hours = u64::try_from(self.facts.retention_hours?).ok()?;
        Some(recorded.plus(Duration::from_secs(hours * 3_600)))
    }
}

/// What a connector answered about recordings in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageAnswer {
    /// What was asked.
    pub window: Window,
    /// When.
    pub asked_at: Timestamp,
    /// Where there are recordings.
    pub spans: Vec<Window>,
    /// Whether that is all there is in the window.
    pub complete: bool,
}

/// What is known of recordings in a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Where there are recordings, in order, apart from each other.
    pub spans: Vec<Window>,
    /// How old the oldest answer is that this rests on; none when nobody was asked.
    pub asked_at: Option<Timestamp>,
    /// Whether the whole window was asked about and answered.
    pub complete: bool,
}

/// What the answers say together about a window: where they overlap, the newer one holds.
pub fn coverage(window: Window, mut answers: Vec<CoverageAnswer>) -> Coverage {
    answers.sort_by_key(|answer| answer.asked_at);
    let (mut spans, mut known) = (Vec::new(), Vec::new());
    for answer in &answers {
        let Some(asked) = answer.window.intersect(window) else { continue };
        spans = without(&spans, asked);
        spans.extend(answer.spans.iter().filter_map(|span| span.intersect(asked)));
        known = without(&known, asked);
        if answer.complete {
            known.push(asked);
        }
    }
    let asked_at = answers.iter().filter(|a| a.window.intersect(window).is_some()).map(|a| a.asked_at).min();
    let complete = joined(known) == [window];
    Coverage { spans: joined(spans), asked_at, complete }
}

fn without(spans: &[Window], cut: Window) -> Vec<Window> {
    let pieces = |span: &Window| {
        [Window::checked(span.from, span.to.min(cut.from)), Window::checked(span.from.max(cut.to), span.to)]
    };
    spans.iter().flat_map(pieces).flatten().collect()
}

fn joined(mut spans: Vec<Window>) -> Vec<Window> {
    spans.sort_by_key(|span| span.from);
    let mut joined: Vec<Window> = Vec::new();
    for span in spans {
        match joined.last_mut().filter(|last| last.to >= span.from) {
            Some(last) => last.to = last.to.max(span.to),
            None => joined.push(span),
        }
    }
    joined
}

#[cfg(test)]
#[path = "camera_tests.rs"]
mod tests;
