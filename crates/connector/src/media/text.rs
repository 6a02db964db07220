//! Reads a line of text off a picture: ffmpeg cuts it out and prepares it, tesseract reads it. Both run confined.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{MediaError, Reach, command, disk_error, facts, ffmpeg, file_url, run};
use crate::burned::Place;

/// As high the line is made, in pixels: what tesseract knows best are letters of about half of it.
const HEIGHT: u32 = 64;
/// Bright letters are told from what is behind them by these least values of their darkest colour.
const BRIGHT: [u8; 3] = [170, 200, 225];
/// Dark letters by these largest values of their brightest colour.
const DARK: [u8; 3] = [95, 55, 30];
/// Each picture is prepared in so many ways.
pub const WAYS: usize = 2 + BRIGHT.len() + DARK.len();
/// ffmpeg and tesseract are given so long each.
const LIMIT: Duration = Duration::from_secs(30);

/// What stands in a rectangle of a JPEG, as it is read in [`WAYS`] ways: letters that are white, or black, whatever moves behind them.
/// Nothing but `characters` is found. The outer error is of ffmpeg or of the picture, the inner one of tesseract.
pub async fn texts(jpeg: &[u8], place: Place, characters: &str) -> Result<Result<Vec<String>, MediaError>, MediaError> {
    let folder = tempfile::tempdir().map_err(disk_error)?;
    let picture = folder.path().join("picture.jpg");
    tokio::fs::write(&picture, jpeg).await.map_err(disk_error)?;
    let (_, width, height) = facts(&picture).await?.video;
    let Place { x, y, width: wide, height: high } = place;
    if i64::from(x + wide) > width || i64::from(y + high) > height {
        return Err(MediaError::Refused(format!("the box reaches beyond the picture, which is {width} x {height}")));
    }
    let lines = folder.path().join("lines");
    tokio::fs::create_dir(&lines).await.map_err(disk_error)?;
    let (from, filter) = (file_url(&picture), prepared(place));
    let arguments = ["-i", &from, "-filter_complex", &filter, "-fps_mode", "passthrough", "-f", "image2"];
    ffmpeg(&arguments, &[&picture], &lines.join("%d.png"), LIMIT).await?;
    Ok(read(&lines, characters).await)
}

/// ffmpeg's filters: the rectangle once for each way, each as a picture of its own. Text is told from a coloured background by its
/// darkest colour if it is white, and by its brightest if it is black.
fn prepared(Place { x, y, width, height }: Place) -> String {
    use std::fmt::Write;
    let mut filter = format!(
        "[0:v]crop={width}:{height}:{x}:{y}:exact=1,scale=-2:{HEIGHT}:flags=bicubic,format=gbrp,split=2[light][dark];"
    );
    let mut all = String::new();
    for (name, mode, limits, test) in [("light", "darken", BRIGHT, "gt"), ("dark", "lighten", DARK, "lt")] {
        let _ = write!(
            filter,
            "[{name}]extractplanes=r+g+b[{name}r][{name}g][{name}b];[{name}r][{name}g]blend=all_mode={mode}[{name}rg];\
             [{name}rg][{name}b]blend=all_mode={mode},split=4[{name}0][{name}1][{name}2][{name}3];"
        );
        let _ = write!(all, "[{name}0]");
        for (limit, n) in limits.iter().zip(1..) {
            let _ = write!(filter, "[{name}{n}]lut=y='if({test}(val,{limit}),0,255)'[{name}{n}cut];");
            let _ = write!(all, "[{name}{n}cut]");
        }
    }
    filter + &format!("{all}concat=n={WAYS}:v=1,pad=iw+40:ih+40:20:20:white")
}

/// What tesseract reads in the pictures of a folder, all of them in one run.
async fn read(folder: &Path, characters: &str) -> Result<Vec<String>, MediaError> {
    let names: Vec<PathBuf> = (1..=WAYS).map(|n| folder.join(format!("{n}.png"))).collect();
    let list = folder.join("list");
    let text: Vec<_> = names.iter().map(|name| name.display().to_string()).collect();
    tokio::fs::write(&list, text.join("\n")).await.map_err(disk_error)?;
    let mut command = command("tesseract", &Reach { read: &[folder], write: None }, LIMIT);
    command.arg(super::absolute(&list)).args(["stdout", "-l", "eng", "--psm", "7", "--oem", "1", "--dpi", "150"]);
    command.arg("-c").arg(format!("tessedit_char_whitelist={characters} "));
    let out = run("tesseract", &mut command, LIMIT).await?.out;
    let pages = String::from_utf8_lossy(&out);
    Ok(pages.split('\u{c}').take(WAYS).map(|page| page.trim().to_owned()).collect())
}
