//! A recorder: keeps the files of its cameras complete up to now, and removes what is too old.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use domain::{Timestamp, Window};

use super::SEGMENT_SECONDS;
use super::mp4;
use super::stock::{self, Camera, Clock, Scene};

/// A camera that records nothing for a while, again and again.
#[derive(Clone, Copy, Debug)]
pub struct Gap {
    /// Seconds from the start of one gap to the next, counted from 1970.
    pub every_seconds: i64,
    /// Seconds from there to the start of the gap.
    pub after_seconds: i64,
    /// Its length in seconds.
    pub seconds: i64,
}

impl Gap {
    fn holds(&self, second: i64) -> bool {
        (self.after_seconds..self.after_seconds + self.seconds).contains(&second.rem_euclid(self.every_seconds))
    }
}

/// How a recorder behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its cameras, each with the gap in its recordings, if any.
    pub cameras: Vec<(Camera, Option<Gap>)>,
    /// How long it keeps a file.
    pub retention: Duration,
    /// Seconds that its file names are wrong by. For tests of the tests.
    pub names_shifted_seconds: i64,
}

/// A folder with a folder for each camera.
pub struct Recorder {
    folder: PathBuf,
    settings: Settings,
    clock: Clock,
    scenes: Vec<Scene>,
    /// Whole seconds in the files that were last written, so that they are not read again each second.
    written: HashMap<PathBuf, u32>,
}

impl Recorder {
    /// Encodes what the pictures are put together from; takes a second or two.
    pub fn new(folder: &Path, settings: Settings) -> Result<Self> {
        let clock = Clock::new()?;
        let halves = settings.cameras.len().div_ceil(2).max(1);
        let scenes = std::thread::scope(|scope| {
            let workers: Vec<_> = settings
                .cameras
                .chunks(halves)
                .map(|cameras| {
                    scope
                        .spawn(move || cameras.iter().map(|(camera, _)| Scene::new(camera)).collect::<Result<Vec<_>>>())
                })
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().map_err(|_| anyhow::anyhow!("drawing a scene panicked"))?)
                .collect::<Result<Vec<_>>>()
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            settings,
            clock,
            scenes: scenes.into_iter().flatten().collect(),
            written: HashMap::new(),
        })
    }

    /// The spans of a window, cut to whole seconds, that this camera does not record.
    pub fn gaps(&self, device: &str, window: Window) -> Vec<Window> {
        let Some((_, Some(gap))) = self.settings.cameras.iter().find(|(camera, _)| camera.device == device) else {
            return Vec::new();
        };
        runs(seconds(window), |second| gap.holds(second))
            .into_iter()
            .map(|run| Window {
                from: Timestamp::from_micros(run.start * 1_000_000),
                to: Timestamp::from_micros(run.end * 1_000_000),
            })
            .collect()
    }

    /// Makes sure that every whole second of the window is on the disk, but for the gaps. What is
    /// there already stays; the newest comes first.
    pub fn record(&mut self, window: Window) -> Result<()> {
        let asked = seconds(window);
        if asked.is_empty() {
            return Ok(());
        }
        self.clock.prepare(asked.start.div_euclid(60)..=asked.end.div_euclid(60))?;
        let slots = asked.start.div_euclid(SEGMENT_SECONDS)..=(asked.end - 1).div_euclid(SEGMENT_SECONDS);
        for slot in slots.rev() {
            for camera in 0..self.settings.cameras.len() {
                let gap = self.settings.cameras[camera].1;
                let whole = slot * SEGMENT_SECONDS..(slot + 1) * SEGMENT_SECONDS;
                for run in runs(whole, |second| !gap.is_some_and(|gap| gap.holds(second))) {
                    let run = run.start..run.end.min(asked.end);
                    if run.start < run.end && run.end > asked.start {
                        self.complete(camera, run)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes one file whole: from its first second up to the end of the run.
    fn complete(&mut self, camera: usize, run: Range<i64>) -> Result<()> {
        let path = self.path(camera, run.start)?;
        let wanted = (run.end - run.start) as u32;
        let known = self.written.get(&path).copied();
        if known.is_some_and(|count| count >= wanted) {
            return Ok(());
        }
        if known.is_none() {
            fs::create_dir_all(path.parent().context("a camera's folder")?)?;
        }
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
        let mut out = Vec::new();
        let from = match mp4::fragments(&mut BufReader::new(&file))? {
            Some((count, _)) if count >= wanted => {
                self.written.insert(path, count);
                return Ok(());
            }
            // What a killed writer left half-done is cut off.
            Some((count, end)) => {
                file.set_len(end)?;
                count
            }
            None => {
                file.set_len(0)?;
                out = stock::head();
                0
            }
        };
        for number in from..wanted {
            let pictures = self.scenes[camera].second(&self.clock, run.start + i64::from(number))?;
            out.extend(mp4::fragment(number, &pictures));
        }
        file.seek(SeekFrom::End(0))?;
        file.write_all(&out)?;
        date(&file, run.end)?;
        self.written.insert(path, wanted);
        Ok(())
    }

    fn path(&self, camera: usize, second: i64) -> Result<PathBuf> {
        let time = jiff::Timestamp::from_second(second + self.settings.names_shifted_seconds)?;
        let name = time.strftime("%Y%m%dT%H%M%SZ.mp4").to_string();
        Ok(self.folder.join(&self.settings.cameras[camera].0.device).join(name))
    }

    /// Removes the files whose footage is older than the retention.
    pub fn prune(&mut self, now: Timestamp) -> Result<()> {
        let oldest = now.minus(self.settings.retention).as_micros().div_euclid(1_000_000);
        self.clock.forget_before(oldest.div_euclid(60));
        let keep = UNIX_EPOCH + Duration::from_secs(u64::try_from(oldest).unwrap_or(0));
        for (camera, _) in &self.settings.cameras {
            let Ok(entries) = fs::read_dir(self.folder.join(&camera.device)) else { continue };
            for entry in entries {
                let entry = entry?;
                if entry.metadata()?.modified()? < keep {
                    fs::remove_file(entry.path())?;
                    self.written.remove(&entry.path());
                }
            }
        }
        Ok(())
    }
}

/// Footage bears the date of its last picture, also when it was made later.
fn date(file: &File, second: i64) -> Result<()> {
    let time = UNIX_EPOCH + Duration::from_secs(u64::try_from(second).unwrap_or(0));
    Ok(file.set_modified(time.min(SystemTime::now()))?)
}

fn seconds(window: Window) -> Range<i64> {
    window.from.as_micros().div_euclid(1_000_000)..window.to.as_micros().div_euclid(1_000_000)
}

/// The longest runs of seconds for which something holds.
fn runs(seconds: Range<i64>, holds: impl Fn(i64) -> bool) -> Vec<Range<i64>> {
    let mut found: Vec<Range<i64>> = Vec::new();
    for second in seconds.filter(|&second| holds(second)) {
        match found.last_mut() {
            Some(run) if run.end == second => run.end += 1,
            _ => found.push(second..second + 1),
        }
    }
    found
}
