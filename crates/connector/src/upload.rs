//! Sends a file by tus 1.0.0. It is read and hashed by one thread while another sends, through a few buffers; memory does not
//! depend on its size. After an interruption it goes on where the server says, and is not hashed twice; what another process had
//! sent before is hashed anew from the disk, for its sum died with it.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::id::{TaskId, UploadId};
use protocol::{LEASE_HEADER, Phase};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};

use crate::backoff::Backoff;
use crate::client::{CallError, Client, PATIENCE, check};
use crate::limits::Pace;

const BUFFER: usize = 256 * 1024;

/// A file to send, for a task.
pub struct Upload<'a> {
    /// The server.
    pub client: &'a Client,
    /// The task that it is for.
    pub task: &'a TaskId,
    /// The lease under which it is sent.
    pub lease: i64,
    /// Where it lies.
    pub path: &'a Path,
    /// What it shall be called.
    pub name: &'a str,
    /// Its media type.
    pub media_type: &'a str,
    /// Where an earlier lease of the task had begun to send it.
    pub begun: Option<String>,
    /// How fast it is sent.
    pub pace: Option<Arc<Pace>>,
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The finished upload.
    pub upload_id: UploadId,
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// How long it is.
    pub size_bytes: u64,
}

/// Why a file was not sent.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The server.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The disk.
    #[error("the export cannot be read: {0}")]
    Disk(#[from] std::io::Error),
    /// The server has forgotten the upload: it must begin anew.
    #[error("the server no longer has the upload")]
    Gone,
}

/// How much was hashed; goes on from there, whatever is sent again.
struct Hashed {
    context: aws_lc_rs::digest::Context,
    until: u64,
}

impl Upload<'_> {
    /// Sends it. `placed` hears where it is sent each time that it begins, `told` how many bytes are there, of how many, and whether
    /// they are on their way or the server has no room for more.
    pub async fn send(
        &self,
        mut placed: impl FnMut(&str),
        mut told: impl FnMut(Phase, u64, u64),
    ) -> Result<Sent, UploadError> {
        let size = tokio::fs::metadata(self.path).await?.len();
        let mut backoff = Backoff::up_to(Duration::from_secs(15));
        let hashed = Arc::new(Mutex::new(Hashed {
            context: aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256),
            until: 0,
        }));
        let (mut location, mut kept) = (self.begun.clone(), 0);
        loop {
            let mut from = None;
            let mut moving = |done, of| {
                from.get_or_insert(done);
                told(Phase::Uploading, done, of);
            };
            match self.advance(&mut location, size, &hashed, &mut placed, &mut moving).await {
                Ok(()) => break,
                Err(UploadError::Call(error)) if error.may_repeat() => {
                    tracing::info!(task = %self.task, %error, "upload interrupted");
                    if let CallError::NoRoom(_) = error {
                        told(Phase::WaitingForServerRoom, from.unwrap_or(kept), size);
                    }
                    // a line that breaks often and carries something each time is used as well as it can be
                    if from.is_some_and(|from| from > kept) {
                        backoff.reset();
                    }
                    kept = from.unwrap_or(kept);
                    backoff.wait().await;
                }
                Err(UploadError::Gone) => {
                    location = None; // an expired or lost upload: begin anew, under the same lease
                    backoff.wait().await;
                }
                Err(error) => return Err(error),
            }
        }
        // what the server had before this call was not hashed with the rest: then all of it is, now
        let sha256 = tokio::task::spawn_blocking({
            let (path, hashed) = (self.path.to_owned(), Arc::clone(&hashed));
            move || finish_hash(&path, &hashed, size)
        })
        .await
        .map_err(std::io::Error::other)??;
        let location = location.unwrap_or_default();
        let id = location.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let upload_id = id.parse().map_err(|_| CallError::Refused(format!("an upload without an id: {location}")))?;
        Ok(Sent { upload_id, sha256, size_bytes: size })
    }

    async fn advance(
        &self,
        location: &mut Option<String>,
        size: u64,
        hashed: &Arc<Mutex<Hashed>>,
        placed: &mut impl FnMut(&str),
        told: &mut impl FnMut(u64, u64),
    ) -> Result<(), UploadError> {
        let (place, offset) = match location {
            None => {
                let place = self.create(size).await?;
                placed(&place);
                *location = Some(place.clone());
                (place, 0)
            }
            Some(place) => (place.clone(), self.offset(place, size).await?),
        };
        told(offset, size);
        if offset < size {
            let offset = self.patch(&place, offset, size, hashed, told).await?;
            told(offset, size);
            if offset < size {
                return Err(CallError::Later(format!("the server took {offset} of {size} bytes")).into());
            }
        }
        Ok(())
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("tus-resumable", HeaderValue::from_static("1.0.0"));
        headers.insert(LEASE_HEADER, HeaderValue::from(self.lease));
        headers
    }

    async fn create(&self, size: u64) -> Result<String, UploadError> {
        let lease = self.lease.to_string();
        let metadata: Vec<_> = [
            ("filename", self.name),
            ("filetype", self.media_type),
            ("task_id", self.task.as_str()),
            ("lease", &lease),
        ]
        .iter()
        .map(|(name, value)| format!("{name} {}", STANDARD.encode(value)))
        .collect();
        let request = self.client.request(Method::POST, "/api/v1/uploads")?.headers(self.headers());
        let request = request.header("upload-length", size).header("upload-metadata", metadata.join(","));
        let answer = check(request.send().await.map_err(CallError::from)?).await?;
        let location = answer.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(location.ok_or_else(|| CallError::Later("an upload without a location".into()))?)
    }

    async fn offset(&self, place: &str, size: u64) -> Result<u64, UploadError> {
        let answer = self.client.request(Method::HEAD, place)?.headers(self.headers()).send().await;
        let answer = answer.map_err(CallError::from)?;
        match answer.status() {
            StatusCode::NOT_FOUND | StatusCode::GONE => return Err(UploadError::Gone),
            // the answer to a HEAD has no body to say more, and nothing else stands in the way of one
            StatusCode::CONFLICT => return Err(CallError::LeaseLost("the lease of the upload is lost".into()).into()),
            _ => {}
        }
        let offset = offset_of(&check(answer).await?)?;
        if offset > size { Err(UploadError::Gone) } else { Ok(offset) } // longer than the file: it is of another one
    }

    async fn patch(
        &self,
        place: &str,
        offset: u64,
        size: u64,
        hashed: &Arc<Mutex<Hashed>>,
        told: &mut impl FnMut(u64, u64),
    ) -> Result<u64, UploadError> {
        let (buffers, filled) = tokio::sync::mpsc::channel::<std::io::Result<Bytes>>(4);
        let (path, hashed) = (self.path.to_owned(), Arc::clone(hashed));
        let reader = tokio::task::spawn_blocking(move || read_and_hash(path, offset, size, &hashed, &buffers));
        let (count, mut counted) = tokio::sync::watch::channel(offset);
        let pace = self.pace.clone();
        let body = futures::stream::unfold(
            (filled, Bytes::new(), count, pace),
            async |(mut filled, mut rest, count, pace)| {
                if rest.is_empty() {
                    match filled.recv().await? {
                        Ok(bytes) => rest = bytes,
                        Err(error) => return Some((Err(error), (filled, rest, count, pace))),
                    }
                }
                let mut next = std::mem::take(&mut rest);
                if let Some(pace) = &pace {
                    rest = next.split_off(next.len().min(pace.portion()));
                    pace.take(next.len()).await;
                }
                count.send_modify(|sent| *sent += next.len() as u64);
                Some((Ok(next), (filled, rest, count, pace)))
            },
        );
        let request = self
            .client
            .request(Method::PATCH, place)?
            .headers(self.headers())
            .header("content-type", "application/offset+octet-stream")
            .header("upload-offset", offset)
            .header("content-length", size - offset)
            .timeout(Duration::MAX) // as long as something is sent
            .body(reqwest::Body::wrap_stream(body));
        let sending = request.send();
        tokio::pin!(sending);
        let answer = loop {
            tokio::select! {
                answer = &mut sending => break answer,
                Ok(()) = counted.changed() => { let sent = *counted.borrow_and_update(); told(sent, size); }
                () = tokio::time::sleep(PATIENCE) => return Err(CallError::Later("nothing moved for a minute".into()).into()),
            }
        };
        let answer = answer.map_err(CallError::from);
        drop(counted);
        // the reader stops by itself once nobody takes its buffers
        let answer = answer?;
        if matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::GONE) {
            return Err(UploadError::Gone);
        }
        let answer = check(answer).await.map_err(|error| match error {
            CallError::Conflict(other_offset) => CallError::Later(other_offset), // the next HEAD tells which
            other => other,
        })?;
        let offset = offset_of(&answer)?;
        reader.await.map_err(std::io::Error::other)??;
        Ok(offset)
    }
}

