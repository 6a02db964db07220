//! Finds the files whose names fit the pattern. Only names are read here; nothing is opened.

use std::path::{Path, PathBuf};

use domain::Timestamp;
use jiff::tz::TimeZone;

use super::pattern::{Facts, Pattern};

/// `{path}` stands for so many folders at most, and one.
const DEEPEST: usize = 7;

/// A file whose name fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The camera that the name tells.
    pub(super) device_id: String,
    /// When it begins, by the recorder's clock.
    pub(super) begins: Timestamp,
    /// The other time that its name may mean, in an hour that the clock shows twice; none once it is told which.
    pub(super) or_begins: Option<Timestamp>,
    /// The path below the folder.
    pub(super) name: String,
    /// The whole path.
    pub(super) path: PathBuf,
}

/// What was found, and what was passed over.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// By camera and time.
    pub(super) found: Vec<Found>,
    /// A file whose name does not fit, to show to whoever wrote the pattern.
    pub(super) stranger: Option<String>,
    /// Links that lead out of the folder: not followed.
    pub(super) links_out: usize,
}

/// Where to look, and how names are read.
pub(super) struct Rule<'a> {
    /// The folder, without links in its path.
    pub(super) root: &'a Path,
    /// How names are read.
    pub(super) pattern: &'a Pattern,
    /// Of the times in names.
    pub(super) zone: &'a TimeZone,
    /// The camera of a pattern that names none.
    pub(super) only_camera: &'a str,
    /// Leave other cameras alone.
    pub(super) camera: Option<&'a str>,
}

/// Looks through the folder.
pub(super) fn scan(rule: &Rule<'_>) -> std::io::Result<Scan> {
    let mut scan = Scan::default();
    walk(rule, &mut scan, &Place { folder: rule.root, name: "", depth: 0, nested: 0, facts: &Facts::default() })?;
    scan.sort();
    Ok(scan)
}

impl Scan {
    /// By camera and time.
    pub(super) fn sort(&mut self) {
        self.found.sort_by(|a, b| (&a.device_id, a.begins, &a.name).cmp(&(&b.device_id, b.begins, &b.name)));
    }
}

/// A folder, and what is known of it.
struct Place<'a> {
    folder: &'a Path,
    /// The path below the root.
    name: &'a str,
    /// The part of the pattern that names what is in it.
    depth: usize,
    /// So many folders were read by that part already.
    nested: usize,
    facts: &'a Facts,
}

fn walk(rule: &Rule<'_>, scan: &mut Scan, place: &Place<'_>) -> std::io::Result<()> {
    let Place { folder, name: below, depth, nested, facts } = *place;
    let last = depth + 1 == rule.pattern.depth();
    for entry in std::fs::read_dir(folder)? {
        let Ok(entry) = entry else { continue };
        let Ok(file_name) = entry.file_name().into_string() else { continue };
        if file_name.chars().any(char::is_control) {
            continue; // would not survive a list of files
        }
        let Ok(mut kind) = entry.file_type() else { continue };
        let path = entry.path();
        let linked = kind.is_symlink();
        if linked {
            let inside = std::fs::canonicalize(&path).is_ok_and(|target| target.starts_with(rule.root));
            let Ok(target) = std::fs::metadata(&path) else { continue };
            if !inside {
                scan.links_out += 1;
                continue;
            }
            kind = target.file_type();
        }
        let name = if below.is_empty() { file_name.clone() } else { format!("{below}/{file_name}") };
        let facts = rule.pattern.read(depth, &file_name, facts);
        let Some(facts) = facts.filter(|_| if last { kind.is_file() } else { kind.is_dir() }) else {
            if scan.stranger.is_none() {
                scan.stranger = Some(name);
            }
            continue;
        };
        let mut descend = |depth: usize, nested: usize| {
            // a folder that vanished meanwhile, or may not be read, is no reason to give up the others
            if let Err(error) = walk(rule, scan, &Place { folder: &path, name: &name, depth, nested, facts: &facts }) {
                tracing::warn!(folder = name, %error, "cannot be listed");
            }
        };
        // more folders may belong to the name; a link among them may lead in a circle
        let goes_on = rule.pattern.is_deep(depth) && nested < DEEPEST && !linked;
        if goes_on && rule.camera.is_none_or(|wanted| facts.lead_to(wanted)) {
            descend(depth, nested + 1);
        }
        if let (Some(wanted), Some(camera)) = (rule.camera, &facts.camera)
            && wanted != camera
        {
            continue;
        }
        if !last {
            descend(depth + 1, 0);
            continue;
        }
        let written = || jiff::Timestamp::try_from(std::fs::metadata(&path).ok()?.modified().ok()?).ok();
        let Some((begins, or_begins)) = facts.begins(rule.zone, written) else { continue };
        let device_id = facts.camera.unwrap_or_else(|| rule.only_camera.to_owned());
        scan.found.push(Found {
            device_id,
            begins: begins.into(),
            or_begins: or_begins.map(Timestamp::from),
            name,
            path,
        });
    }
    Ok(())
}
