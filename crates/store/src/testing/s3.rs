//! A real S3 server for tests: over a folder, in the process of the test, with signatures checked.

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;

use crate::blob::S3;

/// A running server with one empty bucket; ends when it is dropped.
pub struct S3Server {
    /// How it is reached.
    pub access: S3,
    /// What it keeps: a folder for each bucket.
    pub folder: tempfile::TempDir,
    serving: tokio::task::JoinHandle<()>,
}

impl S3Server {
    /// Starts one.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let access = S3 {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            bucket: "evidence".into(),
            region: "us-east-1".into(),
            access_key: "access".into(),
            secret_key: "secret-key".into(),
        };
        std::fs::create_dir(folder.path().join(&access.bucket)).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(&*access.access_key, &*access.secret_key));
        let service = builder.build();
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = service.clone();
                tokio::spawn(async move {
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { access, folder, serving }
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
