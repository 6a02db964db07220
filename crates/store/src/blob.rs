//! Bytes: files that are written once under a random name and never changed, in a folder or in S3.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, WriteMultipart};
use tokio::io::AsyncReadExt as _;

use crate::{Entropy, Error, Result};

/// S3 and what speaks it.
#[derive(Clone)]
pub struct S3 {
    /// `https://…`; plain HTTP is accepted for loopback.
    pub endpoint: String,
    /// The bucket; it exists already.
    pub bucket: String,
    /// The region that the server expects in signatures.
    pub region: String,
    /// Access key.
    pub access_key: String,
    /// Secret key.
    pub secret_key: String,
}

/// The store of bytes. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    objects: Arc<dyn ObjectStore>,
    /// The folder itself, where it is one: files are then handed over by renaming.
    folder: Option<PathBuf>,
    entropy: Entropy,
}

/// A part of multipart uploads to S3; the protocol asks for at least 5 MiB.
const PART_BYTES: usize = 8 << 20;

impl Blobs {
    /// Files in a folder, which is made if it is missing.
    pub fn in_folder(folder: &Path, entropy: Entropy) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let objects = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self { objects: Arc::new(objects), folder: Some(folder.canonicalize()?), entropy })
    }

    /// Objects in a bucket.
    pub fn in_s3(s3: &S3, entropy: Entropy) -> Result<Self> {
        let objects = AmazonS3Builder::new()
            .with_endpoint(&s3.endpoint)
            .with_bucket_name(&s3.bucket)
            .with_region(&s3.region)
            .with_access_key_id(&s3.access_key)
            .with_secret_access_key(&s3.secret_key)
            .with_allow_http(s3.endpoint.starts_with("http://"))
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .build()?;
        Ok(Self { objects: Arc::new(objects), folder: None, entropy })
    }

    /// A new name under a kind, such as `evidence/4f/4f0c…`. 128 random bits.
    pub fn new_name(&self, kind: &'static str) -> String {
        let mut random = [0u8; 16];
        (self.entropy)(&mut random);
        let hex = random.iter().map(|b| format!("{b:02x}")).collect::<String>();
        format!("{kind}/{}/{hex}", &hex[..2])
    }

    /// Writes small bytes under a new name.
    pub async fn put(&self, kind: &'static str, bytes: impl Into<Bytes>) -> Result<String> {
        let name = self.new_name(kind);
        self.objects
            .put_opts(&Key::from(name.as_str()), PutPayload::from(bytes.into()), PutOptions::from(PutMode::Create))
            .await?;
        Ok(name)
    }

    /// Writes bytes under a given name, replacing what is there. For the ledger's tiles alone, which are
    /// a function of the rows: whoever writes one writes the same.
    pub async fn put_named(&self, name: &str, bytes: impl Into<Bytes>) -> Result<()> {
        self.objects.put(&Key::from(name), PutPayload::from(bytes.into())).await?;
        Ok(())
    }

    /// Takes over a finished file under a given new name: by renaming where the store is a folder on the same
    /// disk, by copying otherwise. On return it is on disk together with its folder. Taking over again what was
    /// taken over already is no error, so a crash between the two may be repeated.
    pub async fn adopt(&self, file: &Path, name: &str) -> Result<()> {
        match &self.folder {
            Some(folder) => adopt_in_folder(file.to_owned(), folder.join(name)).await,
            None => {
                if !tokio::fs::try_exists(file).await? && self.size(name).await?.is_some() {
                    return Ok(());
                }
                self.copy_in(file, name).await?;
                Ok(tokio::fs::remove_file(file).await?)
            }
        }
    }

    async fn copy_in(&self, file: &Path, name: &str) -> Result<()> {
        let mut from = tokio::fs::File::open(file).await?;
        let upload = self.objects.put_multipart(&Key::from(name)).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        let mut buffer = bytes::BytesMut::with_capacity(1 << 20);
        loop {
            buffer.reserve(1 << 20);
            if from.read_buf(&mut buffer).await? == 0 {
                break;
            }
            writer.wait_for_capacity(4).await?;
            writer.put(buffer.split().freeze());
        }
        writer.finish().await?;
        Ok(())
    }

    /// Fails where the store cannot be listed, such as a bucket that does not exist.
    pub async fn reach(&self) -> Result<()> {
        match self.objects.list(None).next().await {
            Some(Err(error)) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The size in bytes, or `None` where there is no such file.
    pub async fn size(&self, name: &str) -> Result<Option<u64>> {
        match self.objects.head(&Key::from(name)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// All bytes of a small file.
    pub async fn get(&self, name: &str) -> Result<Bytes> {
        Ok(self.objects.get(&Key::from(name)).await?.bytes().await?)
    }

    /// A stream of the bytes in `range`, or of all of them.
    pub async fn stream(
        &self,
        name: &str,
        range: Option<std::ops::Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        let options = GetOptions { range: range.map(Into::into), ..GetOptions::default() };
        let found = self.objects.get_opts(&Key::from(name), options).await?;
        Ok(found.into_stream().map(|part| part.map_err(Error::from)).boxed())
    }

    /// The file's place on this machine, where the store is a folder: for programs that read files.
    pub fn local_path(&self, name: &str) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(name))
    }

    /// Copies a file out, for programs that read files where the store is not a folder.
    pub async fn copy_out(&self, name: &str, file: &Path) -> Result<()> {
        let mut to = tokio::fs::File::create(file).await?;
        let mut parts = self.stream(name, None).await?;
        while let Some(part) = parts.next().await {
            tokio::io::AsyncWriteExt::write_all(&mut to, &part?).await?;
        }
        tokio::io::AsyncWriteExt::flush(&mut to).await?;
        Ok(())
    }

    /// Removes a file; that it is gone already is no error.
    pub async fn remove(&self, name: &str) -> Result<()> {
        match self.objects.delete(&Key::from(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Names and sizes of all files under a prefix.
    pub fn list(&self, prefix: &str) -> BoxStream<'static, Result<(String, u64)>> {
        let found = self.objects.list(Some(&Key::from(prefix)));
        found.map(|meta| meta.map(|m| (m.location.to_string(), m.size)).map_err(Error::from)).boxed()
    }
}

async fn adopt_in_folder(file: PathBuf, to: PathBuf) -> Result<()> {
    tokio::task::spawn_blocking(move || {
        if !file.exists() && to.exists() {
            return Ok(());
        }
        let folder = to.parent().expect("a name has a folder");
        std::fs::create_dir_all(folder)?;
        std::fs::File::open(&file)?.sync_all()?;
        if let Err(error) = std::fs::rename(&file, &to) {
            if error.kind() != std::io::ErrorKind::CrossesDevices {
                return Err(Error::Io(error));
            }
            let partial = to.with_extension("partial");
            std::fs::copy(&file, &partial)?;
            std::fs::File::open(&partial)?.sync_all()?;
            std::fs::rename(&partial, &to)?;
            std::fs::remove_file(&file)?;
        }
        // The name must survive too: a folder, and the folder that names it.
        std::fs::File::open(folder)?.sync_all()?;
        if let Some(above) = folder.parent() {
            std::fs::File::open(above)?.sync_all()?;
        }
        Ok(())
    })
    .await
    .map_err(|e| Error::Io(std::io::Error::other(e)))?
}
