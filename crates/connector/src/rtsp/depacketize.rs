//! Puts the packets of a picture together again: H.264 (RFC 6184, non-interleaved) and H.265 (RFC 7798). Each NAL unit is kept as it
//! came, also those that no decoder shows: a camera's signature may be in them.

use domain::Timestamp;

use super::RtspError;
use super::rtp::Packet;
use super::sdp::{Codec, Video};

/// The largest picture, bytes.
const LARGEST: usize = 16 << 20;

/// A picture with all its NAL units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessUnit {
    /// When it was taken, by the recorder's clock.
    pub at: Timestamp,
    /// Its NAL units, each after its length in four bytes, as MP4 has them.
    pub data: Vec<u8>,
    /// Decoding can begin here.
    pub key: bool,
    /// The last before a gap, or of all.
    pub ends_section: bool,
    /// It does not follow the one before it.
    pub discontinuity: bool,
    /// The last of this replay.
    pub last: bool,
}

/// The NAL units of a picture; what is cut off is left out.
pub fn nal_units(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (long, rest) = data.split_first_chunk::<4>()?;
        let (nal, rest) = rest.split_at_checked(u32::from_be_bytes(*long) as usize)?;
        data = rest;
        Some(nal)
    })
}

/// Puts together what arrives in order, as over TCP.
pub struct Depacketizer {
    codec: Codec,
    clock_rate: u32,
    payload_type: u8,
    /// The picture that is coming, and its time stamp.
    coming: Option<(u32, AccessUnit)>,
    /// Where in it the NAL unit begins whose fragments are coming.
    fragment: Option<usize>,
    /// A time stamp, and the time that it stands for.
    anchor: Option<(u32, Timestamp)>,
    next: Option<u16>,
    lost: u64,
}

impl Depacketizer {
    /// For the packets of a picture.
    pub fn new(video: &Video) -> Self {
        let Video { codec, clock_rate, payload_type, .. } = *video;
        Self { codec, clock_rate, payload_type, coming: None, fragment: None, anchor: None, next: None, lost: 0 }
    }

    /// How often something was missing or not understood.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Takes the next packet; pictures that are whole go to `out`.
    pub fn push(&mut self, packet: &Packet<'_>, out: &mut Vec<AccessUnit>) -> Result<(), RtspError> {
        if packet.payload_type != self.payload_type {
            return Ok(());
        }
        if self.next.is_some_and(|next| next != packet.sequence) {
            self.lose(); // servers that number anew after a gap begin with a whole picture
        }
        self.next = Some(packet.sequence.wrapping_add(1));
        if self.coming.as_ref().is_some_and(|(timestamp, _)| *timestamp != packet.timestamp) {
            out.extend(self.finish());
        }
        self.begin(packet)?;
        self.add(packet.payload);
        if self.coming.as_ref().is_some_and(|(_, unit)| unit.data.len() > LARGEST) {
            return Err(RtspError::TooMuch);
        }
        if packet.marker {
            out.extend(self.finish());
        }
        Ok(())
    }

    /// The picture that was coming, when nothing more will.
    pub fn finish(&mut self) -> Option<AccessUnit> {
        if self.fragment.is_some() {
            self.lose();
        }
        self.coming.take().map(|(_, unit)| unit).filter(|unit| !unit.data.is_empty())
    }

    fn begin(&mut self, packet: &Packet<'_>) -> Result<(), RtspError> {
        let told = packet.replay;
        if let Some(replay) = told {
            self.anchor = Some((packet.timestamp, replay.at));
        }
        let (ticks, time) = self.anchor.ok_or(RtspError::form("pictures without a time"))?;
        let apart = i64::from(packet.timestamp.wrapping_sub(ticks).cast_signed());
        let at = Timestamp::from_micros(time.as_micros() + apart * 1_000_000 / i64::from(self.clock_rate));
        let empty =
            AccessUnit { at, data: Vec::new(), key: false, ends_section: false, discontinuity: false, last: false };
        let (_, unit) = self.coming.get_or_insert((packet.timestamp, empty));
        if let Some(replay) = told {
            unit.at = replay.at;
            unit.key |= replay.clean_point;
            unit.ends_section |= replay.ends_section;
            unit.discontinuity |= replay.discontinuity;
            unit.last |= replay.last;
        }
        Ok(())
    }

