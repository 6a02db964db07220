//! Uploads: files that arrive in parts, and what they are for.

use proof::Sha256Digest;

use crate::Timestamp;
use crate::id::{CaseId, EvidenceId, FileRequestId, RequestItemId, TaskId, UploadId};
use crate::text_enum::text_enum;

/// A file that arrives, or has arrived.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// What it is for.
    pub purpose: Purpose,
    /// Who sends it: the id of an account, a connector or a file request. Nobody else may continue it.
    pub owner: String,
    /// What the sender calls it.
    pub file_name: String,
    /// What the sender takes it for. Not believed.
    pub file_type: Option<String>,
    /// `Upload-Metadata` as it came.
    pub metadata: String,
    /// How long it is.
    pub length_bytes: u64,
    /// Where it stands.
    pub state: UploadState,
    /// The whole, once every byte was there: its digest, and the name under which it is kept.
    pub whole: Option<Whole>,
    /// What became of it.
    pub evidence_id: Option<EvidenceId>,
    /// When it is given up, if it is still open.
    pub expires_at: Timestamp,
    /// When it was announced.
    pub created_at: Timestamp,
}

/// What is known of an upload whose every byte arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Of every byte.
    pub sha256: Sha256Digest,
    /// The name in the store of bytes. Chosen before the file is moved there, so that a move cut short can be repeated.
    pub blob: String,
}

/// What an upload is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// A file that somebody adds to a case.
    Case(CaseId),
    /// An item's footage, added by hand.
    Item(RequestItemId),
    /// The answer to a file request.
    Link(FileRequestId),
    /// A connector's export.
    Task {
        /// The task.
        task: TaskId,
        /// Which lease of it.
        lease: i64,
    },
}

text_enum! {
    /// Where an upload stands.
    UploadState {
        /// Parts are still missing, or its end is not yet recorded.
        Open = "open",
        /// It has become evidence.
        Finished = "finished",
        /// Ended by its sender, or run out.
        Terminated = "terminated",
    }
}

impl Upload {
    /// Whether parts of it may still arrive.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.state == UploadState::Open && (now < self.expires_at || self.whole.is_some())
    }
}

/// Longest name of a file that is kept, in bytes.
const NAME_BYTES: usize = 200;
/// What is longer is no ending by which programs know a kind of file.
const ENDING_BYTES: usize = 16;

/// Whether this is a path as Windows writes one: from a drive, or from another machine. Elsewhere a backslash may be part of a name.
fn is_windows_path(told: &str) -> bool {
    let from_drive = matches!(told.as_bytes(), [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic());
    from_drive || told.starts_with("\\\\")
}

/// A sender's name for a file without what a path, a terminal or a header would trip over. Of a Windows path it is the end; else nothing of
/// it is dropped, and what separates folders somewhere becomes `_`.
pub fn file_name(told: Option<&str>) -> String {
    const SEPARATORS: [char; 2] = ['/', '\\'];
    let told = told.unwrap_or_default().trim();
    let last = if is_windows_path(told) { told.rsplit(SEPARATORS).next().unwrap_or_default() } else { told };
    let mut name: String = last
        .chars()
        .filter(|c| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .map(|c| if SEPARATORS.contains(&c) { '_' } else { c })
        .collect();
    if name.len() > NAME_BYTES {
        let ending = name.rfind('.').map_or(0, |dot| name.len() - dot);
        let ending = if ending <= ENDING_BYTES { name.split_off(name.len() - ending) } else { String::new() };
        name.truncate(name.floor_char_boundary(NAME_BYTES - ending.len()));
        name += &ending;
    }
    let name = name.trim().trim_start_matches('.');
    if name.is_empty() { "file".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_without_tricks() {
        for (told, kept) in [
            ("clip.mp4", "clip.mp4"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("gate/10:00/clip.mp4", "gate_10:00_clip.mp4"),
            (r"a\b.mp4", "a_b.mp4"),
            (r"evening\", "evening_"),
            (r"C:\Users\me\clip.mp4", "clip.mp4"),
            (r"d:/export\clip.mp4", "clip.mp4"),
            (r"\\recorder\share\clip.mp4", "clip.mp4"),
            (r"C:\", "file"),
            ("5:30 pm.mp4", "5:30 pm.mp4"),
            ("evil\u{202e}4pm.exe", "evil4pm.exe"),
            ("..", "file"),
            ("", "file"),
            (" \r\n", "file"),
            ("überwachung 5th & Main.mkv", "überwachung 5th & Main.mkv"),
        ] {
            assert_eq!(file_name(Some(told)), kept);
        }
        assert_eq!(file_name(None), "file");
        assert_eq!(file_name(Some(&"é".repeat(300))), "é".repeat(100));
        assert_eq!(file_name(Some(&format!("{}.mp4", "映".repeat(300)))), format!("{}.mp4", "映".repeat(65)));
        assert_eq!(file_name(Some(&format!("a.{}", "b".repeat(300)))).len(), NAME_BYTES);
    }
}