fn offset_of(answer: &reqwest::Response) -> Result<u64, CallError> {
    let value = answer.headers().get("upload-offset").and_then(|value| value.to_str().ok());
    value.and_then(|text| text.parse().ok()).ok_or_else(|| CallError::Later("an answer without an offset".into()))
}

fn read_and_hash(
    path: PathBuf,
    mut offset: u64,
    size: u64,
    hashed: &Mutex<Hashed>,
    buffers: &tokio::sync::mpsc::Sender<std::io::Result<Bytes>>,
) -> std::io::Result<()> {
    let mut file = std::fs::File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    while offset < size {
        let mut buffer = vec![0; BUFFER.min(usize::try_from(size - offset).unwrap_or(BUFFER))];
        if let Err(error) = file.read_exact(&mut buffer) {
            let _ = buffers.blocking_send(Err(std::io::Error::other("the file is shorter than it was")));
            return Err(error);
        }
        hash(hashed, offset, &buffer);
        offset += buffer.len() as u64;
        if buffers.blocking_send(Ok(Bytes::from(buffer))).is_err() {
            break;
        }
    }
    Ok(())
}

fn hash(hashed: &Mutex<Hashed>, offset: u64, bytes: &[u8]) {
    let mut hashed = hashed.lock().expect("no panic while held");
    let end = offset + bytes.len() as u64;
    if offset <= hashed.until && hashed.until < end {
        let fresh = usize::try_from(hashed.until - offset).expect("shorter than a buffer");
        hashed.context.update(&bytes[fresh..]);
        hashed.until = end;
    }
}

/// Hashes what was not sent by this call, if anything, and closes the sum.
fn finish_hash(path: &Path, hashed: &Mutex<Hashed>, size: u64) -> std::io::Result<String> {
    let until = hashed.lock().expect("no panic while held").until;
    if until < size {
        let mut file = std::fs::File::open(path)?;
        file.seek(SeekFrom::Start(until))?;
        let (mut offset, mut buffer) = (until, vec![0; BUFFER]);
        loop {
            let n = file.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            hash(hashed, offset, &buffer[..n]);
            offset += n as u64;
        }
    }
    let context = hashed.lock().expect("no panic while held").context.clone();
    Ok(crate::hex(context.finish().as_ref()))
}
