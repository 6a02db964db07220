//! Bytes in a folder and in a real S3 server: the same promises.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;

use futures::{StreamExt as _, TryStreamExt as _};
use store::Blobs;
use store::blob::S3;
use store::testing::{S3Server, counted_entropy};

async fn promises(blobs: &Blobs, work: &Path) {
    let small = blobs.put("thumbnail", "a picture").await.unwrap();
    assert_eq!(blobs.get(&small).await.unwrap(), "a picture");
    assert_eq!(blobs.size("thumbnail/00/none").await.unwrap(), None);

    // More than two parts of a multipart upload, with a ragged end.
    let bytes: Vec<u8> = (0..20_000_003u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (file, name) = (work.join("staged"), blobs.new_name("evidence"));
    std::fs::write(&file, &bytes).unwrap();
    blobs.adopt(&file, &name).await.unwrap();
    assert!(!file.exists());
    assert_eq!(blobs.size(&name).await.unwrap(), Some(bytes.len() as u64));
    blobs.adopt(&file, &name).await.expect("taking over again what was taken over is no error");

    let range = blobs.stream(&name, Some(9_999_990..10_000_010)).await.unwrap();
    let part: Vec<u8> = range
        .try_fold(Vec::new(), |mut all, part| async move {
            all.extend_from_slice(&part);
            Ok(all)
        })
        .await
        .unwrap();
    assert_eq!(part, bytes[9_999_990..10_000_010]);
    let copy = work.join("copy");
    blobs.copy_out(&name, &copy).await.unwrap();
    assert_eq!(std::fs::read(&copy).unwrap(), bytes);

    let listed: Vec<_> = blobs.list("evidence").map(|f| f.unwrap()).collect().await;
    assert_eq!(listed, [(name.clone(), bytes.len() as u64)]);
    blobs.remove(&name).await.unwrap();
    blobs.remove(&name).await.expect("gone already is no error");
    assert_eq!(blobs.size(&name).await.unwrap(), None);
}

#[tokio::test]
async fn a_folder_keeps_its_promises() {
    let work = tempfile::tempdir().unwrap();
    promises(&Blobs::in_folder(&work.path().join("blobs"), counted_entropy()).unwrap(), work.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_keeps_the_same_promises() {
    let (work, server) = (tempfile::tempdir().unwrap(), S3Server::start().await);
    promises(&Blobs::in_s3(&server.access, counted_entropy()).unwrap(), work.path()).await;
    let wrong = S3 { secret_key: "another".into(), ..server.access.clone() };
    assert!(Blobs::in_s3(&wrong, counted_entropy()).unwrap().put("x", "y").await.is_err());
}
