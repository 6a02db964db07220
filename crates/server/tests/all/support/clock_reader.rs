//! Reads the clock that is burned into the demo's footage, out of the decoded pixels.

use std::path::Path;
use std::process::{Command, Stdio};

use domain::Timestamp;
use sightline_server::demo::footage::{CELL_HEIGHT, CELL_WIDTH, CLOCK_LEFT, CLOCK_TOP, Letters};

/// `2026-11-22 21:05:07.3 UTC`
const PATTERN: &str = "dddd-dd-dd dd:dd:dd.d UTC";

/// The time in every picture of a video file, in the order in which a player shows them.
pub(crate) fn times(file: &Path) -> Vec<Timestamp> {
    let width = PATTERN.len() * CELL_WIDTH;
    let crop = format!("crop={width}:{CELL_HEIGHT}:{CLOCK_LEFT}:{CLOCK_TOP}");
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(file)
        .args([
            "-map",
            "0:v:0",
            "-vf",
            &crop,
            "-fps_mode",
            "passthrough",
            "-pix_fmt",
            "gray",
            "-f",
            "rawvideo",
            "pipe:1",
        ])
        .stdin(Stdio::null())
        .output()
        .expect("ffmpeg starts");
    assert!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
    let letters = Letters::draw().expect("the letters are drawn");
    output
        .stdout
        .chunks_exact(width * CELL_HEIGHT)
        .enumerate()
        .map(|(n, pixels)| {
            let text =
                read(pixels, width, &letters).unwrap_or_else(|e| panic!("picture {n} of {}: {e}", file.display()));
            text.parse().unwrap_or_else(|_| panic!("picture {n} of {} shows {text}", file.display()))
        })
        .collect()
}

/// The text in one strip of pixels, as RFC 3339.
fn read(pixels: &[u8], width: usize, letters: &Letters) -> Result<String, String> {
    let mut text = String::new();
    for (cell, kind) in PATTERN.chars().enumerate() {
        let letter = match kind {
            'd' => digit(pixels, width, cell, letters)?,
            other => other,
        };
        text.push(letter);
    }
    Ok(text.replacen(' ', "T", 1).replace(" UTC", "Z"))
}

/// The digit that differs least from what is in the cell; the next best must differ clearly more.
fn digit(pixels: &[u8], width: usize, cell: usize, letters: &Letters) -> Result<char, String> {
    let mut differences: Vec<(f64, char)> = ('0'..='9')
        .map(|candidate| {
            let rows = letters.rows(candidate).expect("every digit is drawn");
            let sum: u32 = rows
                .enumerate()
                .flat_map(|(y, row)| {
                    row.iter().zip(&pixels[y * width + cell * CELL_WIDTH..]).map(|(&a, &b)| u32::from(a.abs_diff(b)))
                })
                .sum();
            (f64::from(sum) / (CELL_WIDTH * CELL_HEIGHT) as f64, candidate)
        })
        .collect();
    differences.sort_by(|a, b| a.0.total_cmp(&b.0));
    let [(best, letter), (second, _), ..] = differences[..] else { unreachable!("ten digits") };
    if best > 25.0 || second < 2.0 * best {
        return Err(format!("no clear digit in cell {cell}: {differences:?}"));
    }
    Ok(letter)
}
