//! Takes H.264 pictures apart into slices, and puts slices together into other pictures.
//!
//! A slice is a run of macroblocks that decodes without looking at its neighbours. So the same
//! encoded digits can stand under any scene and the same scene above any time: half an hour of eight
//! cameras is a matter of copying bytes, while every picture still carries its own time.
//! What is taken apart must be constrained baseline (CAVLC, no B pictures), one slice a picture, one
//! reference, no deblocking, and must not move across its lower edge; [`super::encode`] asks for that.

use anyhow::{Context, Result, bail, ensure};

/// Picture order, sizes and tools of every stream that is put together here.
pub(super) struct Format {
    /// Width in macroblocks of 16 pixels.
    pub(super) columns: u32,
    /// Height in macroblocks.
    pub(super) rows: u32,
    /// Pictures per second.
    pub(super) rate: u32,
}

/// How the macroblocks of a slice are predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// From themselves only.
    Intra,
    /// From the picture before.
    Inter,
}

/// The macroblocks of one slice, without the header that says where they stand.
#[derive(Clone, Debug)]
pub(super) struct Slice {
    kind: Kind,
    quantiser_delta: i32,
    data: Vec<u8>,
    bits: usize,
}

/// Where a slice stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Its first macroblock, in reading order.
    pub(super) macroblock: u32,
    /// Its picture's number since the last key frame; 0 is a key frame.
    pub(super) picture: u32,
}

impl Slice {
    /// So many macroblocks that stay as they were.
    pub(super) fn unchanged(macroblocks: u32) -> Self {
        let mut out = Writer::default();
        out.unsigned(macroblocks);
        Self { kind: Kind::Inter, quantiser_delta: 0, bits: out.bits, data: out.bytes }
    }

    /// The slice as a NAL unit, without start code or length.
    pub(super) fn unit(&self, place: Place) -> Vec<u8> {
        let key = place.picture == 0;
        let mut out = Writer::default();
        out.unsigned(place.macroblock);
        out.unsigned(if self.kind == Kind::Intra { 2 } else { 0 });
        out.unsigned(0); // picture parameter set
        out.put(place.picture, FRAME_NUMBER_BITS);
        if key {
            out.unsigned(0); // idr_pic_id: two key frames never follow each other directly
        }
        if self.kind == Kind::Inter {
            out.put(0b00, 2); // default number of references, not reordered
        }
        out.put(0, if key { 2 } else { 1 }); // no marking commands
        out.signed(self.quantiser_delta);
        out.unsigned(1); // no deblocking
        out.copy(&self.data, self.bits);
        out.finish();
        let mut unit = vec![if key { 0x65 } else { 0x41 }];
        protect(&out.bytes, &mut unit);
        unit
    }
}

const FRAME_NUMBER_BITS: u32 = 4;

/// The sequence parameter set of a stream of this format.
pub(super) fn sequence_parameters(format: &Format) -> Vec<u8> {
    let mut out = Writer::default();
    out.put(66, 8); // baseline
    out.put(0b1100_0000, 8); // constrained
    out.put(30, 8); // level 3
    out.unsigned(0);
    out.unsigned(FRAME_NUMBER_BITS - 4);
    out.unsigned(2); // pictures are shown in the order of coding
    out.unsigned(1); // one reference
    out.put(0, 1);
    out.unsigned(format.columns - 1);
    out.unsigned(format.rows - 1);
    out.put(0b110, 3); // frames only, direct 8x8, no cropping
    out.put(1, 1); // usability information follows
    out.put(0b0000, 4); // no aspect ratio, overscan, signal type, chroma location
    out.put(1, 1);
    out.put(1, 32);
    out.put(2 * format.rate, 32);
    out.put(1, 1); // fixed rate
    out.put(0b000, 3); // no buffering model, no picture structure
    out.put(0b11, 2); // bitstream restriction; vectors may cross edges
    for value in [0, 0, 10, 10, 0, 1] {
        out.unsigned(value); // … no reordering, one picture buffered
    }
    out.finish();
    let mut unit = vec![0x67];
    protect(&out.bytes, &mut unit);
    unit
}

