use std::convert::Infallible;
use std::time::Instant;

use domain::Timestamp;
use futures::stream;

use super::*;

fn id() -> UploadId {
    UploadId::new(Timestamp::from_micros(1_000_000), [7; 10])
}

fn staging(folder: &Path) -> Staging {
    Staging::new(folder.join("uploads"), Manner { idle: Duration::from_millis(200), durable_parts: false })
}

fn part(offset: u64, whole: u64) -> Part {
    Part { offset, announced: None, whole, checksum: None }
}

fn sha256(bytes: &[u8]) -> Checksum {
    Checksum::Sha256(Sha256Digest::of(bytes).0)
}

fn bytes(n: usize) -> Bytes {
    (0..n).map(|i| (i * 31 % 251) as u8).collect::<Vec<_>>().into()
}

/// The bytes in pieces of uneven length.
fn body(bytes: &Bytes) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + use<> {
    let mut pieces = Vec::new();
    let mut rest = bytes.clone();
    for n in (1..).map(|i: usize| i * 7919 % 65_537 + 1) {
        if rest.is_empty() {
            break;
        }
        pieces.push(Ok(rest.split_to(n.min(rest.len()))));
    }
    stream::iter(pieces)
}

/// The bytes, and then the connection breaks.
fn cut(bytes: &Bytes) -> impl Stream<Item = Result<Bytes, io::Error>> + Send + use<> {
    body(bytes).map(|piece| Ok(piece.unwrap())).chain(stream::iter([Err(io::ErrorKind::ConnectionReset.into())]))
}

/// The bytes, and then nothing at all.
fn stalled(bytes: &Bytes) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + use<> {
    body(bytes).chain(stream::pending())
}

#[tokio::test]
async fn parts_make_the_whole_and_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    let staging = staging(folder.path());
    let whole = bytes(3_000_000);
    let mut hold = staging.hold(&id()).await.unwrap();
    for (from, to) in [(0, 1), (1, 1_000_000), (1_000_000, 1_000_000), (1_000_000, 3_000_000)] {
        let received = hold.append(part(from as u64, 3_000_000), body(&whole.slice(from..to))).await.unwrap();
        assert_eq!(received, Received { offset: to as u64, ended: Ended::Whole });
    }
    let sealed = hold.seal().await.unwrap();
    assert_eq!(sealed.sha256, Sha256Digest::of(&whole));
    assert_eq!(std::fs::read(&sealed.path).unwrap(), whole);
    assert_eq!(staging.progress(&id()), Some(3_000_000));
    assert_eq!(staging.list().unwrap(), [id()]);
    hold.remove().await.unwrap();
    assert_eq!(staging.list().unwrap(), []);
}

#[tokio::test]
async fn a_restart_keeps_what_arrived_and_hashes_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let whole = bytes(2_000_000);
    let mut hold = staging(folder.path()).hold(&id()).await.unwrap();
    hold.append(part(0, 2_000_000), cut(&whole.slice(..1_234_567))).await.unwrap();
    let mut hold = staging(folder.path()).hold(&id()).await.unwrap();
    assert_eq!(hold.offset(), 1_234_567);
    hold.append(part(1_234_567, 2_000_000), body(&whole.slice(1_234_567..))).await.unwrap();
    assert_eq!(hold.seal().await.unwrap().sha256, Sha256Digest::of(&whole));
}

#[tokio::test]
async fn a_cut_or_stalled_connection_keeps_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let staging = staging(folder.path());
    let whole = bytes(500_000);
    let mut hold = staging.hold(&id()).await.unwrap();
    let received = hold.append(part(0, 500_000), cut(&whole.slice(..123_457))).await.unwrap();
    assert_eq!(received, Received { offset: 123_457, ended: Ended::Cut });
    let received = hold.append(part(123_457, 500_000), stalled(&whole.slice(123_457..123_458))).await.unwrap();
    assert_eq!(received, Received { offset: 123_458, ended: Ended::Idle });
    assert_eq!(std::fs::read(&hold.path).unwrap(), whole.slice(..123_458));
}

#[tokio::test]
async fn a_wrong_offset_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let staging = staging(folder.path());
    let mut hold = staging.hold(&id()).await.unwrap();
    hold.append(part(0, 10), body(&bytes(5))).await.unwrap();
    for wrong in [0, 4, 6, 10, 11] {
        assert!(matches!(hold.append(part(wrong, 10), body(&bytes(1))).await, Err(Refused::Offset(5))));
    }
    assert_eq!(std::fs::read(&hold.path).unwrap(), bytes(5));
}

#[tokio::test]
async fn a_body_longer_than_the_upload_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let staging = staging(folder.path());
    let whole = bytes(300_000);
    let mut hold = staging.hold(&id()).await.unwrap();
    hold.append(part(0, 200_000), body(&whole.slice(..100_000))).await.unwrap();
    let said = Part { announced: Some(100_001), ..part(100_000, 200_000) };
    assert!(matches!(hold.append(said, body(&bytes(1))).await, Err(Refused::TooLong)));
    assert!(matches!(
        hold.append(part(100_000, 200_000), body(&whole.slice(100_000..200_001))).await,
        Err(Refused::TooLong)
    ));
    assert_eq!(hold.offset(), 100_000);
    assert_eq!(std::fs::metadata(&hold.path).unwrap().len(), 100_000);
    hold.append(part(100_000, 200_000), body(&whole.slice(100_000..200_000))).await.unwrap();
    assert_eq!(hold.seal().await.unwrap().sha256, Sha256Digest::of(&whole[..200_000]));
}

