//! Finds what is broken in a fragmented MP4. A reader goes from box to box and is lost at the first that is none, with all that
//! follows it; here the next whole fragment is looked for, and what lies before it can be covered by a box that readers skip.
//!
//! Boxes: ISO/IEC 14496-12, 4.2 and 8.8.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

/// The boxes that stand beside each other in a file; any other name is taken for damage.
const BESIDE: [&[u8; 4]; 15] = [
    b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"ssix", b"free", b"skip", b"mfra", b"emsg", b"prft",
    b"uuid", b"meta", b"wide",
];
/// A header with an index of fragments or of tracks is no longer.
const INDEX_AT_MOST: u64 = 8 << 20;
/// So much is looked through at once for the next fragment.
const LOOK: usize = 1 << 20;

/// What of a file is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Bytes that no reader should see, in order, each range at least as long as a box's header.
    pub bad: Vec<Range<u64>>,
    /// The pictures and sounds of all whole fragments but the first: not needed to know how long the recording is.
    pub bodies: Vec<Range<u64>>,
}

/// Looks through the first `size` bytes of a file. None if it is no fragmented MP4, if nothing of it is broken, or if its fragments do not
/// tell their times, so that they cannot stand on their own.
pub fn look(file: &mut (impl Read + Seek), size: u64) -> io::Result<Option<Broken>> {
    let mut walk = Walk { file, size, defaults: HashMap::new(), fragments: Vec::new(), bad: Vec::new() };
    if !walk.beginning()? {
        return Ok(None);
    }
    walk.all()?;
    walk.out_of_order();
    let Walk { fragments, mut bad, .. } = walk;
    let dated = fragments.iter().all(|fragment| fragment.tracks.iter().all(|track| track.begins.is_some()));
    if bad.is_empty() || fragments.is_empty() || !dated {
        return Ok(None);
    }
    bad.sort_by_key(|range| range.start);
    let bodies = fragments.iter().skip(1).map(|fragment| fragment.body..fragment.to).filter(|body| !body.is_empty());
    Ok(Some(Broken { bad, bodies: bodies.collect() }))
}

/// Copies the first `size` bytes of a file but for the ranges `left_out`, which stay holes, and covers what is bad.
pub fn copy(from: &Path, size: u64, into: &mut File, bad: &[Range<u64>], left_out: &[Range<u64>]) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut holes: Vec<_> = bad.iter().chain(left_out).cloned().collect();
    holes.sort_by_key(|range| range.start);
    let mut at = 0;
    holes.push(size..size);
    for hole in holes {
        source.seek(SeekFrom::Start(at))?;
        into.seek(SeekFrom::Start(at))?;
        io::copy(&mut (&mut source).take(hole.start - at), into)?;
        at = hole.end;
    }
    for range in bad {
        into.seek(SeekFrom::Start(range.start))?;
        into.write_all(&free(range.end - range.start))?;
    }
    into.set_len(size)
}

/// The header of a box without meaning.
fn free(long: u64) -> Vec<u8> {
    match u32::try_from(long) {
        Ok(long) => [&long.to_be_bytes()[..], b"free"].concat(),
        Err(_) => [&1_u32.to_be_bytes()[..], b"free", &long.to_be_bytes()].concat(),
    }
}

/// A box of the file.
struct Header {
    kind: [u8; 4],
    from: u64,
    body: u64,
    to: u64,
}

/// A `moof` with the `mdat` after it.
struct Fragment {
    from: u64,
    /// Where the samples' box has its body.
    body: u64,
    to: u64,
    /// Where the last sample ends; where the body begins, if that is not told.
    samples_end: u64,
    tracks: Vec<Track>,
}

/// A track's share of a fragment; times in the track's own unit.
struct Track {
    id: u32,
    begins: Option<u64>,
    lasts: u64,
}

/// What `trex` says of a track's samples where nothing else is said.
#[derive(Clone, Copy, Default)]
struct Defaults {
    duration: u32,
    size: u32,
}

struct Walk<'a, F> {
    file: &'a mut F,
    size: u64,
    defaults: HashMap<u32, Defaults>,
    fragments: Vec<Fragment>,
    bad: Vec<Range<u64>>,
}

