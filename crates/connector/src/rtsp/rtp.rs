//! RTP packets (RFC 3550), and what a replay adds to them (ONVIF Streaming Specification, 6.2 "RTP header extension").

use domain::Timestamp;

/// The extension of a replay.
const REPLAY: u16 = 0xABAC;
/// From 1900, where NTP begins, to 1970, in seconds.
const NTP_TO_UNIX_S: i64 = 2_208_988_800;

/// A packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The last of its picture.
    pub marker: bool,
    /// What it bears, as the SDP numbers it.
    pub payload_type: u8,
    /// One more than the one before.
    pub sequence: u16,
    /// Ticks of the picture's clock.
    pub timestamp: u32,
    /// What a replay says of the picture that it belongs to.
    pub replay: Option<Replay>,
    /// What it bears.
    pub payload: &'a [u8],
}

/// What a replay says of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// When it was taken, by the recorder's clock.
    pub at: Timestamp,
    /// C: decoding can begin here.
    pub clean_point: bool,
    /// E: the last before a gap, or of all.
    pub ends_section: bool,
    /// D: it does not follow what was sent before it.
    pub discontinuity: bool,
    /// T: the last of this replay.
    pub last: bool,
}

/// A packet; none if it is none.
pub fn packet(bytes: &[u8]) -> Option<Packet<'_>> {
    let (head, mut rest) = bytes.split_first_chunk::<12>()?;
    if head[0] >> 6 != 2 {
        return None;
    }
    let (padded, extended, sources) = (head[0] & 0x20 != 0, head[0] & 0x10 != 0, usize::from(head[0] & 0x0f));
    rest = rest.get(sources * 4..)?;
    let mut replay = None;
    if extended {
        let (kind, after) = rest.split_first_chunk::<4>()?;
        let long = usize::from(u16::from_be_bytes([kind[2], kind[3]])) * 4;
        let (extension, after) = after.split_at_checked(long)?;
        if u16::from_be_bytes([kind[0], kind[1]]) == REPLAY {
            replay = extension.first_chunk().map(told);
        }
        rest = after;
    }
    if padded {
        let padding = usize::from(*rest.last()?);
        rest = rest.get(..rest.len().checked_sub(padding)?)?;
    }
    Some(Packet {
        marker: head[1] & 0x80 != 0,
        payload_type: head[1] & 0x7f,
        sequence: u16::from_be_bytes([head[2], head[3]]),
        timestamp: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
        replay,
        payload: rest,
    })
}

fn told(extension: &[u8; 9]) -> Replay {
    let [a, b, c, d, e, f, g, h, bits] = *extension;
    let (seconds, fraction) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
    Replay {
        at: ntp(seconds, fraction),
        clean_point: bits & 0x80 != 0,
        ends_section: bits & 0x40 != 0,
        discontinuity: bits & 0x20 != 0,
        last: bits & 0x10 != 0,
    }
}

/// A time of NTP, to the nearest microsecond. Without its highest bit it is of the era that begins in 2036 (RFC 4330, 3).
fn ntp(seconds: u32, fraction: u32) -> Timestamp {
    let era = if seconds & 0x8000_0000 == 0 { 1_i64 << 32 } else { 0 };
    let micros = (u64::from(fraction) * 1_000_000 + (1 << 31)) >> 32;
    let seconds = i64::from(seconds) + era - NTP_TO_UNIX_S;
    Timestamp::from_micros(seconds * 1_000_000 + i64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_a_replay() {
        let mut bytes = vec![0xb0, 0xe0, 1, 2, 0, 0, 0, 9, 0, 0, 0, 1];
        bytes.extend([0xab, 0xac, 0, 3]);
        bytes.extend((2_208_988_801_u32).to_be_bytes());
        bytes.extend([0x80, 0, 0, 0, 0xd0, 7, 0, 0]); // half a second; C, E, T
        bytes.extend([0x65, 0xff, 0, 0, 3]); // three of them pad
        let packet = packet(&bytes).unwrap();
        assert_eq!((packet.marker, packet.payload_type, packet.sequence, packet.timestamp), (true, 96, 258, 9));
        assert_eq!(packet.payload, [0x65, 0xff]);
        let replay = packet.replay.unwrap();
        assert_eq!(replay.at, Timestamp::from_micros(1_500_000));
        assert!(replay.clean_point && replay.ends_section && !replay.discontinuity && replay.last);
        for short in 0..28 {
            assert!(super::packet(&bytes[..short]).is_none());
        }
    }

    #[test]
    fn times_after_2036() {
        assert_eq!(ntp(0, 0).to_string(), "2036-02-07T06:28:16.000Z");
        assert_eq!(ntp(u32::MAX, u32::MAX).to_string(), "2036-02-07T06:28:16.000Z");
    }
}