    fn add(&mut self, payload: &[u8]) {
        let whole = match self.codec {
            Codec::H264 => self.add_h264(payload),
            Codec::H265 => self.add_h265(payload),
        };
        if whole.is_none() {
            self.lose();
        }
    }

    /// Types of RFC 6184, table 1.
    fn add_h264(&mut self, payload: &[u8]) -> Option<()> {
        let (head, rest) = payload.split_first()?;
        match head & 0x1f {
            1..=23 => self.nal(payload),
            24 => self.aggregated(rest),
            28 => {
                let (fragment, rest) = rest.split_first()?;
                self.fragment(&[head & 0xe0 | fragment & 0x1f], fragment & 0x80 != 0, fragment & 0x40 != 0, rest)
            }
            _ => None,
        }
    }

    /// Types of RFC 7798, 4.4.
    fn add_h265(&mut self, payload: &[u8]) -> Option<()> {
        let (&[head, layer], rest) = payload.split_first_chunk::<2>()?;
        match head >> 1 & 0x3f {
            0..=47 => self.nal(payload),
            48 => self.aggregated(rest),
            49 => {
                let (fragment, rest) = rest.split_first()?;
                let head = head & 0x81 | (fragment & 0x3f) << 1;
                self.fragment(&[head, layer], fragment & 0x80 != 0, fragment & 0x40 != 0, rest)
            }
            _ => None,
        }
    }

    fn nal(&mut self, nal: &[u8]) -> Option<()> {
        if self.fragment.is_some() {
            self.lose(); // its end did not come
        }
        let (_, unit) = self.coming.as_mut()?;
        unit.data.extend(u32::try_from(nal.len()).ok()?.to_be_bytes());
        unit.data.extend(nal);
        unit.key |= match self.codec {
            Codec::H264 => nal[0] & 0x1f == 5,
            Codec::H265 => (16..=21).contains(&(nal[0] >> 1 & 0x3f)),
        };
        Some(())
    }