impl<F: Read + Seek> Walk<'_, F> {
    /// Whether the file begins as a fragmented MP4 does.
    fn beginning(&mut self) -> io::Result<bool> {
        let mut at = 0;
        while let Some(header) = self.header(at)? {
            match &header.kind {
                b"moov" => {
                    let Some(moov) = self.index(&header)? else { return Ok(false) };
                    let Some(defaults) = defaults(&moov) else { return Ok(false) };
                    self.defaults = defaults;
                    return Ok(true);
                }
                b"moof" | b"mdat" => return Ok(false),
                _ => at = header.to,
            }
        }
        Ok(false)
    }

    fn all(&mut self) -> io::Result<()> {
        let mut at = 0;
        while at + 8 <= self.size {
            at = match self.header(at)? {
                Some(header) if &header.kind == b"moof" => match self.fragment(&header)? {
                    Some(fragment) => {
                        let to = fragment.to;
                        self.fragments.push(fragment);
                        to
                    }
                    None if self.cut_off(&header)? => return Ok(()),
                    None => self.resume(at, at + 8)?,
                },
                Some(header) => header.to,
                // it may be the box before that claims to be longer than it is
                None => self.resume(at, self.fragments.last().map_or(at, |last| last.samples_end))?,
            };
        }
        Ok(())
    }

    /// Whether the file simply ends before a fragment does, as that of a recorder which was switched off.
    fn cut_off(&mut self, moof: &Header) -> io::Result<bool> {
        if moof.to > self.size {
            return Ok(self.search(moof.from + 8)?.is_none());
        }
        let Some(mdat) = self.header(moof.to)? else { return Ok(moof.to + 8 > self.size) };
        Ok(&mdat.kind == b"mdat" && mdat.to > self.size && self.search(mdat.body)?.is_none())
    }

    /// Goes on at the next fragment after `from`; what is passed over is bad.
    fn resume(&mut self, bad_from: u64, from: u64) -> io::Result<u64> {
        let mut next = self.search(from)?;
        if next.is_some_and(|next| (bad_from..bad_from + 8).contains(&next)) {
            next = self.search(bad_from + 8)?; // there is no room to cover what lies before
        }
        let Some(next) = next else {
            self.bad.push(bad_from..self.size);
            return Ok(self.size);
        };
        // a fragment that claims to reach over the next one tells nothing true, and no more does a box behind it
        let begins = match self.fragments.pop_if(|last| next < last.to) {
            Some(last) => last.from,
            None => self.fragments.last().filter(|_| next < bad_from).map_or(bad_from, |last| last.to),
        };
        self.bad.push(begins..next);
        Ok(next)
    }

    /// Where the next whole fragment begins.
    fn search(&mut self, from: u64) -> io::Result<Option<u64>> {
        let mut at = from;
        let mut bytes = vec![0; LOOK];
        while at + 8 <= self.size {
            let read = self.read_at(at, &mut bytes)?;
            for found in memchr::memmem::find_iter(&bytes[..read], b"moof").filter(|found| *found >= 4) {
                let begins = at + found as u64 - 4;
                let header = self.header(begins)?.filter(|header| &header.kind == b"moof");
                if let Some(header) = header
                    && self.fragment(&header)?.is_some()
                {
                    return Ok(Some(begins));
                }
            }
            if read < 8 {
                break;
            }
            at += read as u64 - 7; // a name may lie across the end of what was read
        }
        Ok(None)
    }

    /// Fragments whose times do not follow those before them, or reach beyond those after them, are none.
    fn out_of_order(&mut self) {
        let mut index = 0;
        while index < self.fragments.len() {
            let (before, rest) = self.fragments.split_at(index);
            let (here, after) = (&rest[0], rest.get(1));
            if in_order(before.last(), here, after) {
                index += 1;
            } else {
                let fragment = self.fragments.remove(index);
                self.bad.push(fragment.from..fragment.to);
            }
        }
    }

    fn fragment(&mut self, moof: &Header) -> io::Result<Option<Fragment>> {
        let mut mfhd = [0; 8];
        if self.read_at(moof.body, &mut mfhd)? < 8 || mfhd != *b"\0\0\0\x10mfhd" {
            return Ok(None);
        }
        let Some(bytes) = self.index(moof)? else { return Ok(None) };
        let Some(mdat) = self.header(moof.to)? else { return Ok(None) };
        if &mdat.kind != b"mdat" || mdat.to > self.size {
            return Ok(None);
        }
        let Some((tracks, samples_end)) = tracks(&bytes, moof.from, &self.defaults) else { return Ok(None) };
        let samples_end = samples_end.unwrap_or(0).max(mdat.body);
        let fits = samples_end <= mdat.to;
        Ok(fits.then_some(Fragment { from: moof.from, body: mdat.body, to: mdat.to, samples_end, tracks }))
    }

    /// The body of a box that is an index.
    fn index(&mut self, header: &Header) -> io::Result<Option<Vec<u8>>> {
        let long = header.to - header.body;
        if long > INDEX_AT_MOST || header.to > self.size {
            return Ok(None);
        }
        let mut bytes = vec![0; long as usize];
        let read = self.read_at(header.body, &mut bytes)?;
        Ok((read == bytes.len()).then_some(bytes))
    }

    /// The box at a place; none if what stands there cannot be one.
    fn header(&mut self, at: u64) -> io::Result<Option<Header>> {
        let mut bytes = [0; 16];
        let read = self.read_at(at, &mut bytes)?;
        if read < 8 {
            return Ok(None);
        }
        let (size, kind) = (number(&bytes[..4]), [bytes[4], bytes[5], bytes[6], bytes[7]]);
        let (body, long) = match size {
            0 => (8, self.size - at),
            1 if read == 16 => (16, number(&bytes[8..])),
            _ => (8, size),
        };
        if !BESIDE.contains(&&kind) || long < body {
            return Ok(None);
        }
        Ok(at.checked_add(long).map(|to| Header { kind, from: at, body: at + body, to }))
    }

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let within = usize::try_from(self.size.saturating_sub(at)).unwrap_or(usize::MAX).min(bytes.len());
        self.file.seek(SeekFrom::Start(at))?;
        let mut read = 0;
        while read < within {
            match self.file.read(&mut bytes[read..within])? {
                0 => break,
                more => read += more,
            }
        }
        Ok(read)
    }
}

