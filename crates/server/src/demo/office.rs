//! What the people of the office would do on the first day, done through the API as they would do it:
//! organizations, accounts, cameras, connection files. What is there already stays.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use app::App;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Method, Request, header};
use domain::account::Role;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::city::{self, Mounted, Owner};
use super::footage;
use super::people::{Credentials, EVERYBODY};
use super::recorders;

/// The administrator at the API.
struct Office {
    api: Router,
    cookie: HeaderValue,
}

/// The largest answer that is read.
const ANSWER_BYTES: usize = 16 << 20;

impl Office {
    async fn sign_in(api: Router, email: &str, password: &str) -> Result<Self> {
        let body = json!({"email": email, "password": password});
        let request = Request::post("/api/v1/session")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))?;
        let answer = api.clone().oneshot(from_here(request)).await?;
        ensure!(
            answer.status().is_success(),
            "the administrator cannot sign in: the data directory holds another installation"
        );
        let cookie = answer.headers().get(header::SET_COOKIE).context("a session cookie")?;
        let cookie = cookie.to_str()?.split(';').next().unwrap_or_default().parse()?;
        Ok(Self { api, cookie })
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("/api/v1{path}"))
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(if body.is_null() { String::new() } else { body.to_string() }))?;
        let answer = self.api.clone().oneshot(from_here(request)).await?;
        let status = answer.status();
        let answer = to_bytes(answer.into_body(), ANSWER_BYTES).await?;
        ensure!(status.is_success(), "{method} {path}: {status} {}", String::from_utf8_lossy(&answer));
        Ok(serde_json::from_slice(&answer).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Result<Vec<Value>> {
        let answer = self.call(Method::GET, path, &Value::Null).await?;
        Ok(answer["items"].as_array().cloned().unwrap_or_default())
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::POST, path, body).await
    }

    /// The organizations of the city, in the order of [`Owner::ALL`].
    async fn organizations(&self) -> Result<[String; 3]> {
        let known = self.get("/organizations?limit=500").await?;
        let mut ids = Vec::new();
        for owner in Owner::ALL {
            let organization = match known.iter().find(|organization| organization["name"] == owner.name()) {
                Some(organization) => organization.clone(),
                None => {
                    self.post("/organizations", &json!({"name": owner.name(), "time_zone": city::TIME_ZONE})).await?
                }
            };
            ids.push(text(&organization["id"])?);
        }
        ids.try_into().map_err(|_| anyhow!("three organizations"))
    }

    async fn accounts(&self, organizations: &[String; 3], credentials: &[Credentials]) -> Result<()> {
        let known = self.get("/accounts?limit=500").await?;
        for (somebody, credentials) in EVERYBODY.iter().zip(credentials) {
            if known.iter().any(|account| account["email"] == credentials.email.as_str()) {
                continue;
            }
            let organization = &organizations[index(somebody.works_for)];
            let scope = if somebody.everywhere { None } else { Some(organization) };
            let account = json!({
                "email": credentials.email, "name": somebody.name, "organization_id": organization, "password": credentials.password,
                "roles": somebody.role.map(|role| json!({"role": role, "organization_id": scope})).as_slice(),
            });
            self.post("/accounts", &account).await?;
        }
        Ok(())
    }

    /// The cameras that no connector publishes.
    async fn cameras(&self, organizations: &[String; 3]) -> Result<()> {
        let known = self.get("/sources?kind=camera&limit=500").await?;
        let mut added = Vec::new();
        for camera in city::cameras().iter().filter(|camera| camera.recorded.is_none()) {
            if known.iter().any(|source| source["name"] == camera.name.as_str()) {
                continue;
            }
            let made = self.post("/cameras", &entry(camera, &organizations[index(camera.owner)])).await?;
            added.push((text(&made["id"])?, camera.clone()));
        }
        self.thumbnails(added).await
    }

    /// Nobody sends a picture of these cameras, so the office does.
    async fn thumbnails(&self, cameras: Vec<(String, Mounted)>) -> Result<()> {
        let views: Vec<_> = cameras.iter().zip(1..).map(|((_, camera), seed)| (camera.view(), seed)).collect();
        let stills = tokio::task::spawn_blocking(move || footage::stills(&views)).await??;
        for ((id, _), still) in cameras.iter().zip(stills) {
            let request = Request::put(format!("/api/v1/cameras/{id}/thumbnail"))
                .header(header::COOKIE, &self.cookie)
                .header(header::CONTENT_TYPE, "image/jpeg")
                .body(Body::from(still))?;
            let answer = self.api.clone().oneshot(from_here(request)).await?;
            ensure!(answer.status().is_success(), "the thumbnail of {id}: {}", answer.status());
        }
        Ok(())
    }

    async fn connectors(&self, organizations: &[String; 3], folder: &Path, url: &str) -> Result<()> {
        for owner in recorders::OWNERS {
            let file = recorders::connection_file(folder, owner);
            if let Ok(kept) = std::fs::read_to_string(&file) {
                // It names where the demo listened when it was made.
                let mut kept: toml::Table = kept.parse()?;
                kept.insert("url".to_owned(), url.into());
                super::write_private(&file, kept.to_string().as_bytes())?;
                continue;
            }
            let new =
                json!({"name": format!("{} recorder", owner.name()), "organization_id": organizations[index(owner)]});
            let made = self.post("/connectors", &new).await?;
            std::fs::create_dir_all(file.parent().context("a folder")?)?;
            super::write_private(&file, text(&made["connection_file"])?.as_bytes())?;
        }
        Ok(())
    }
}

