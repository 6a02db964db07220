//! SQL and blobs; the only crate that knows the database and the object store.