/// Whether a fragment's times fit between those beside it.
fn in_order(before: Option<&Fragment>, here: &Fragment, after: Option<&Fragment>) -> bool {
    here.tracks.iter().all(|track| {
        let of = |fragment: Option<&Fragment>| {
            fragment?.tracks.iter().find(|other| other.id == track.id).and_then(|other| other.begins)
        };
        let Some(begins) = track.begins else { return true };
        if let Some(next) = of(after)
            && of(before).is_none_or(|before| before < next)
        {
            // the last sample's length is a guess of the recorder's; twice too long is none
            return begins < next && track.lasts / 2 <= next - begins;
        }
        of(before).is_none_or(|before| before < begins)
    })
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// The boxes within a box; none if they do not fill it.
fn children(mut bytes: &[u8]) -> Option<Vec<([u8; 4], &[u8])>> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let (size, kind) = (bytes.get(..4)?, bytes.get(4..8)?);
        let size = usize::try_from(number(size)).ok()?;
        out.push((kind.try_into().ok()?, bytes.get(8..size)?));
        bytes = &bytes[size..];
    }
    Some(out)
}

/// What `moov` says of fragments; none if it does not announce any.
fn defaults(moov: &[u8]) -> Option<HashMap<u32, Defaults>> {
    let children_of = children(moov)?;
    let (_, mvex) = children_of.iter().find(|(kind, _)| kind == b"mvex")?;
    let trex = children(mvex)?.into_iter().filter(|(kind, _)| kind == b"trex");
    trex.map(|(_, body)| {
        let mut fields = Fields(body.get(4..)?);
        let (id, _, duration, size) = (fields.u32()?, fields.u32()?, fields.u32()?, fields.u32()?);
        Some((id, Defaults { duration, size }))
    })
    .collect()
}

