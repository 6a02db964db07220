//! What a device knows of its cameras: each is a recording, and the profile that it is recorded from.

use std::collections::HashMap;

use domain::Position;
use protocol::SourceDescription;
use reqwest::Method;

use super::recordings::Recording;
use super::soap::{DEVICE, Device, MEDIA, MEDIA2, RECORDING, Service};
use super::xml::{Element, escaped};
use crate::adapter::Trouble;

/// A profile of a device, and the camera that it shows.
struct Profile {
    token: String,
    video_source: Option<String>,
}

impl Device {
    /// Its cameras. What it does not tell of them is left open.
    pub(super) async fn cameras(&self) -> Result<Vec<SourceDescription>, Trouble> {
        let recordings = self.recordings().await?;
        let about = self.optional(DEVICE, "GetDeviceInformation").await.unwrap_or_default();
        let places = self.optional(DEVICE, "GetGeoLocation").await.unwrap_or_default();
        let scopes = self.optional(DEVICE, "GetScopes").await.unwrap_or_default();
        let alone = recordings.len() == 1;
        let profiles = if alone || places.first().is_none() { HashMap::new() } else { self.video_sources().await };
        let described = |recording: Recording| SourceDescription {
            name: recording
                .name
                .or_else(|| scope(&scopes, "name").filter(|_| alone))
                .unwrap_or(recording.token.clone()),
            description: recording.description,
            address: recording.location.or_else(|| scope(&scopes, "location").filter(|_| alone)),
            position: position(&places, profiles.get(&recording.token).map(String::as_str), alone),
            make: about.text(&["Manufacturer"]).map(str::to_owned),
            model: about.text(&["Model"]).map(str::to_owned),
            retention_hours: self.config.retention_hours,
            device_id: recording.token,
            ..SourceDescription::default()
        };
        Ok(recordings.into_iter().map(described).collect())
    }

    async fn optional(&self, service: Service, call: &str) -> Option<Element> {
        self.ask(service, call, "").await.ok()
    }

    async fn media(&self) -> Result<Service, Trouble> {
        Ok(if self.has(MEDIA).await? { MEDIA } else { MEDIA2 })
    }

    async fn profiles(&self) -> Result<Vec<Profile>, Trouble> {
        let service = self.media().await?;
        let all = if service == MEDIA2 { "<Type>VideoSource</Type>" } else { "" };
        let answer = self.ask(service, "GetProfiles", all).await?;
        let profile = |told: &Element| {
            let mut sources = Vec::new();
            told.within("SourceToken", &mut sources);
            let video_source = sources.first().and_then(|source| source.text(&[])).map(str::to_owned);
            Some(Profile { token: told.attribute("token")?.to_owned(), video_source })
        };
        Ok(answer.all("Profiles").filter_map(profile).collect())
    }

    /// Which profile each recording is recorded from, as far as its job says so (ONVIF Recording Control, 5.14).
    async fn recorded_profiles(&self) -> HashMap<String, String> {
        let jobs = self.optional(RECORDING, "GetRecordingJobs").await.unwrap_or_default();
        let job = |job: &Element| {
            let job = job.at(&["JobConfiguration"])?;
            let source = job.text(&["Source", "SourceToken", "Token"])?;
            Some((job.text(&["RecordingToken"])?.to_owned(), source.to_owned()))
        };
        jobs.all("JobItem").filter_map(job).collect()
    }

    /// Which video source each recording shows.
    async fn video_sources(&self) -> HashMap<String, String> {
        let profiles = self.profiles().await.unwrap_or_default();
        let source = |profile: &str| profiles.iter().find(|one| one.token == profile)?.video_source.clone();
        let jobs = self.recorded_profiles().await;
        jobs.into_iter().filter_map(|(recording, profile)| Some((recording, source(&profile)?))).collect()
    }