/// As if it came over the loopback interface.
fn from_here(mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 0))));
    request
}

fn index(owner: Owner) -> usize {
    match owner {
        Owner::Police => 0,
        Owner::Transit => 1,
        Owner::Mall => 2,
    }
}

fn entry(camera: &Mounted, organization: &str) -> Value {
    json!({
        "organization_id": organization, "name": camera.name, "device_id": camera.device, "position": camera.position,
        "address": camera.address, "bearing_deg": camera.bearing_deg, "fov_deg": camera.fov_deg, "range_m": camera.range_m,
        "mounting_height_m": camera.height_m, "type": camera.kind, "tags": camera.tags, "retention_hours": camera.retention_hours,
        "published": camera.published,
    })
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).with_context(|| format!("a text instead of {value}"))
}

/// Makes what is missing.
pub(super) async fn furnish(app: &App, api: Router, folder: &Path, credentials: &[Credentials]) -> Result<()> {
    let at =
        EVERYBODY.iter().position(|somebody| somebody.role == Some(Role::Administrator)).context("an administrator")?;
    let (administrator, known) = (&EVERYBODY[at], &credentials[at]);
    let first = app::account::set_up(app, Owner::Police.name(), city::TIME_ZONE, &known.email).await?;
    if let Some((email, one_time)) = first {
        let office = Office::sign_in(api.clone(), &email, one_time.reveal()).await?;
        office.post("/me/password", &json!({"current": one_time.reveal(), "new": known.password})).await?;
    }
    let office = Office::sign_in(api, &known.email, &known.password).await?;
    let me = office.call(Method::GET, "/me", &Value::Null).await?;
    if me["account"]["name"] != administrator.name {
        rename(&office, &me["account"], administrator.name).await?;
    }
    let organizations = office.organizations().await?;
    office.accounts(&organizations, credentials).await?;
    office.cameras(&organizations).await?;
    office.connectors(&organizations, folder, &app.settings().public_url).await
}

async fn rename(office: &Office, account: &Value, name: &str) -> Result<()> {
    let request = Request::patch(format!("/api/v1/accounts/{}", text(&account["id"])?))
        .header(header::COOKIE, &office.cookie)
        .header(header::CONTENT_TYPE, "application/merge-patch+json")
        .header(header::IF_MATCH, format!("\"{}\"", account["version"]))
        .body(Body::from(json!({"name": name}).to_string()))?;
    let answer = office.api.clone().oneshot(from_here(request)).await?;
    ensure!(answer.status().is_success(), "naming the administrator: {}", answer.status());
    Ok(())
}

/// Whether the cameras of every connector are known.
pub(super) async fn everything_is_published(api: &Router, credentials: &[Credentials]) -> Result<bool> {
    let known =
        credentials.iter().find(|known| known.role == Role::Administrator.as_str()).context("an administrator")?;
    let office = Office::sign_in(api.clone(), &known.email, &known.password).await?;
    let sources = office.get("/sources?kind=camera&limit=500").await?;
    Ok(city::cameras().iter().filter(|camera| camera.recorded.is_some()).all(|camera| {
        sources.iter().any(|source| source["name"] == camera.name.as_str() && source["connector"]["online"] == true)
    }))
}
