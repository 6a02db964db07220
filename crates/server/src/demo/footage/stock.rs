//! The encoded pieces that pictures are put together from.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::encode::{self, Letters, Picture};
use super::h264::{self, Format, Place, Slice};
use super::scene::{self, View};
use super::{COLUMNS, HEIGHT, LOOP_SECONDS, RATE, SCENE_ROWS, WIDTH};

/// A camera of a recorder.
#[derive(Clone, Debug)]
pub struct Camera {
    /// Its folder, and its id in the recorder.
    pub device: String,
    /// Its name, as burned into the picture.
    pub name: String,
    /// What it looks at.
    pub view: View,
}

/// A piece with its length before it, as an MP4 file holds it.
type Unit = Vec<u8>;

/// Quantisers: digits must stay readable, scenes may be soft.
const TEXT: u32 = 26;
const SCENE: u32 = 30;

/// What stands in both rows of the clock, from left to right: what changes each minute, what
/// changes in each picture, and the rest.
const MINUTE: Run = Run { start: 0, columns: 18 };
const TENTH: Run = Run { start: 18, columns: 4 };
const REST: Run = Run { start: 22, columns: COLUMNS - 22 };

struct Run {
    start: u32,
    columns: u32,
}

impl Run {
    fn place(&self, row: u32, picture: u32) -> Place {
        Place { macroblock: (SCENE_ROWS + row) * COLUMNS + self.start, picture }
    }

    fn unit(&self, slice: &Slice, row: u32, picture: u32) -> Unit {
        with_length(&slice.unit(self.place(row, picture)))
    }
}

/// The pieces of the clock, the same for every camera.
pub(super) struct Clock {
    letters: Letters,
    /// By minute since 1970: its text in both rows, for key frames.
    minutes: BTreeMap<i64, [Unit; 2]>,
    /// By tenth of the minute, in both rows.
    tenths: Vec<[Unit; 2]>,
    /// What does not change, by picture of the second, in both rows.
    still: Vec<[[Unit; 2]; 2]>,
}

impl Clock {
    pub(super) fn new() -> Result<Self> {
        let letters = Letters::draw()?;
        let texts: Vec<String> = (0..60 * RATE).map(|n| format!("{:02}.{}", n / RATE, n % RATE)).collect();
        let tenths = write(&letters, &texts, TENTH.columns)?
            .into_iter()
            .zip(0..)
            .map(|(slices, n)| [0, 1].map(|row: u32| TENTH.unit(&slices[row as usize], row, n % RATE)))
            .collect();
        let rest = write(&letters, &[" UTC".to_owned()], REST.columns)?.remove(0);
        let still = (0..RATE)
            .map(|picture| {
                [0, 1].map(|row: u32| {
                    let rest = if picture == 0 { rest[row as usize].clone() } else { Slice::unchanged(REST.columns) };
                    [MINUTE.unit(&Slice::unchanged(MINUTE.columns), row, picture), REST.unit(&rest, row, picture)]
                })
            })
            .collect();
        Ok(Self { letters, minutes: BTreeMap::new(), tenths, still })
    }

    /// Makes sure of the texts of these minutes since 1970.
    pub(super) fn prepare(&mut self, minutes: std::ops::RangeInclusive<i64>) -> Result<()> {
        let missing: Vec<i64> = minutes.filter(|minute| !self.minutes.contains_key(minute)).collect();
        let texts = missing.iter().map(|&minute| minute_text(minute)).collect::<Result<Vec<_>>>()?;
        for (minute, slices) in missing.into_iter().zip(write(&self.letters, &texts, MINUTE.columns)?) {
            self.minutes.insert(minute, [0, 1].map(|row: u32| MINUTE.unit(&slices[row as usize], row, 0)));
        }
        Ok(())
    }

    /// Forgets the texts of minutes before this one.
    pub(super) fn forget_before(&mut self, minute: i64) {
        self.minutes = self.minutes.split_off(&minute);
    }
}

fn minute_text(minute: i64) -> Result<String> {
    let time = jiff::Timestamp::from_second(minute * 60)?;
    Ok(format!(" {}", time.strftime("%Y-%m-%d %H:%M:")))
}

/// Encodes texts, each by itself, as their upper and lower halves.
fn write(letters: &Letters, texts: &[String], columns: u32) -> Result<Vec<[Slice; 2]>> {
    let pictures: Vec<Picture> = texts.iter().flat_map(|text| letters.write(text, columns)).collect();
    let slices = encode::encode(&pictures, true, TEXT, None)?;
    Ok(slices.chunks_exact(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect())
}

/// What one camera sees, over and over.
pub(super) struct Scene(Vec<Unit>);

impl Scene {
    pub(super) fn new(camera: &Camera) -> Result<Self> {
        let seed = camera.device.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let slices = encode::encode(&scene::pictures(camera.view, seed), false, SCENE, Some(&camera.name))?;
        Ok(Self(
            slices
                .iter()
                .zip(0..)
                .map(|(slice, n)| with_length(&slice.unit(Place { macroblock: 0, picture: n % RATE })))
                .collect(),
        ))
    }

    /// The pictures of one second since 1970.
    pub(super) fn second(&self, clock: &Clock, second: i64) -> Result<Vec<Vec<u8>>> {
        let minute = clock.minutes.get(&second.div_euclid(60)).context("the clock was not prepared for this minute")?;
        let first = second.rem_euclid(LOOP_SECONDS) as usize * RATE as usize;
        let tenth = second.rem_euclid(60) as usize * RATE as usize;
        Ok((0..RATE as usize)
            .map(|n| {
                let mut picture = self.0[first + n].clone();
                for ((still, minute), tenth) in clock.still[n].iter().zip(minute).zip(&clock.tenths[tenth + n]) {
                    let [left, right] = still;
                    picture.extend(if n == 0 { minute } else { left });
                    picture.extend(tenth);
                    picture.extend(right);
                }
                picture
            })
            .collect())
    }
}

fn with_length(unit: &[u8]) -> Unit {
    let mut out = Vec::with_capacity(unit.len() + 4);
    out.extend((unit.len() as u32).to_be_bytes());
    out.extend(unit);
    out
}

/// What every file of the recorders starts with.
pub(super) fn head() -> Vec<u8> {
    let format = Format { columns: WIDTH / 16, rows: HEIGHT / 16, rate: RATE };
    super::mp4::head(&h264::sequence_parameters(&format), &h264::picture_parameters())
}
