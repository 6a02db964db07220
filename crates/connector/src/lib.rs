//! The binary sightline-connector: session, tasks, upload, adapters.
