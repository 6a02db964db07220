//! Asks an ONVIF device (ONVIF Core Specification, 5): SOAP 1.2 with the password's digest of WS-Security UsernameToken, and with
//! HTTP's where it wants that.

use std::collections::HashMap;

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use base64::Engine;
use domain::Timestamp;
use protocol::ClockOffset;
use reqwest::Method;
use tokio::sync::{Mutex, OnceCell};

use super::xml::{self, Element, escaped};
use crate::adapter::Trouble;
use crate::adapter::web::{self, Web, WebError};
use crate::challenge::Identity;
use crate::clock;
use crate::config::WebConfig;

/// The longest answer, bytes.
const LONGEST: usize = 8 << 20;

/// A service of a device, by its namespace.
pub(in crate::adapter) type Service = &'static str;
pub(super) const DEVICE: Service = "http://www.onvif.org/ver10/device/wsdl";
pub(super) const MEDIA: Service = "http://www.onvif.org/ver10/media/wsdl";
pub(super) const MEDIA2: Service = "http://www.onvif.org/ver20/media/wsdl";
pub(super) const RECORDING: Service = "http://www.onvif.org/ver10/recording/wsdl";
pub(in crate::adapter) const SEARCH: Service = "http://www.onvif.org/ver10/search/wsdl";
pub(super) const REPLAY: Service = "http://www.onvif.org/ver10/replay/wsdl";

/// A device, or what speaks like one.
pub(in crate::adapter) struct Device {
    pub(super) web: Web,
    pub(super) config: WebConfig,
    /// Where its services are.
    services: OnceCell<HashMap<String, String>>,
    /// Its clock minus ours, for it refuses what seems old.
    offset_ms: Mutex<Option<i64>>,
}

impl Device {
    pub(in crate::adapter) fn new(config: WebConfig) -> anyhow::Result<Self> {
        Ok(Self { web: Web::new(&config)?, config, services: OnceCell::new(), offset_ms: Mutex::default() })
    }

    /// Calls a service with the content of a call, and answers the element that answers.
    pub(in crate::adapter) async fn ask(
        &self,
        service: Service,
        call: &str,
        content: &str,
    ) -> Result<Element, Trouble> {
        let address = if service == DEVICE { None } else { Some(self.address(service).await?) };
        let known = *self.offset_ms.lock().await;
        let offset_ms = match known {
            Some(offset) => offset,
            None => self.clock().await?.offset_ms,
        };
        let account = web::credentials(&self.config)?;
        let header = account.as_ref().and_then(|(user, password)| token(user, password, offset_ms)).unwrap_or_default();
        self.post(address.as_deref(), &header, (service, call, content)).await
    }

    /// Whether it has a service.
    pub(super) async fn has(&self, service: Service) -> Result<bool, Trouble> {
        Ok(self.services().await?.contains_key(service))
    }

    async fn address(&self, service: Service) -> Result<String, Trouble> {
        self.services().await?.get(service).cloned().ok_or_else(|| {
            Trouble::again("The video system lacks a service that is needed: see that it has ONVIF Profile G.")
        })
    }

    async fn services(&self) -> Result<&HashMap<String, String>, Trouble> {
        let ask = async || {
            let answer =
                Box::pin(self.ask(DEVICE, "GetServices", "<IncludeCapability>false</IncludeCapability>")).await?;
            let service =
                |one: &Element| Some((one.text(&["Namespace"])?.to_owned(), one.text(&["XAddr"])?.to_owned()));
            Ok(answer.all("Service").filter_map(service).collect())
        };
        self.services.get_or_try_init(ask).await
    }

    /// How far its clock is off, which it tells in whole seconds and to everybody.
    pub(super) async fn clock(&self) -> Result<ClockOffset, Trouble> {
        let sent = clock::now_ms();
        let answer = self.post(None, "", (DEVICE, "GetSystemDateAndTime", "")).await?;
        let came = clock::now_ms();
        let told = second(&answer).ok_or_else(|| WebError::Form("no time".into()))? + 500;
        let offset_ms = told - (sent + came) / 2;
        *self.offset_ms.lock().await = Some(offset_ms);
        let uncertainty_ms = Some(500 + (came - sent) / 2);
        Ok(ClockOffset { offset_ms, uncertainty_ms, measured_at: Some(Timestamp::from_micros(came * 1_000)) })
    }