#[tokio::test]
async fn a_part_with_a_checksum_counts_only_when_it_matches() {
    let folder = tempfile::tempdir().unwrap();
    let staging = staging(folder.path());
    let whole = bytes(200_000);
    let (first, second) = (whole.slice(..120_000), whole.slice(120_000..));
    let mut hold = staging.hold(&id()).await.unwrap();
    hold.append(part(0, 200_000), body(&first)).await.unwrap();
    let checked = |bytes: &[u8]| Part { checksum: Some(sha256(bytes)), ..part(120_000, 200_000) };
    assert!(matches!(hold.append(checked(b"other"), body(&second)).await, Err(Refused::Checksum)));
    assert_eq!((hold.offset(), std::fs::metadata(&hold.path).unwrap().len()), (120_000, 120_000));
    // Cut in the middle there is nothing to compare.
    let received = hold.append(checked(&second), cut(&second.slice(..50))).await.unwrap();
    assert_eq!(received, Received { offset: 120_000, ended: Ended::Cut });
    hold.append(checked(&second), body(&second)).await.unwrap();
    assert_eq!(hold.seal().await.unwrap().sha256, Sha256Digest::of(&whole));
    let sha1 = [
        0x2a, 0xae, 0x6c, 0x35, 0xc9, 0x4f, 0xcf, 0xb4, 0x15, 0xdb, 0xe9, 0x5f, 0x40, 0x8b, 0x9c, 0xe9, 0x1e, 0xe8,
        0x46, 0xed,
    ];
    staging_of_hello(&staging, Checksum::Sha1(sha1), hold).await;
}

/// The example of the protocol's text.
async fn staging_of_hello(staging: &Staging, sha1: Checksum, mut before: Hold) {
    before.remove().await.unwrap();
    drop(before);
    let mut hold = staging.hold(&id()).await.unwrap();
    let hello = Bytes::from_static(b"hello world");
    hold.append(Part { checksum: Some(sha1), ..part(0, 11) }, body(&hello)).await.unwrap();
    assert_eq!(hold.offset(), 11);
}

#[tokio::test]
async fn a_server_that_dies_before_comparing_forgets_the_part() {
    let folder = tempfile::tempdir().unwrap();
    let whole = bytes(1000);
    let mut hold = staging(folder.path()).hold(&id()).await.unwrap();
    hold.append(part(0, 1000), body(&whole.slice(..400))).await.unwrap();
    write_marker(&hold.path, 400).await.unwrap();
    std::fs::write(&hold.path, &whole[..900]).unwrap();
    let mut hold = staging(folder.path()).hold(&id()).await.unwrap();
    assert_eq!(hold.offset(), 400);
    hold.append(part(400, 1000), body(&whole.slice(400..))).await.unwrap();
    assert_eq!(hold.seal().await.unwrap().sha256, Sha256Digest::of(&whole));
}

#[tokio::test]
async fn a_new_request_ends_the_one_that_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let manner = Manner { idle: Duration::from_secs(60), durable_parts: true };
    let staging = Staging::new(folder.path().join("uploads"), manner);
    let whole = bytes(100_000);
    let mut hold = staging.hold(&id()).await.unwrap();
    let hanging = stalled(&whole.slice(..60_000));
    let first = tokio::spawn(async move { hold.append(part(0, 100_000), hanging).await });
    while staging.progress(&id()) != Some(60_000) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let asked = Instant::now();
    let mut hold = staging.hold(&id()).await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(10));
    assert_eq!(first.await.unwrap().unwrap(), Received { offset: 60_000, ended: Ended::TakenOver });
    hold.append(part(60_000, 100_000), body(&whole.slice(60_000..))).await.unwrap();
    assert_eq!(hold.seal().await.unwrap().sha256, Sha256Digest::of(&whole));
}

#[tokio::test]
async fn a_file_that_somebody_else_changed_is_not_continued() {
    let folder = tempfile::tempdir().unwrap();
    let staging = staging(folder.path());
    let mut hold = staging.hold(&id()).await.unwrap();
    hold.append(part(0, 10), body(&bytes(5))).await.unwrap();
    std::fs::write(&hold.path, b"12345678").unwrap();
    assert!(matches!(hold.append(part(5, 10), body(&bytes(5))).await, Err(Refused::Disk(_))));
}

#[tokio::test]
async fn an_empty_upload_has_the_hash_of_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut hold = staging(folder.path()).hold(&id()).await.unwrap();
    let sealed = hold.seal().await.unwrap();
    assert_eq!((sealed.size_bytes, sealed.sha256), (0, Sha256Digest::of(b"")));
    assert!(sealed.path.exists());
}
