//! Writes the video files of the recorders: fragmented MP4, one fragment per key frame, so that a
//! file which is still growing can be read up to its last whole fragment.

use std::io::{self, Read, Seek, SeekFrom};

use super::{HEIGHT, RATE, WIDTH};

/// Ticks of the file's clock per second.
const TICKS: u32 = 90_000;

/// What a file starts with: the format of what follows, and nothing of it.
pub(super) fn head(sequence: &[u8], picture: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, b"ftyp", |out| {
        out.extend(b"isom");
        word(out, 512);
        out.extend(b"isomiso5avc1mp41");
    });
    put(&mut out, b"moov", |out| {
        put(out, b"mvhd", |out| {
            words(out, &[0, 0, 0, 1000, 0, 0x0001_0000, 0x0100_0000, 0, 0]);
            matrix(out);
            words(out, &[0, 0, 0, 0, 0, 0, 2]);
        });
        put(out, b"trak", |out| track(out, sequence, picture));
        put(out, b"mvex", |out| put(out, b"trex", |out| words(out, &[0, 1, 1, 0, 0, 0])));
    });
    out
}

fn track(out: &mut Vec<u8>, sequence: &[u8], picture: &[u8]) {
    put(out, b"tkhd", |out| {
        words(out, &[3, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        matrix(out);
        words(out, &[WIDTH << 16, HEIGHT << 16]);
    });
    put(out, b"mdia", |out| {
        put(out, b"mdhd", |out| words(out, &[0, 0, 0, TICKS, 0, 0x55C4_0000]));
        put(out, b"hdlr", |out| {
            words(out, &[0, 0]);
            out.extend(b"vide");
            words(out, &[0, 0, 0]);
            out.extend(b"camera\0");
        });
        put(out, b"minf", |out| {
            put(out, b"vmhd", |out| words(out, &[1, 0, 0]));
            put(out, b"dinf", |out| {
                put(out, b"dref", |out| {
                    words(out, &[0, 1]);
                    put(out, b"url ", |out| word(out, 1));
                });
            });
            put(out, b"stbl", |out| {
                put(out, b"stsd", |out| {
                    words(out, &[0, 1]);
                    put(out, b"avc1", |out| sample_entry(out, sequence, picture));
                });
                put(out, b"stts", |out| words(out, &[0, 0]));
                put(out, b"stsc", |out| words(out, &[0, 0]));
                put(out, b"stsz", |out| words(out, &[0, 0, 0]));
                put(out, b"stco", |out| words(out, &[0, 0]));
            });
        });
    });
}

fn sample_entry(out: &mut Vec<u8>, sequence: &[u8], picture: &[u8]) {
    words(out, &[0, 1, 0, 0, 0, 0, WIDTH << 16 | HEIGHT, 0x0048_0000, 0x0048_0000, 0, 1 << 16]);
    out.extend([0; 30]);
    words(out, &[0x0018_FFFF]);
    put(out, b"avcC", |out| {
        out.extend([1, sequence[1], sequence[2], sequence[3], 0xFF, 0xE1]);
        for (i, set) in [sequence, picture].into_iter().enumerate() {
            if i == 1 {
                out.push(1);
            }
            out.extend((set.len() as u16).to_be_bytes());
            out.extend(set);
        }
    });
}

/// One fragment: pictures in order, the first of them a key frame.
pub(super) fn fragment(number: u32, pictures: &[Vec<u8>]) -> Vec<u8> {
    let length = TICKS / RATE;
    let mut out = Vec::with_capacity(pictures.iter().map(|p| p.len() + 16).sum::<usize>() + 160);
    let mut offset_at = 0;
    put(&mut out, b"moof", |out| {
        put(out, b"mfhd", |out| words(out, &[0, number + 1]));
        put(out, b"traf", |out| {
            put(out, b"tfhd", |out| words(out, &[0x0002_0000, 1]));
            put(out, b"tfdt", |out| words(out, &[0, number * length * pictures.len() as u32]));
            put(out, b"trun", |out| {
                words(out, &[0x0000_0701, pictures.len() as u32]);
                offset_at = out.len();
                word(out, 0);
                for (i, picture) in pictures.iter().enumerate() {
                    let flags = if i == 0 { 0x0200_0000 } else { 0x0101_0000 };
                    words(out, &[length, picture.len() as u32, flags]);
                }
            });
        });
    });
    let data = out.len() as u32 + 8;
    out[offset_at..offset_at + 4].copy_from_slice(&data.to_be_bytes());
    put(&mut out, b"mdat", |out| pictures.iter().for_each(|picture| out.extend(picture)));
    out
}

/// How many whole fragments a file holds, and where the last of them ends; `None` when not even its
/// head is whole.
pub(super) fn fragments(file: &mut (impl Read + Seek)) -> io::Result<Option<(u32, u64)>> {
    let size = file.seek(SeekFrom::End(0))?;
    let (mut at, mut whole) = (0, None);
    while at + 8 <= size {
        file.seek(SeekFrom::Start(at))?;
        let mut header = [0; 8];
        file.read_exact(&mut header)?;
        let length = u64::from(u32::from_be_bytes([header[0], header[1], header[2], header[3]]));
        if length < 8 || at + length > size {
            break;
        }
        at += length;
        match &header[4..] {
            b"moov" => whole = Some((0, at)),
            b"mdat" => whole = whole.map(|(count, _)| (count + 1, at)),
            _ => {}
        }
    }
    Ok(whole)
}

fn word(out: &mut Vec<u8>, value: u32) {
    out.extend(value.to_be_bytes());
}

fn words(out: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|&value| word(out, value));
}

fn matrix(out: &mut Vec<u8>) {
    words(out, &[0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000]);
}

fn put(out: &mut Vec<u8>, kind: &[u8; 4], body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    word(out, 0);
    out.extend(kind);
    body(out);
    let length = (out.len() - start) as u32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}