/// The tracks of a `moof` and where its last sample ends; none if its boxes are no such boxes.
fn tracks(moof: &[u8], moof_from: u64, defaults: &HashMap<u32, Defaults>) -> Option<(Vec<Track>, Option<u64>)> {
    let mut out = Vec::new();
    let mut end = Some(moof_from);
    for (_, traf) in children(moof)?.into_iter().filter(|(kind, _)| kind == b"traf") {
        let boxes = children(traf)?;
        let of = |kind: &[u8; 4]| boxes.iter().find(|(other, _)| other == kind).map(|(_, body)| *body);
        let tfhd = Tfhd::read(of(b"tfhd")?, defaults)?;
        let begins = match of(b"tfdt") {
            Some(tfdt) => Some(number(tfdt.get(4..if tfdt.first()? == &1 { 12 } else { 8 })?)),
            None => None,
        };
        let mut track = Track { id: tfhd.id, begins, lasts: 0 };
        let base = tfhd.base.unwrap_or(moof_from);
        for (_, trun) in boxes.iter().filter(|(kind, _)| kind == b"trun") {
            let run = Run::read(trun, tfhd.defaults)?;
            track.lasts = track.lasts.checked_add(run.lasts)?;
            let ends = |offset: i32| base.checked_add_signed(offset.into())?.checked_add(run.bytes);
            // a run without a place of its own follows the one before
            end = match (run.offset, end) {
                (Some(offset), Some(end)) => Some(end.max(ends(offset)?)),
                (None, Some(end)) if end > moof_from => Some(end.checked_add(run.bytes)?),
                _ => None,
            };
        }
        out.push(track);
    }
    (!out.is_empty()).then_some((out, end))
}

/// `tfhd`, 8.8.7.
struct Tfhd {
    id: u32,
    base: Option<u64>,
    defaults: Defaults,
}

impl Tfhd {
    fn read(body: &[u8], defaults: &HashMap<u32, Defaults>) -> Option<Self> {
        let flags = number(body.get(1..4)?);
        let mut fields = Fields(&body[4..]);
        let id = fields.u32()?;
        let mut own = *defaults.get(&id)?;
        let base = if flags & 0x1 != 0 { Some(fields.u64()?) } else { None };
        if flags & 0x2 != 0 {
            fields.u32()?;
        }
        if flags & 0x8 != 0 {
            own.duration = fields.u32()?;
        }
        if flags & 0x10 != 0 {
            own.size = fields.u32()?;
        }
        Some(Self { id, base, defaults: own })
    }
}

/// `trun`, 8.8.8.
struct Run {
    offset: Option<i32>,
    lasts: u64,
    bytes: u64,
}

impl Run {
    fn read(body: &[u8], defaults: Defaults) -> Option<Self> {
        let flags = number(body.get(1..4)?);
        let mut fields = Fields(&body[4..]);
        let count = fields.u32()?;
        let offset = if flags & 0x1 != 0 { Some(fields.u32()?.cast_signed()) } else { None };
        if flags & 0x4 != 0 {
            fields.u32()?;
        }
        let each = 4 * (flags >> 8 & 0xf).count_ones() as usize;
        if (count as usize).checked_mul(each)? != fields.0.len() {
            return None;
        }
        if each == 0 {
            let (lasts, bytes) =
                (u64::from(count) * u64::from(defaults.duration), u64::from(count) * u64::from(defaults.size));
            return Some(Self { offset, lasts, bytes });
        }
        let (mut lasts, mut bytes) = (0, 0);
        for _ in 0..count {
            lasts += u64::from(if flags & 0x100 != 0 { fields.u32()? } else { defaults.duration });
            bytes += u64::from(if flags & 0x200 != 0 { fields.u32()? } else { defaults.size });
            for _ in 0..(flags >> 10 & 0x3).count_ones() {
                fields.u32()?;
            }
        }
        Some(Self { offset, lasts, bytes })
    }
}

/// Fields read one after the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn u32(&mut self) -> Option<u32> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*first))
    }

    fn u64(&mut self) -> Option<u64> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*first))
    }
}
