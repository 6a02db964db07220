//! What a decoder must know beforehand, as MP4 tells it (ISO/IEC 14496-15): made of the parameter sets of H.264 (7.3.2) and
//! H.265 (7.3.2).

use super::depacketize::nal_units;
use super::sdp::Codec;

/// Parameter sets: each kind in the order that a decoder wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParameterSets {
    /// Of H.265.
    pub vps: Vec<Vec<u8>>,
    /// How the pictures are coded.
    pub sps: Vec<Vec<u8>>,
    /// The same, for single pictures.
    pub pps: Vec<Vec<u8>>,
}

/// So many of a kind are kept: no more SPS are counted in the five bits of `avcC`.
const MOST: usize = 31;

impl ParameterSets {
    /// Those among some NAL units.
    pub fn among<'a>(codec: Codec, nals: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut sets = Self::default();
        for nal in nals.filter(|nal| nal.len() > 2 && nal.len() <= usize::from(u16::MAX)) {
            let of = match (codec, nal[0] & 0x1f, nal[0] >> 1 & 0x3f) {
                (Codec::H264, 7, _) | (Codec::H265, _, 33) => &mut sets.sps,
                (Codec::H264, 8, _) | (Codec::H265, _, 34) => &mut sets.pps,
                (Codec::H265, _, 32) => &mut sets.vps,
                _ => continue,
            };
            if of.len() < MOST && !of.iter().any(|known| known == nal) {
                of.push(nal.to_vec());
            }
        }
        sets
    }

    /// Those within a picture.
    pub fn within(codec: Codec, data: &[u8]) -> Self {
        Self::among(codec, nal_units(data))
    }

    /// The content of `avcC` or `hvcC`; none while something is missing or not understood.
    pub fn configuration(&self, codec: Codec) -> Option<Vec<u8>> {
        let plain = without_emulation(self.sps.first()?);
        if self.pps.is_empty() {
            return None;
        }
        match codec {
            Codec::H264 => self.avc(&plain),
            Codec::H265 => self.hevc(&plain),
        }
    }

    fn avc(&self, sps: &[u8]) -> Option<Vec<u8>> {
        let profile = *sps.get(1)?;
        let mut out = vec![1, profile, *sps.get(2)?, *sps.get(3)?, 0xff, 0xe0 | u8::try_from(self.sps.len()).ok()?];
        self.sps.iter().try_for_each(|set| put(&mut out, set))?;
        out.push(u8::try_from(self.pps.len()).ok()?);
        self.pps.iter().try_for_each(|set| put(&mut out, set))?;
        if !matches!(profile, 66 | 77 | 88) {
            let mut bits = Bits::after(sps.get(4..)?);
            bits.number()?; // which set this is
            let chroma = bits.number()?;
            if chroma == 3 {
                bits.skip(1)?;
            }
            let (luma_depth, chroma_depth) = (bits.number()?, bits.number()?);
            out.extend([0xfc | low(chroma, 3)?, 0xf8 | low(luma_depth, 7)?, 0xf8 | low(chroma_depth, 7)?, 0]);
        }
        Some(out)
    }

    fn hevc(&self, sps: &[u8]) -> Option<Vec<u8>> {
        let layers = Some(sps.get(2)? >> 1 & 7).filter(|layers| *layers < 7)?; // 7.4.3.2.1: no more can be told
        let nested = sps.get(2)? & 1;
        let mut bits = Bits::after(sps.get(15..)?);
        let told: Vec<(u32, u32)> =
            (0..layers).map(|_| Some((bits.read(1)?, bits.read(1)?))).collect::<Option<Vec<_>>>()?;
        if layers > 0 {
            bits.skip(2 * (8 - usize::from(layers)))?;
        }
        for (profile, level) in told {
            bits.skip(if profile == 1 { 88 } else { 0 } + if level == 1 { 8 } else { 0 })?;
        }
        bits.number()?; // which set this is
        let chroma = bits.number()?;
        if chroma == 3 {
            bits.skip(1)?;
        }
        let (_width, _height) = (bits.number()?, bits.number()?);
        if bits.read(1)? == 1 {
            (0..4).try_for_each(|_| bits.number().map(drop))?;
        }
        let (luma_depth, chroma_depth) = (bits.number()?, bits.number()?);
        let mut out = vec![1];
        out.extend(sps.get(3..15)?);
        out.extend([0xf0, 0, 0xfc, 0xfc | low(chroma, 3)?, 0xf8 | low(luma_depth, 7)?, 0xf8 | low(chroma_depth, 7)?]);
        out.extend([0, 0, (layers + 1) << 3 | nested << 2 | 3, 3]);
        for (kind, sets) in [(32, &self.vps), (33, &self.sps), (34, &self.pps)] {
            out.push(kind);
            out.extend(u16::try_from(sets.len()).ok()?.to_be_bytes());
            sets.iter().try_for_each(|set| put(&mut out, set))?;
        }
        Some(out)
    }
}

