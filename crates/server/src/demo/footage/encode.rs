//! Has ffmpeg draw letters and encode pictures.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::RATE;
use super::h264::{self, Slice};
use super::scene::{self, View};

/// The font of everything that is burned in; of the package `fonts-dejavu-core`.
pub const FONT: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf";

/// A picture in the colours of video: brightness, then both colour differences at half the size.
#[derive(Clone)]
pub(super) struct Picture {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) luma: Vec<u8>,
    pub(super) chroma: [Vec<u8>; 2],
}

/// Brightness and the two colour differences.
pub(super) type Colour = [u8; 3];

pub(super) const BLACK: Colour = [16, 128, 128];

impl Picture {
    pub(super) fn new(width: usize, height: usize, colour: Colour) -> Self {
        let small = width / 2 * (height / 2);
        Self {
            width,
            height,
            luma: vec![colour[0]; width * height],
            chroma: [vec![colour[1]; small], vec![colour[2]; small]],
        }
    }

    fn write(&self, to: &mut impl Write) -> std::io::Result<()> {
        to.write_all(&self.luma)?;
        self.chroma.iter().try_for_each(|plane| to.write_all(plane))
    }

    /// Fills a rectangle; what lies outside the picture is left out.
    pub(super) fn fill(&mut self, x: i32, y: i32, width: i32, height: i32, colour: Colour) {
        let clip = |start: i32, length: i32, size: usize| {
            let size = size as i32;
            (start.clamp(0, size) as usize, (start + length).clamp(0, size) as usize)
        };
        let ((left, right), (top, bottom)) = (clip(x, width, self.width), clip(y, height, self.height));
        for row in top..bottom {
            self.luma[row * self.width..][left..right].fill(colour[0]);
        }
        let half = self.width / 2;
        for (plane, value) in self.chroma.iter_mut().zip([colour[1], colour[2]]) {
            for row in top / 2..bottom.div_ceil(2).min(self.height / 2) {
                plane[row * half..][left / 2..right.div_ceil(2).min(half)].fill(value);
            }
        }
    }
}

/// Encodes pictures as one slice each: every picture by itself, or with a key frame every second.
pub(super) fn encode(pictures: &[Picture], alone: bool, quantiser: u32, label: Option<&str>) -> Result<Vec<Slice>> {
    let Some(first) = pictures.first() else { return Ok(Vec::new()) };
    let size = format!("{}x{}", first.width, first.height);
    let rate = RATE.to_string();
    let parameters = format!(
        "keyint={0}:min-keyint={0}:scenecut=0:no-deblock=1:bframes=0:ref=1:weightp=0:slices=1:threads=1:\
         cabac=0:8x8dct=0:qp={quantiser}:psy=0:aq-mode=0:merange=8:me=dia:subme=2:chroma-qp-offset=0",
        if alone { 1 } else { RATE }
    );
    let mut command = Command::new("ffmpeg");
    command.args([
        "-nostdin", "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", &size, "-r", &rate, "-i", "pipe:0",
    ]);
    if let Some(label) = label {
        command.args(["-vf", &format!("drawtext=fontfile={FONT}:fontsize=18:fontcolor=white:box=1:boxcolor=black@0.55:boxborderw=6:x=12:y=12:text='{}'", escape(label))]);
    }
    command.args([
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-profile:v",
        "baseline",
        "-x264-params",
        &parameters,
        "-f",
        "h264",
        "pipe:1",
    ]);
    let stream = run(command, |input| pictures.iter().try_for_each(|picture| picture.write(input)))?;
    let slices = h264::slices(&stream)?;
    ensure!(slices.len() == pictures.len(), "{} pictures became {} slices", pictures.len(), slices.len());
    Ok(slices)
}

