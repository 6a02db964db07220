//! What a stream holds, as SDP (RFC 8866) tells it: of the media, the first picture that we can take.

use base64::Engine;

/// How a picture is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// H.264 (RFC 6184).
    H264,
    /// H.265 (RFC 7798).
    H265,
}

/// The picture of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Video {
    /// How it is coded.
    pub codec: Codec,
    /// What its packets bear.
    pub payload_type: u8,
    /// Ticks of its time stamps in a second; not 0.
    pub clock_rate: u32,
    /// Where it is set up: an address, or what follows that of the stream.
    pub control: String,
    /// NAL units with VPS, SPS and PPS, as far as they are told beforehand.
    pub parameter_sets: Vec<Vec<u8>>,
}

/// The first picture in H.264 or H.265; none if there is no such.
pub fn video(sdp: &str) -> Option<Video> {
    let lines = || sdp.lines().map(|line| line.trim_end_matches('\r'));
    let starts: Vec<usize> = lines().enumerate().filter(|(_, line)| line.starts_with("m=")).map(|(at, _)| at).collect();
    starts.iter().enumerate().find_map(|(index, start)| {
        let end = starts.get(index + 1).copied().unwrap_or(usize::MAX);
        let section: Vec<&str> = lines().skip(*start).take(end - start).collect();
        section[0].starts_with("m=video ").then(|| video_of(&section)).flatten()
    })
}

fn video_of(section: &[&str]) -> Option<Video> {
    let attribute = |name| attributes(section, name);
    let mut coded = attribute("rtpmap:").filter_map(|map| {
        let (payload_type, coding) = map.split_once(' ')?;
        let (name, rate) = coding.trim().split_once('/')?;
        let codec = match name.to_ascii_uppercase().as_str() {
            "H264" => Codec::H264,
            "H265" | "HEVC" => Codec::H265,
            _ => return None,
        };
        let clock_rate = rate.split('/').next()?.parse().ok().filter(|rate| *rate > 0)?;
        Some((codec, payload_type.parse().ok()?, clock_rate))
    });
    let (codec, payload_type, clock_rate): (Codec, u8, u32) = coded.next()?;
    let format = attribute("fmtp:").find_map(|format| {
        let (of, parameters) = format.split_once(' ')?;
        (of.parse() == Ok(payload_type)).then_some(parameters)
    });
    let control = attribute("control:").next().unwrap_or("*").trim().to_owned();
    Some(Video { codec, payload_type, clock_rate, control, parameter_sets: format.map(sets).unwrap_or_default() })
}

fn attributes<'a>(section: &'a [&'a str], name: &'a str) -> impl Iterator<Item = &'a str> {
    section.iter().filter_map(move |line| line.strip_prefix("a=")?.strip_prefix(name))
}

/// `sprop-parameter-sets` of H.264 holds all; H.265 has one parameter for each kind, here in the order that a decoder wants.
fn sets(parameters: &str) -> Vec<Vec<u8>> {
    let told = |name: &str| {
        parameters.split(';').find_map(|one| {
            let (key, value) = one.trim().split_once('=')?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    };
    let kinds = ["sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps"];
    let decoded = |set: &str| base64::engine::general_purpose::STANDARD.decode(set.trim()).ok();
    let texts = kinds.iter().filter_map(|kind| told(kind)).flat_map(|value| value.split(','));
    texts.filter_map(decoded).filter(|set| set.len() > 2).collect()
}

/// The address of a control attribute (RFC 2326, C.1.1). None if it holds what cannot stand in a request.
pub fn address(base: &str, control: &str) -> Option<String> {
    if control.len() > 2_048 || !control.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    Some(match control {
        "*" | "" => base.to_owned(),
        _ if control.to_ascii_lowercase().starts_with("rtsp://") => control.to_owned(),
        _ => format!("{}/{control}", base.trim_end_matches('/')),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_picture_is_taken() {
        let sdp = "v=0\r\na=control:*\r\nm=audio 0 RTP/AVP 0\r\na=control:a\r\nm=video 0 RTP/AVP 26\r\na=control:jpeg\r\n\
                   m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0IAKeKQFAe2,aM48gA==\r\na=control:trackID=1\r\n";
        let video = video(sdp).unwrap();
        assert_eq!((video.codec, video.payload_type, video.clock_rate), (Codec::H264, 96, 90_000));
        assert_eq!(video.control, "trackID=1");
        assert_eq!(video.parameter_sets.iter().map(|set| set[0] & 31).collect::<Vec<_>>(), [7, 8]);
    }

    #[test]
    fn h265_tells_its_sets_one_by_one() {
        let sdp =
            "m=video 0 RTP/AVP 98\na=rtpmap:98 H265/90000\na=fmtp:98 sprop-sps=QgEB;sprop-vps=QAEM;sprop-pps=RAHA\n";
        let video = video(sdp).unwrap();
        assert_eq!(video.control, "*");
        assert_eq!(video.parameter_sets.iter().map(|set| set[0] >> 1).collect::<Vec<_>>(), [32, 33, 34]);
    }

    #[test]
    fn what_is_no_picture() {
        for sdp in [
            "",
            "m=video",
            "m=video \na=rtpmap:96 H264/0",
            "m=video 0\na=rtpmap:96 H264/x",
            "m=video 0\na=rtpmap:300 H264/90000",
        ] {
            assert_eq!(video(sdp), None, "{sdp}");
        }
    }

    #[test]
    fn addresses() {
        assert_eq!(address("rtsp://a/b/", "t=1").unwrap(), "rtsp://a/b/t=1");
        assert_eq!(address("rtsp://a/b", "*").unwrap(), "rtsp://a/b");
        assert_eq!(address("rtsp://a/b", "rtsp://c/d").unwrap(), "rtsp://c/d");
        assert_eq!(address("rtsp://a/b", "t HTTP\r\nX: y"), None);
    }
}