fn low(number: u32, most: u32) -> Option<u8> {
    u8::try_from(number).ok().filter(|_| number <= most)
}

fn put(out: &mut Vec<u8>, set: &[u8]) -> Option<()> {
    out.extend(u16::try_from(set.len()).ok()?.to_be_bytes());
    out.extend(set);
    Some(())
}

/// Without the bytes that keep a start code from showing up inside (7.4.1 of both).
fn without_emulation(nal: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(nal.len());
    let mut zeros = 0;
    for byte in nal {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        out.push(*byte);
    }
    out
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    fn after(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.at += count;
        (self.at <= self.bytes.len() * 8).then_some(())
    }

    fn read(&mut self, count: usize) -> Option<u32> {
        (0..count).try_fold(0, |number, _| {
            let bit = self.bytes.get(self.at / 8)? >> (7 - self.at % 8) & 1;
            self.at += 1;
            Some(number << 1 | u32::from(bit))
        })
    }

    /// `ue(v)`, 9.1 of H.264.
    fn number(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.read(1)? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.read(zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h264_high_tells_its_depths() {
        let sps = [0x67, 100, 0, 31, 0xac, 0xd9, 0x40];
        let nals = [&sps[..], &[0x68, 0xeb, 0xe3]];
        let sets = ParameterSets::among(Codec::H264, nals.into_iter());
        let told = sets.configuration(Codec::H264).unwrap();
        assert_eq!(told[..6], [1, 100, 0, 31, 0xff, 0xe1]);
        assert_eq!(told[told.len() - 4..], [0xfd, 0xf8, 0xf8, 0]);
    }

    #[test]
    fn no_more_sets_than_can_be_counted() {
        let sps: Vec<_> = (0..40).map(|id| vec![0x67, 66, 0, 31, id]).collect();
        let nals = sps.iter().map(Vec::as_slice).chain([&[0x68, 0xeb, 0xe3][..]]);
        let sets = ParameterSets::among(Codec::H264, nals);
        assert_eq!((sets.sps.len(), sets.configuration(Codec::H264).unwrap()[5]), (31, 0xe0 | 31));
        // eight layers of time
        let nals = [
            &[0x42, 1, 0x0f, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x5d, 0xff, 0xff, 0xff, 0xff][..],
            &[0x44, 1, 0xc0],
        ];
        assert_eq!(ParameterSets::among(Codec::H265, nals.into_iter()).configuration(Codec::H265), None);
    }

    #[test]
    fn what_is_missing_or_cut_off() {
        assert_eq!(ParameterSets::default().configuration(Codec::H264), None);
        let nals = [&[0x42, 1, 1][..], &[0x44, 1, 0xc0]];
        assert_eq!(ParameterSets::among(Codec::H265, nals.into_iter()).configuration(Codec::H265), None);
        assert_eq!(without_emulation(&[1, 0, 0, 3, 0, 0, 3, 1]), [1, 0, 0, 0, 0, 1]);
    }
}