/// The picture parameter set that every slice here refers to.
pub(super) fn picture_parameters() -> Vec<u8> {
    let mut out = Writer::default();
    for value in [0, 0] {
        out.unsigned(value);
    }
    out.put(0b00, 2); // CAVLC, no field order
    for value in [0, 0, 0] {
        out.unsigned(value); // one slice group, one reference
    }
    out.put(0b000, 3); // no weighting
    for value in [0, 0, 0] {
        out.signed(value); // quantiser 26, chroma as luma
    }
    out.put(0b100, 3); // slices say how they deblock
    out.finish();
    let mut unit = vec![0x68];
    protect(&out.bytes, &mut unit);
    unit
}

/// Takes a stream with start codes apart: the slice of each picture, in order.
pub(super) fn slices(stream: &[u8]) -> Result<Vec<Slice>> {
    let mut sequence = None;
    let mut picture = None;
    let mut found = Vec::new();
    for unit in units(stream) {
        let Some((&head, body)) = unit.split_first() else { continue };
        let payload = unprotect(body);
        let mut input = Reader { bytes: &payload, at: 0 };
        match head & 31 {
            7 => sequence = Some(Sequence::read(&mut input).context("sequence parameter set")?),
            8 => picture = Some(Picture::read(&mut input).context("picture parameter set")?),
            1 | 5 => {
                let (Some(sequence), Some(picture)) = (&sequence, &picture) else {
                    bail!("a slice before its parameter sets")
                };
                found.push(read_slice(&mut input, head, sequence, picture).context("slice")?);
            }
            _ => {}
        }
    }
    Ok(found)
}

struct Sequence {
    frame_number_bits: u32,
    order_bits: Option<u32>,
}

impl Sequence {
    fn read(input: &mut Reader<'_>) -> Result<Self> {
        let profile = input.take(8)?;
        ensure!(profile == 66, "profile {profile} is not baseline");
        input.take(16)?;
        input.unsigned()?;
        let frame_number_bits = input.unsigned()? + 4;
        let order_bits = match input.unsigned()? {
            0 => Some(input.unsigned()? + 4),
            2 => None,
            other => bail!("picture order type {other}"),
        };
        Ok(Self { frame_number_bits, order_bits })
    }
}

struct Picture {
    quantiser: i32,
}

impl Picture {
    fn read(input: &mut Reader<'_>) -> Result<Self> {
        input.unsigned()?;
        input.unsigned()?;
        ensure!(input.take(2)? == 0, "not CAVLC");
        ensure!(input.unsigned()? == 0, "slice groups");
        ensure!(input.unsigned()? == 0, "more than one reference");
        input.unsigned()?;
        ensure!(input.take(3)? == 0, "weighted prediction");
        let quantiser = input.signed()?;
        input.signed()?;
        ensure!(input.signed()? == 0, "another quantiser for chroma");
        ensure!(input.take(3)? == 0b100, "other slice headers");
        Ok(Self { quantiser })
    }
}

fn read_slice(input: &mut Reader<'_>, head: u8, sequence: &Sequence, picture: &Picture) -> Result<Slice> {
    let key = head & 31 == 5;
    ensure!(input.unsigned()? == 0, "more than one slice in a picture");
    let kind = match input.unsigned()? % 5 {
        0 => Kind::Inter,
        2 => Kind::Intra,
        other => bail!("slice type {other}"),
    };
    input.unsigned()?;
    input.take(sequence.frame_number_bits)?;
    if key {
        input.unsigned()?;
    }
    if let Some(bits) = sequence.order_bits {
        input.take(bits)?;
    }
    if kind == Kind::Inter {
        if input.take(1)? == 1 {
            ensure!(input.unsigned()? == 0, "more than one reference");
        }
        ensure!(input.take(1)? == 0, "reordered references");
    }
    if head & 0x60 != 0 {
        ensure!(input.take(if key { 2 } else { 1 })? == 0, "marking commands");
    }
    let quantiser_delta = picture.quantiser + input.signed()?;
    ensure!(input.unsigned()? == 1, "deblocking");
    let (data, bits) = input.rest()?;
    Ok(Slice { kind, quantiser_delta, data, bits })
}