/// Stills of what cameras look at, as JPEG.
pub(crate) fn stills(views: &[(View, u64)]) -> Result<Vec<Vec<u8>>> {
    let pictures: Vec<Picture> = views.iter().map(|&(view, seed)| scene::still(view, seed)).collect();
    let Some(first) = pictures.first() else { return Ok(Vec::new()) };
    let size = format!("{}x{}", first.width, first.height);
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", &size, "-i", "pipe:0"]);
    command.args(["-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", "5", "-f", "image2pipe", "pipe:1"]);
    let stream = run(command, |input| pictures.iter().try_for_each(|picture| picture.write(input)))?;
    // Each begins with its own marker, which occurs nowhere inside.
    let starts: Vec<usize> =
        (0..stream.len().saturating_sub(2)).filter(|&at| stream[at..].starts_with(&[0xFF, 0xD8, 0xFF])).collect();
    ensure!(starts.len() == pictures.len(), "{} pictures became {} stills", pictures.len(), starts.len());
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    Ok(starts.iter().zip(ends).map(|(&start, end)| stream[start..end].to_vec()).collect())
}

/// Makes a text safe inside the quotes of a drawtext filter.
fn escape(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '\'' | '\\' | ':' | '%') { ' ' } else { c }).collect()
}

fn run(
    mut command: Command,
    feed: impl FnOnce(&mut std::process::ChildStdin) -> std::io::Result<()> + Send,
) -> Result<Vec<u8>> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("ffmpeg does not start; the Debian package ffmpeg holds it")?;
    let mut input = child.stdin.take().context("no pipe to ffmpeg")?;
    let output = std::thread::scope(|scope| {
        // If ffmpeg ends early, its own message says more than the broken pipe.
        scope.spawn(move || drop(feed(&mut input)));
        child.wait_with_output()
    })?;
    if !output.status.success() {
        bail!("ffmpeg: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

/// Width of a character of the clock.
pub const CELL_WIDTH: usize = 16;
/// Height of a character of the clock.
pub const CELL_HEIGHT: usize = 32;
const LETTERS: &str = "0123456789-:.UTC";

/// The letters of the clock as brightness, 0 to 255.
pub struct Letters(Vec<u8>);

impl Letters {
    /// Has ffmpeg draw them.
    pub fn draw() -> Result<Self> {
        ensure!(
            std::path::Path::new(FONT).exists(),
            "the font {FONT} is missing; the Debian package fonts-dejavu-core holds it"
        );
        let filter = format!(
            "drawtext=fontfile={FONT}:fontsize=26:fontcolor=white:x=0:y=26-max_glyph_a:text='{}'",
            LETTERS.replace(':', "\\:")
        );
        let source = format!("color=black:s={}x{CELL_HEIGHT}:d=1:r=1", LETTERS.len() * CELL_WIDTH);
        let mut command = Command::new("ffmpeg");
        command.args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            &source,
            "-vf",
            &filter,
            "-frames:v",
            "1",
            "-pix_fmt",
            "gray",
            "-f",
            "rawvideo",
            "pipe:1",
        ]);
        let pixels = run(command, |_| Ok(()))?;
        ensure!(pixels.len() == LETTERS.len() * CELL_WIDTH * CELL_HEIGHT, "ffmpeg drew {} bytes", pixels.len());
        Ok(Self(pixels))
    }

    /// The rows of one letter; `None` for what the clock never shows, a space among them.
    pub fn rows(&self, letter: char) -> Option<impl Iterator<Item = &[u8]>> {
        let at = LETTERS.find(letter)?;
        let width = LETTERS.len() * CELL_WIDTH;
        Some((0..CELL_HEIGHT).map(move |row| &self.0[row * width + at * CELL_WIDTH..][..CELL_WIDTH]))
    }

    /// A text of letters and spaces, so many macroblocks wide, as its upper and its lower half.
    pub(super) fn write(&self, text: &str, columns: u32) -> [Picture; 2] {
        let width = columns as usize * 16;
        [0, 1].map(|half| {
            let mut picture = Picture::new(width, 16, BLACK);
            for (i, letter) in text.chars().enumerate() {
                let Some(rows) = self.rows(letter) else { continue };
                for (y, row) in rows.skip(half * 16).take(16).enumerate() {
                    for (x, &bright) in row.iter().enumerate() {
                        picture.luma[y * width + i * CELL_WIDTH + x] = 16 + (u32::from(bright) * 219 / 255) as u8;
                    }
                }
            }
            picture
        })
    }
}
