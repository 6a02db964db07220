//! Between connector and server is a line that refuses calls, delays bytes, and cuts in the middle of uploads and answers: nothing
//! is lost by it, and nothing arrives twice.

use std::time::Duration;

use crate::support::installation::window;
use crate::support::relay::Relay;
use crate::support::story::{Story, seed};

#[tokio::test(flavor = "multi_thread")]
async fn over_a_bad_line_everything_arrives_once() {
    let (installation, files, camera, start) = Story::at_rest().await;
    let relay = Relay::lay(&installation.address, seed()).await;
    files.through(&installation.address, &relay.address);
    let connector = files.run();
    for turn in 0..2 {
        let mails = installation.ready_mails().await;
        let asked = window(start.plus(Duration::from_secs(5 * turn)), 120);
        let request = installation.submit_and_approve(&camera, asked).await;
        let evidence = installation.one_evidence_and_one_mail(&request, mails).await;
        let segments = evidence["manifest"]["segments"].as_array().expect("a list").len();
        assert!(segments > 1, "it goes over a seam: {evidence:#}");
    }
    connector.kill();
    let cuts = relay.cuts();
    println!("{cuts:?}");
    assert!(cuts.requests.contains_key("PATCH"), "in the middle of an upload: {cuts:?}");
    for asked in ["POST lease", "POST uploads", "PATCH", "HEAD", "POST complete"] {
        assert!(cuts.answers.contains_key(asked), "in the middle of the answer to {asked}: {cuts:?}");
    }
}