    async fn post(
        &self,
        address: Option<&str>,
        header: &str,
        (service, call, content): (Service, &str, &str),
    ) -> Result<Element, Trouble> {
        let request = match address {
            None => match self.web.base().path().trim_end_matches('/') {
                "" => self.web.request(Method::POST, &["onvif", "device_service"]), // Core Specification, 5.1.1
                _ => self.web.request_at(Method::POST, self.web.base().as_str().trim_end_matches('/'))?,
            },
            Some(address) => self.web.request_at(Method::POST, address)?,
        };
        let envelope = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
             xmlns:tt=\"http://www.onvif.org/ver10/schema\"><s:Header>{header}</s:Header><s:Body><{call} xmlns=\"{service}\">{content}</{call}></s:Body></s:Envelope>"
        );
        // some devices look only at what is in the action
        let form = format!("application/soap+xml; charset=utf-8; action=\"{service}/{call}\"");
        let request = request.header("Content-Type", form).body(envelope);
        let (status, answer) = self.web.bytes_as(&mut self.identity()?, request, LONGEST).await?;
        let told = told(&answer, status.as_u16()).transpose()?;
        web::succeeded(status)?;
        Ok(told.ok_or_else(|| WebError::Form("no SOAP".into()))?)
    }

    /// For HTTP's own question who is there.
    pub(super) fn identity(&self) -> Result<Identity, WebError> {
        let account = web::credentials(&self.config)?;
        Ok(Identity::new(account))
    }
}

/// What an envelope holds, or the fault that it tells; none if it is no envelope.
pub(super) fn told(answer: &[u8], status: u16) -> Option<Result<Element, Trouble>> {
    let envelope = xml::parse(answer).filter(|answer| answer.name == "Envelope")?;
    let body = envelope.at(&["Body"])?;
    match body.at(&["Fault"]) {
        Some(fault) => Some(Err(meant(fault, status))),
        None => body.first().cloned().map(Ok),
    }
}

/// What a fault means (Core Specification, 5.8.2).
fn meant(fault: &Element, status: u16) -> Trouble {
    let mut codes = Vec::new();
    fault.within("Value", &mut codes);
    let says = |names: &[&str]| {
        let is = |text: &str| names.iter().any(|name| text.rsplit(':').next() == Some(name));
        codes.iter().filter_map(|code| code.text(&[])).any(is)
    };
    if says(&["NotAuthorized", "FailedAuthentication", "OperationProhibited"]) {
        return WebError::Refused(401).into();
    }
    if says(&["ActionNotSupported", "OptionalActionNotImplemented"]) {
        return Trouble::never("The video system does not have a call that is needed.");
    }
    // it is there, and does not do what it was asked
    let refused = WebError::Status(if status == 200 { 500 } else { status });
    Trouble::again(format!("The video system: {refused}."))
}

/// WS-Security UsernameToken Profile 1.0, 3.1.
fn token(user: &str, password: &str, offset_ms: i64) -> Option<String> {
    let base64 = base64::engine::general_purpose::STANDARD;
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).ok()?;
    let now = clock::now().to_jiff()?.checked_add(jiff::SignedDuration::from_millis(offset_ms)).ok()?;
    let created = now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    let mut sum = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    [&nonce[..], created.as_bytes(), password.as_bytes()].iter().for_each(|part| sum.update(part));
    let (digest, nonce, user) = (base64.encode(sum.finish()), base64.encode(nonce), escaped(user));
    let wss = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss";
    Some(format!(
        "<w:Security s:mustUnderstand=\"true\" xmlns:w=\"{wss}-wssecurity-secext-1.0.xsd\" \
         xmlns:u=\"{wss}-wssecurity-utility-1.0.xsd\"><w:UsernameToken><w:Username>{user}</w:Username>\
         <w:Password Type=\"{wss}-username-token-profile-1.0#PasswordDigest\">{digest}</w:Password>\
         <w:Nonce EncodingType=\"{wss}-soap-message-security-1.0#Base64Binary\">{nonce}</w:Nonce>\
         <u:Created>{created}</u:Created></w:UsernameToken></w:Security>"
    ))
}

/// Milliseconds since 1970 of the `tt:DateTime` in an answer about a device's time.
pub(super) fn second(answer: &Element) -> Option<i64> {
    let utc = answer.at(&["SystemDateAndTime", "UTCDateTime"])?;
    let part = |path: [&str; 2]| utc.text(&path)?.parse::<i16>().ok();
    let small = |path| i8::try_from(part(path)?).ok();
    let date =
        jiff::civil::Date::new(part(["Date", "Year"])?, small(["Date", "Month"])?, small(["Date", "Day"])?).ok()?;
    let (hour, minute) = (small(["Time", "Hour"])?, small(["Time", "Minute"])?);
    let time = jiff::civil::Time::new(hour, minute, small(["Time", "Second"])?.min(59), 0).ok()?;
    Some(date.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}