/// The NAL units of a stream with start codes.
fn units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 3 <= stream.len() {
        if stream[at] == 0 && stream[at + 1] == 0 && stream[at + 2] == 1 {
            starts.push(at);
            at += 3;
        } else {
            at += 1;
        }
    }
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([stream.len()]).collect();
    starts.into_iter().zip(ends).map(move |(start, end)| {
        let mut unit = &stream[start + 3..end];
        while let Some((0, rest)) = unit.split_last() {
            unit = rest;
        }
        unit
    })
}

fn unprotect(unit: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

fn protect(payload: &[u8], out: &mut Vec<u8>) {
    let mut zeros = 0;
    for &byte in payload {
        if zeros >= 2 && byte <= 3 {
            out.push(3);
            zeros = 0;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, count: u32) -> Result<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8).context("cut short")?;
            value = (value << 1) | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Ok(value)
    }

    fn unsigned(&mut self) -> Result<u32> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            ensure!(zeros < 32, "number too large");
        }
        Ok((1 << zeros) - 1 + self.take(zeros)?)
    }

    fn signed(&mut self) -> Result<i32> {
        let code = i32::try_from(self.unsigned()?).context("number too large")?;
        Ok(if code % 2 == 0 { -(code / 2) } else { code / 2 + 1 })
    }

    /// What is left before the stop bit, moved to the start of a byte.
    fn rest(&self) -> Result<(Vec<u8>, usize)> {
        let last = self.bytes.iter().rposition(|&b| b != 0).context("no stop bit")?;
        let end = last * 8 + 7 - self.bytes[last].trailing_zeros() as usize;
        let bits = end.checked_sub(self.at).context("cut short")?;
        let shift = self.at % 8;
        let bytes = &self.bytes[self.at / 8..];
        let data = (0..bits.div_ceil(8))
            .map(|i| {
                let next = bytes.get(i + 1).copied().unwrap_or(0);
                ((u16::from(bytes[i]) << 8 | u16::from(next)) << shift >> 8) as u8
            })
            .collect();
        Ok((data, bits))
    }
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    bits: usize,
}

impl Writer {
    fn put(&mut self, value: u32, count: u32) {
        for i in (0..count).rev() {
            if self.bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if value >> i & 1 == 1 {
                self.bytes[self.bits / 8] |= 0x80 >> (self.bits % 8);
            }
            self.bits += 1;
        }
    }

    fn unsigned(&mut self, value: u32) {
        let length = 32 - (value + 1).leading_zeros();
        self.put(0, length - 1);
        self.put(value + 1, length);
    }

    fn signed(&mut self, value: i32) {
        self.unsigned(if value > 0 { 2 * value.unsigned_abs() - 1 } else { 2 * value.unsigned_abs() });
    }

    fn copy(&mut self, data: &[u8], bits: usize) {
        let shift = self.bits % 8;
        let whole = bits / 8;
        if shift == 0 {
            self.bytes.extend_from_slice(&data[..whole]);
        } else {
            for &byte in &data[..whole] {
                let last = self.bytes.len() - 1;
                self.bytes[last] |= byte >> shift;
                self.bytes.push(byte << (8 - shift));
            }
        }
        self.bits += whole * 8;
        if !bits.is_multiple_of(8) {
            self.put(u32::from(data[whole]) >> (8 - bits % 8), (bits % 8) as u32);
        }
    }

    /// The stop bit, and zeros up to the end of the byte.
    fn finish(&mut self) {
        self.put(1, 1);
        while !self.bits.is_multiple_of(8) {
            self.put(0, 1);
        }
    }
}
