//! Pictures that tell when they were taken, to the tenth of a second, as 64 black or white squares: footage is judged by what is
//! in it and not by what is said of it.

use std::path::Path;
use std::process::Command;

use domain::Timestamp;

/// Frames in a second.
pub(crate) const RATE: i64 = 10;
/// Pixels in a row, and rows.
pub(crate) const WIDTH: usize = 8 * SIDE;
const SIDE: usize = 16;

/// A picture of this time, in tenths of a second since 1970: a byte for each pixel.
pub(crate) fn picture(time: i64) -> Vec<u8> {
    let lit = |row: usize, column: usize| time >> (row / SIDE * 8 + column / SIDE) & 1 == 1;
    let pixel = |index: usize| if lit(index / WIDTH, index % WIDTH) { 235 } else { 16 };
    (0..WIDTH * WIDTH).map(pixel).collect()
}

/// When the frames of a file were taken, by what is in their pictures; in the order in which they are shown.
pub(crate) fn times(file: &Path) -> Vec<Timestamp> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.chunks_exact(WIDTH * WIDTH).map(time_of).collect()
}

fn time_of(picture: &[u8]) -> Timestamp {
    let middle = |bit: usize| picture[(bit / 8 * SIDE + SIDE / 2) * WIDTH + bit % 8 * SIDE + SIDE / 2] > 125;
    let time = (0..64).filter(|bit| middle(*bit)).fold(0_i64, |time, bit| time | 1 << bit);
    Timestamp::from_micros(time * (1_000_000 / RATE))
}
