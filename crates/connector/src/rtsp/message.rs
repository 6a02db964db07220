//! Messages of RTSP 1.0 (RFC 2326) and what is interleaved with them (10.12), cut out of what arrives.

use bytes::{Buf, Bytes, BytesMut};

use super::RtspError;

/// The longest head of a message, bytes.
const LONGEST_HEAD: usize = 16 << 10;
/// The longest body, bytes: an SDP takes a few hundred.
const LONGEST_BODY: usize = 256 << 10;

/// Something whole that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// The answer to a request.
    Answer(Answer),
    /// A packet of a channel.
    Data {
        /// Which: even for RTP, odd for RTCP, as SETUP agreed.
        channel: u8,
        /// The packet.
        packet: Bytes,
    },
    /// A request of the server's own; nothing that we must do.
    Request,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// As in HTTP.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// At most 256 KiB.
    pub body: Bytes,
}

impl Answer {
    /// The values of a header, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(told, _)| told.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(told, _)| told.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Which request it answers.
    pub fn cseq(&self) -> Option<u32> {
        self.header("CSeq")?.trim().parse().ok()
    }
}

/// Takes what is whole from the beginning of `arrived`; none while more must come.
pub fn take(arrived: &mut BytesMut) -> Result<Option<Incoming>, RtspError> {
    while matches!(arrived.first(), Some(b'\r' | b'\n')) {
        arrived.advance(1);
    }
    match arrived.first() {
        None => Ok(None),
        Some(b'$') => Ok(take_data(arrived)),
        Some(_) => take_message(arrived),
    }
}

fn take_data(arrived: &mut BytesMut) -> Option<Incoming> {
    let [_, channel, high, low] = *arrived.first_chunk::<4>()?;
    let long = usize::from(u16::from_be_bytes([high, low]));
    if arrived.len() < 4 + long {
        arrived.reserve(4 + long - arrived.len());
        return None;
    }
    arrived.advance(4);
    Some(Incoming::Data { channel, packet: arrived.split_to(long).freeze() })
}

fn take_message(arrived: &mut BytesMut) -> Result<Option<Incoming>, RtspError> {
    let within = &arrived[..arrived.len().min(LONGEST_HEAD)];
    let Some(end) = within.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if arrived.len() < LONGEST_HEAD { Ok(None) } else { Err(RtspError::form("a message without an end")) };
    };
    let head = std::str::from_utf8(&arrived[..end]).map_err(|_| RtspError::form("a message that is no text"))?;
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let header = |line: &str| line.split_once(':').map(|(n, v)| (n.trim().to_owned(), v.trim().to_owned()));
    let headers: Vec<_> = lines.filter_map(header).collect();
    let status = match first.strip_prefix("RTSP/1.0 ") {
        Some(status) => Some(status.get(..3).and_then(|status| status.parse::<u16>().ok())),
        None if first.ends_with(" RTSP/1.0") => None,
        None => return Err(RtspError::form("no RTSP")),
    };
    let mut answer = Answer { status: 0, headers, body: Bytes::new() };
    let long = answer.header("Content-Length").map_or(Ok(0), str::parse).unwrap_or(usize::MAX);
    if long > LONGEST_BODY {
        return Err(RtspError::form("a message that is too long"));
    }
    if arrived.len() < end + 4 + long {
        return Ok(None);
    }
    arrived.advance(end + 4);
    answer.body = arrived.split_to(long).freeze();
    match status {
        None => Ok(Some(Incoming::Request)),
        Some(Some(status)) => Ok(Some(Incoming::Answer(Answer { status, ..answer }))),
        Some(None) => Err(RtspError::form("an answer without a status")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_packets_in_any_pieces() {
        let stream = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 3\r\n\r\nabc$\x00\x00\x02xy\r\n\r\nGET_PARAMETER rtsp://a/ RTSP/1.0\r\nCSeq: 1\r\n\r\n";
        for step in 1..stream.len() {
            let (mut arrived, mut taken) = (BytesMut::new(), Vec::new());
            for piece in stream.chunks(step) {
                arrived.extend_from_slice(piece);
                while let Some(incoming) = take(&mut arrived).unwrap() {
                    taken.push(incoming);
                }
            }
            let [Incoming::Answer(answer), Incoming::Data { channel: 0, packet }, Incoming::Request] = &taken[..]
            else {
                panic!("{taken:?}")
            };
            assert_eq!(
                (answer.status, answer.cseq(), &answer.body[..], &packet[..]),
                (200, Some(2), &b"abc"[..], &b"xy"[..])
            );
        }
    }

    #[test]
    fn what_is_no_rtsp() {
        let spaces = vec![b' '; LONGEST_HEAD];
        let long = b"RTSP/1.0 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n";
        for bytes in [&b"HTTP/1.1 200 OK\r\n\r\n"[..], b"RTSP/1.0 x\r\n\r\n", b"\xff\r\n\r\n", &spaces, long] {
            assert!(take(&mut BytesMut::from(bytes)).is_err());
        }
    }
}
