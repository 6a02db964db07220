//! What a program keeps on request.

use sightline_connector::adapter::Locks;

use super::Exporting;
use crate::scenarios::{later, noon, two_in_a_row};
use crate::system::{PASSWORD, bench};
use crate::world::window;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_and_its_end() {
    let bench = bench::<Exporting>(two_in_a_row(), PASSWORD, "").await;
    let note = bench.served._keep.as_ref().unwrap().path().join("held");
    let name = bench.recorder.hold("1", window(later(noon(), 12), 5), &Locks::besides(&[])).await.unwrap().unwrap();
    assert_eq!(std::fs::read_to_string(&note).unwrap(), "1.mp4");
    bench.recorder.free(&name, &[]).await.unwrap();
    bench.recorder.free(&name, &[]).await.unwrap();
    assert!(!note.exists());
}
