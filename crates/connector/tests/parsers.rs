//! What reads bytes of a video system takes any bytes without falling over.

use bytes::BytesMut;
use proptest::prelude::*;
use sightline_connector::adapter::onvif::xml;
use sightline_connector::challenge::Identity;
use sightline_connector::rtsp::depacketize::Depacketizer;
use sightline_connector::rtsp::parameter_sets::ParameterSets;
use sightline_connector::rtsp::sdp::{self, Codec, Video};
use sightline_connector::rtsp::{message, rtp};

/// A packet of RTP with the extension of a replay, so that what it bears is looked at.
fn packet(number: u16, bits: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x90, 96 | bits & 0x80];
    out.extend(number.to_be_bytes());
    out.extend([0, 0, 0, bits & 3, 0, 0, 0, 1, 0xab, 0xac, 0, 3, 0xe0, 0, 0, 0, 0, 0, 0, 0, bits, 0, 0, 0]);
    out.extend(payload);
    out
}

proptest! {
    #[test]
    fn rtsp(bytes: Vec<u8>, head in "(RTSP/1.0 [0-9]{0,4}|\\$|GET)[ -~\r\n:]{0,200}") {
        for bytes in [&bytes[..], head.as_bytes()] {
            let mut arrived = BytesMut::from(bytes);
            while let Ok(Some(_)) = message::take(&mut arrived) {}
        }
    }

    #[test]
    fn sdp(text in "(m=video |a=(rtpmap|fmtp|control):|96 |H26[45]/90000|sprop-(parameter-sets|sps)=|[ -~]|\r\n){0,60}") {
        sdp::video(&text);
        sdp::address("rtsp://a/", &text);
    }

    #[test]
    fn pictures(packets: Vec<(u8, u8, Vec<u8>)>, any: Vec<u8>) {
        rtp::packet(&any);
        for codec in [Codec::H264, Codec::H265] {
            let video = Video { codec, payload_type: 96, clock_rate: 90_000, control: String::new(), parameter_sets: Vec::new() };
            let (mut depacketizer, mut out) = (Depacketizer::new(&video), Vec::new());
            for (number, bits, payload) in &packets {
                let bytes = packet(u16::from(*number), *bits, payload);
                depacketizer.push(&rtp::packet(&bytes).unwrap_or_else(|| panic!("{bytes:?}")), &mut out).ok();
            }
            out.extend(depacketizer.finish());
            for unit in out {
                ParameterSets::within(codec, &unit.data).configuration(codec);
            }
        }
    }

    #[test]
    fn parameter_sets(rest: Vec<u8>) {
        for (codec, sps, pps) in [(Codec::H264, &[0x67, 100][..], [0x68, 0, 0]), (Codec::H265, &[0x42, 1], [0x44, 1, 0])] {
            let sps = [sps, &rest].concat();
            ParameterSets::among(codec, [&sps[..], &pps].into_iter()).configuration(codec);
        }
    }

    #[test]
    fn soap(text in "(<[a-z:]{1,4}( [a-z]='[&;a-z]{0,4}')?/?>|</[a-z:]{1,4}>|&[a-z#0-9]{0,3};|<!DOCTYPE|<!\\[CDATA\\[|[ -~]){0,40}", any: Vec<u8>) {
        xml::parse(text.as_bytes());
        xml::parse(&any);
    }

    #[test]
    fn challenges(text in "(Digest|Basic|realm=|nonce=|qop=|\"|,| |\\\\|[ -~é]){0,40}") {
        let mut identity = Identity::new(Some(("user".into(), "password".into())));
        identity.challenged([text.as_str()].into_iter());
        identity.answer("GET", "/");
    }
}