    /// A picture of now, of the camera that a recording is of.
    pub(super) async fn picture(&self, recording: &str) -> Result<Vec<u8>, Trouble> {
        let profiles = self.profiles().await?;
        let recorded = self.recorded_profiles().await.remove(recording);
        let of = |told: &String| profiles.iter().any(|profile| profile.token == *told);
        let only = |_: &Vec<Profile>| profiles.iter().all(|one| one.video_source == profiles[0].video_source);
        let profile = match recorded.filter(of) {
            Some(profile) => profile,
            None if !profiles.is_empty() && only(&profiles) => profiles[0].token.clone(),
            None => {
                return Err(Trouble::never(
                    "The video system does not say which of its cameras this is recorded from.",
                ));
            }
        };
        let service = self.media().await?;
        let token = format!("<ProfileToken>{}</ProfileToken>", escaped(&profile));
        let answer = self.ask(service, "GetSnapshotUri", &token).await?;
        let mut told = Vec::new();
        answer.within("Uri", &mut told);
        let address = told.first().and_then(|uri| uri.text(&[]));
        let address = address.ok_or_else(|| Trouble::never("The video system gives no pictures."))?;
        let request = self.web.request_at(Method::GET, address)?;
        Ok(self.web.picture_as(&mut self.identity()?, request).await?)
    }
}

/// Reads an answer as one about where the cameras are and what the device is called.
pub(super) fn read(answer: &Element) {
    let _ = (position(answer, None, true), position(answer, Some("0"), false), scope(answer, "name"));
}

/// Where a video source stands; what is told of the whole device holds for a camera that is alone.
fn position(places: &Element, video_source: Option<&str>, alone: bool) -> Option<Position> {
    let of = |place: &&Element| match place.attribute("Token") {
        Some(token) if place.attribute("Entity") == Some("VideoSource") => alone || video_source == Some(token),
        _ => alone,
    };
    let place = places.all("Location").find(of)?.at(&["GeoLocation"])?;
    let number = |name| place.attribute(name)?.trim().parse::<f64>().ok();
    let (lat, lon) = (number("lat")?, number("lon")?);
    Position::checked(lat, lon).filter(|_| (lat, lon) != (0.0, 0.0))
}

/// What a device is called, or where it is, by its scopes (Core Specification, 7.3.3).
fn scope(scopes: &Element, kind: &str) -> Option<String> {
    let items = scopes.all("Scopes").filter_map(|scope| scope.text(&["ScopeItem"]));
    let told =
        items.filter_map(|item| item.strip_prefix("onvif://www.onvif.org/")?.strip_prefix(kind)?.strip_prefix('/'));
    let plain = |text: &str| {
        let last = text.rsplit('/').next()?;
        let form = format!("x={}", last.replace('+', "%2B"));
        let url = reqwest::Url::parse(&format!("http://x/?{form}")).ok()?;
        url.query_pairs().next().map(|(_, value)| value.into_owned()).filter(|text| !text.is_empty())
    };
    let texts: Vec<String> = told.filter_map(plain).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::xml;
    use super::*;

    #[test]
    fn scopes() {
        let xml = "<r><Scopes><ScopeItem>onvif://www.onvif.org/name/Gate%20%26%20yard</ScopeItem></Scopes>\
                   <Scopes><ScopeItem>onvif://www.onvif.org/location/country/ch</ScopeItem></Scopes>\
                   <Scopes><ScopeItem>onvif://www.onvif.org/location/city/Bern</ScopeItem></Scopes></r>";
        let told = xml::parse(xml.as_bytes()).unwrap();
        assert_eq!(scope(&told, "name").as_deref(), Some("Gate & yard"));
        assert_eq!(scope(&told, "location").as_deref(), Some("ch, Bern"));
        assert_eq!(scope(&told, "hardware"), None);
    }

    #[test]
    fn positions_are_those_of_the_camera() {
        let xml = "<r><Location Entity='VideoSource' Token='a'><GeoLocation lat='47.1' lon='8.5'/></Location>\
                   <Location Entity='VideoSource' Token='b'><GeoLocation lat='91' lon='8.5'/></Location></r>";
        let told = xml::parse(xml.as_bytes()).unwrap();
        assert_eq!(position(&told, Some("a"), false), Position::checked(47.1, 8.5));
        assert_eq!(position(&told, Some("b"), false), None);
        assert_eq!(position(&told, None, false), None);
    }
}