    fn aggregated(&mut self, mut rest: &[u8]) -> Option<()> {
        while !rest.is_empty() {
            let (long, after) = rest.split_first_chunk::<2>()?;
            let (nal, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*long)))?;
            if nal.is_empty() {
                return None;
            }
            self.nal(nal)?;
            rest = after;
        }
        Some(())
    }

    fn fragment(&mut self, head: &[u8], starts: bool, ends: bool, rest: &[u8]) -> Option<()> {
        if starts {
            if self.fragment.is_some() {
                self.lose(); // its end did not come, and what is there of it goes
            }
            let at = self.coming.as_ref()?.1.data.len();
            self.nal(head)?;
            self.fragment = Some(at);
        }
        let at = self.fragment?;
        let (_, unit) = self.coming.as_mut()?;
        unit.data.extend(rest);
        if ends {
            let long = u32::try_from(unit.data.len() - at - 4).ok()?;
            unit.data.get_mut(at..at + 4)?.copy_from_slice(&long.to_be_bytes());
            self.fragment = None;
        }
        Some(())
    }

    /// What is missing leaves no half NAL unit behind.
    fn lose(&mut self) {
        self.lost += 1;
        if let (Some(at), Some((_, unit))) = (self.fragment.take(), self.coming.as_mut()) {
            unit.data.truncate(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rtp::Replay;
    use super::*;

    fn depacketizer(codec: Codec) -> Depacketizer {
        let control = String::new();
        Depacketizer::new(&Video { codec, payload_type: 96, clock_rate: 90_000, control, parameter_sets: Vec::new() })
    }

    fn packet(sequence: u16, timestamp: u32, marker: bool, payload: &[u8]) -> Packet<'_> {
        let at = Timestamp::from_micros(5_000_000);
        let told = Replay { at, clean_point: true, ends_section: false, discontinuity: false, last: false };
        let replay = (sequence == 0).then_some(told);
        Packet { marker, payload_type: 96, sequence, timestamp, replay, payload }
    }

    fn units(codec: Codec, packets: &[Packet<'_>]) -> (Vec<AccessUnit>, u64) {
        let (mut depacketizer, mut out) = (depacketizer(codec), Vec::new());
        for packet in packets {
            depacketizer.push(packet, &mut out).unwrap();
        }
        out.extend(depacketizer.finish());
        (out, depacketizer.lost())
    }

    fn nals(unit: &AccessUnit) -> Vec<&[u8]> {
        nal_units(&unit.data).collect()
    }

    #[test]
    fn h264_single_aggregated_and_fragmented() {
        let (out, lost) = units(
            Codec::H264,
            &[
                packet(0, 0, false, &[24, 0, 2, 0x67, 1, 0, 2, 0x68, 2]),
                packet(1, 0, false, &[6, 5, 1, 9, 0x80]), // SEI
                packet(2, 0, false, &[0x7c, 0x85, 1, 2]),
                packet(3, 0, false, &[0x7c, 0x05, 3]),
                packet(4, 0, true, &[0x7c, 0x45, 4]),
                packet(5, 9_000, true, &[0x41, 7]),
                packet(6, 4_500, false, &[0x01, 8]), // shown earlier, without a marker
            ],
        );
        assert_eq!(lost, 0);
        assert_eq!(nals(&out[0]), [&[0x67, 1][..], &[0x68, 2], &[6, 5, 1, 9, 0x80], &[0x65, 1, 2, 3, 4]]);
        assert_eq!(out.iter().map(|unit| unit.at.as_micros()).collect::<Vec<_>>(), [5_000_000, 5_100_000, 5_050_000]);
        assert_eq!(out.iter().map(|unit| unit.key).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn h265_aggregated_and_fragmented() {
        let (out, lost) = units(
            Codec::H265,
            &[
                packet(0, 0, false, &[96, 1, 0, 3, 0x40, 1, 5, 0, 3, 0x42, 1, 6]),
                packet(1, 0, false, &[98, 1, 0x80 | 19, 1]),
                packet(2, 0, true, &[98, 1, 0x40 | 19, 2]),
                packet(3, 3_000, true, &[2, 1, 9]),
            ],
        );
        assert_eq!(lost, 0);
        assert_eq!(nals(&out[0]), [&[0x40, 1, 5][..], &[0x42, 1, 6], &[38, 1, 1, 2]]);
        assert!(out[0].key && !out[1].key);
    }

    #[test]
    fn a_lost_packet_costs_its_nal_unit_alone() {
        let (out, lost) = units(
            Codec::H264,
            &[
                packet(0, 0, false, &[0x67, 1]),
                packet(1, 0, false, &[0x7c, 0x85, 1]),
                packet(3, 0, true, &[0x7c, 0x45, 4]),
                packet(4, 9_000, false, &[0x7c, 0x81, 1]),
                packet(5, 9_000, true, &[0x41, 9]),
            ],
        );
        assert!(lost > 0);
        assert_eq!(nals(&out[0]), [[0x67, 1]]);
        assert_eq!(nals(&out[1]).last().unwrap(), &[0x41, 9]);
    }

    #[test]
    fn a_fragment_without_an_end_leaves_nothing_before_the_next() {
        for (codec, start, end) in [
            (Codec::H264, &[0x7c, 0x85, 1][..], &[0x7c, 0x45, 2][..]),
            (Codec::H265, &[98, 1, 0x80 | 19, 1], &[98, 1, 0x40 | 19, 2]),
        ] {
            let (out, lost) =
                units(codec, &[packet(0, 0, false, start), packet(1, 0, false, start), packet(2, 0, true, end)]);
            assert_eq!((lost, nals(&out[0]).len()), (1, 1), "{codec:?}");
            assert_eq!(nals(&out[0])[0].len() + 4, out[0].data.len());
            assert!(nals(&out[0])[0].ends_with(&[1, 2]));
        }
    }

    #[test]
    fn without_a_time_there_is_no_picture() {
        let mut out = Vec::new();
        assert!(depacketizer(Codec::H264).push(&packet(1, 0, true, &[0x65, 1]), &mut out).is_err());
    }
}
