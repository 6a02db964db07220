//! Facts about a file, from `ffprobe`.

use std::collections::BTreeMap;
use std::path::Path;

use domain::evidence::MediaFacts;
use serde::Deserialize;

use super::{MediaError, Result, Tools, guarded, located, words};

/// Facts that people see, and those that decide how a playable copy is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Probed {
    /// What people see.
    pub media: MediaFacts,
    pixel_format: Option<String>,
    profile: Option<String>,
    level: i64,
    audio_profile: Option<String>,
}

#[derive(Deserialize)]
struct Printed {
    #[serde(default)]
    streams: Vec<Stream>,
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Stream {
    codec_type: Option<String>,
    codec_name: Option<String>,
    profile: Option<String>,
    level: Option<i64>,
    pix_fmt: Option<String>,
    width: Option<i64>,
    height: Option<i64>,
    avg_frame_rate: Option<String>,
    r_frame_rate: Option<String>,
    start_time: Option<String>,
    duration: Option<String>,
    #[serde(default)]
    disposition: BTreeMap<String, i64>,
}

#[derive(Deserialize)]
struct Format {
    format_name: Option<String>,
    start_time: Option<String>,
    duration: Option<String>,
}

impl Tools {
    /// Facts about a file. Nothing but the file itself is opened, whatever it says.
    pub async fn probe(&self, path: &Path) -> Result<Probed> {
        let mut args = words(&["-v", "error", "-hide_banner", "-of", "json", "-show_entries"]);
        args.push(
            "format=format_name,start_time,duration:stream=codec_type,codec_name,profile,level,pix_fmt,width,height,avg_frame_rate,r_frame_rate,start_time,duration:stream_disposition=attached_pic"
                .into(),
        );
        args.extend(guarded());
        args.extend(words(&["-max_pixels", "67108864", "-i"]));
        args.push(located(path));
        let printed = self.run(&self.ffprobe, args, path, None, self.limits.glance).await?;
        let printed: Printed =
            serde_json::from_slice(&printed).map_err(|_| MediaError::file("the file is damaged, or is no video"))?;
        let probed = Probed::from(printed);
        // more pixels than is allowed, or nothing that can be decoded
        if probed.is_still() && probed.media.width.is_none() {
            return Err(MediaError::file("the picture is damaged, or too large"));
        }
        Ok(probed)
    }
}

impl From<Printed> for Probed {
    fn from(printed: Printed) -> Self {
        let format = printed.format.as_ref();
        let kind = |stream: &&Stream, kind: &str| stream.codec_type.as_deref() == Some(kind);
        let video = printed
            .streams
            .iter()
            .find(|stream| kind(stream, "video") && stream.disposition.get("attached_pic").is_none_or(|set| *set == 0));
        let audio = printed.streams.iter().find(|stream| kind(stream, "audio"));
        let duration = [format.and_then(|f| f.duration.as_deref()), video.and_then(|v| v.duration.as_deref())]
            .into_iter()
            .flatten()
            .find_map(|text| text.parse::<f64>().ok())
            .filter(|seconds| seconds.is_finite() && *seconds >= 0.0 && *seconds < 1e9);
        let starts = |text: Option<&str>| text?.parse::<f64>().ok();
        let first_picture = starts(video.and_then(|v| v.start_time.as_deref()))
            .zip(starts(format.and_then(|f| f.start_time.as_deref())))
            .map(|(picture, file)| picture - file)
            .filter(|seconds| *seconds > 0.0 && *seconds < 1e9);
        let size = |side: Option<i64>| side.filter(|side| *side > 0);
        Self {
            media: MediaFacts {
                container: format.and_then(|f| f.format_name.clone()),
                video_codec: video.and_then(|v| v.codec_name.clone()),
                audio_codec: audio.and_then(|a| a.codec_name.clone()),
                width: video.and_then(|v| size(v.width)),
                height: video.and_then(|v| size(v.height)),
                frame_rate: video.and_then(|v| {
                    v.avg_frame_rate.as_deref().and_then(ratio).or_else(|| v.r_frame_rate.as_deref().and_then(ratio))
                }),
                duration_ms: duration.map(|seconds| (seconds * 1000.0).round() as u64),
                claimed_ms: None,
                first_picture_ms: first_picture.map_or(0, |seconds| (seconds * 1000.0).round() as u64),
            },
            pixel_format: video.and_then(|v| v.pix_fmt.clone()),
            profile: video.and_then(|v| v.profile.clone()),
            level: video.and_then(|v| v.level).unwrap_or(0),
            audio_profile: audio.and_then(|a| a.profile.clone()),
        }
    }
}

impl Probed {
    /// Whether the pictures play in every browser as they are, in a container that says when each is shown.
    #[must_use]
    pub fn plays_as_it_is(&self) -> bool {
        let is =
            |value: &Option<String>, allowed: &[&str]| value.as_deref().is_some_and(|value| allowed.contains(&value));
        is(&self.media.video_codec, &["h264"])
            && is(&self.pixel_format, &["yuv420p", "yuvj420p"])
            && is(&self.profile, &["Constrained Baseline", "Baseline", "Main", "High"])
            && self.level <= 52
            && self.media.width.is_some_and(|width| width <= 4096)
            && self.media.height.is_some_and(|height| height <= 4096)
            && !is(&self.media.container, &["h264", "hevc", "m4v", "mjpeg"])
    }

    /// Whether it is a single picture.
    #[must_use]
    pub fn is_still(&self) -> bool {
        self.media.container.as_deref().is_some_and(|container| container.ends_with("_pipe"))
    }

    /// Whether the sound can be copied too; a file without sound has nothing to encode.
    #[must_use]
    pub fn audio_plays(&self) -> bool {
        match self.media.audio_codec.as_deref() {
            None => true,
            Some("aac") => self.audio_profile.as_deref() == Some("LC"),
            Some(_) => false,
        }
    }
}

fn ratio(text: &str) -> Option<f64> {
    let (over, under) = text.split_once('/')?;
    let rate = over.parse::<f64>().ok()? / under.parse::<f64>().ok()?;
    (rate.is_finite() && rate > 0.0).then_some((rate * 1000.0).round() / 1000.0)
}
