//! What every adapter is held to. All of it goes through [`Recorder`], as the connector itself does; what arrives is judged by
//! the times in its pictures.

use std::time::Duration;

use domain::{Timestamp, Window};
use protocol::UnavailableReason;
use sightline_connector::adapter::{Exported, Locks, Trouble};
use sightline_connector::growth::Fetched;

use super::site::{Fault, Which};
use super::system::{Bench, PASSWORD, System, USER, bench};
use super::world::{RATE, World, times, window};

const TICK: Duration = Duration::from_millis(1_000 / RATE as u64);
const KEY_FRAMES: Duration = Duration::from_secs(1);

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// On a day long past, so that nothing is still being recorded.
pub(super) fn noon() -> Timestamp {
    at("2026-01-10T12:00:00Z")
}

pub(super) fn later(at: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_micros(at.as_micros() + seconds * 1_000_000)
}

pub(super) fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_second() * 1_000_000)
}

/// Two cameras, one of them with two recordings that follow each other.
pub(super) fn two_in_a_row() -> World {
    let mut world = World::new(&[("1", "Main & 1st"), ("2", "Bay Street")]);
    world.record("1", noon(), 20).record("1", later(noon(), 20), 20).record("2", noon(), 5);
    world
}

pub(super) async fn export<S: System>(bench: &Bench, camera: &str, window: Window) -> Result<Exported, Trouble> {
    bench.recorder.export(&S::camera(camera), window, bench.into.path(), &Fetched::default()).await
}

/// Whether the pictures hold every moment of a window that `gaps` do not excuse, in order, with no more at the ends than a
/// key frame and what the system's times leave open.
pub(super) fn holds<S: System>(exported: &Exported, window: Window, gaps: &[Window]) {
    holds_to::<S>(S::PRECISION, exported, window, gaps);
}

fn holds_to<S: System>(precision: Duration, exported: &Exported, window: Window, gaps: &[Window]) {
    let shown = times(&exported.path);
    let mut tick = Timestamp::from_micros(window.from.as_micros().div_ceil_euclid(100_000) * 100_000);
    while tick < window.to {
        let excused = gaps.iter().any(|gap| gap.from <= tick && tick < gap.to);
        assert!(excused || shown.contains(&tick), "{tick} is missing: {:?} to {:?}", shown.first(), shown.last());
        tick = tick.plus(TICK);
    }
    let (first, last) = (*shown.iter().min().unwrap(), *shown.iter().max().unwrap());
    let more = KEY_FRAMES + precision + TICK;
    assert!(first.plus(more + S::BEHIND) >= window.from, "begins at {first}, more than {more:?} early");
    assert!(last <= window.to.plus(more), "ends at {last}, more than {more:?} late");
    let manifest = &exported.manifest;
    assert_eq!(manifest.asked, window);
    let off = |told: Timestamp, seen: Timestamp| told.as_micros().abs_diff(seen.as_micros());
    let known = precision + TICK / 2;
    assert!(
        off(manifest.first_frame, first) <= known.as_micros() as u64,
        "{} told, {first} seen",
        manifest.first_frame
    );
    assert!(off(manifest.last_frame, last) <= known.as_micros() as u64, "{} told, {last} seen", manifest.last_frame);
}

trait DivCeil {
    fn div_ceil_euclid(self, by: i64) -> i64;
}

impl DivCeil for i64 {
    fn div_ceil_euclid(self, by: i64) -> i64 {
        -(-self).div_euclid(by)
    }
}

fn reason(trouble: Trouble) -> UnavailableReason {
    match trouble {
        Trouble::Unavailable { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

pub(super) fn may_go_better(trouble: &Trouble) {
    assert!(matches!(trouble, Trouble::Broken { retryable: true, .. } | Trouble::Away(_)), "{trouble:?}");
    tells_no_secret(&trouble.to_string());
}

fn tells_no_secret(text: &str) {
    for secret in [PASSWORD, "token", "http://", "Bearer"] {
        assert!(!text.contains(secret), "{text}");
    }
}

pub(crate) async fn it_lists_its_cameras<S: System>() {
    let bench = bench::<S>(two_in_a_row(), PASSWORD, "").await;
    let found = bench.recorder.discover().await;
    assert_eq!(found.problem, None);
    assert!(found.whole);
    let cameras: Vec<_> = found.sources.iter().map(|source| source.device_id.as_str()).collect();
    assert_eq!(cameras, [S::camera("1"), S::camera("2")]);
}

pub(crate) async fn it_shows_a_picture<S: System>() {
    let bench = bench::<S>(two_in_a_row(), PASSWORD, "").await;
    let picture = bench.recorder.thumbnail(&S::camera("1")).await.unwrap();
    assert!(picture.starts_with(b"\xff\xd8\xff"));
}

pub(crate) async fn coverage_tells_gaps<S: System>() {
    let mut world = two_in_a_row();
    world.record("1", later(noon(), 60), 10);
    let bench = bench::<S>(world, PASSWORD, "").await;
    let asked = window(later(noon(), 10), 120);
    let covered = bench.recorder.coverage(&S::camera("1"), asked).await.unwrap();
    assert!(covered.complete);
    let close =
        |a: Timestamp, b: Timestamp| a.as_micros().abs_diff(b.as_micros()) <= S::PRECISION.as_micros() as u64 + 50_000;
    let expected = [(10, 40), (60, 70)].map(|(from, to)| (later(noon(), from), later(noon(), to)));
    assert_eq!(covered.spans.len(), 2, "{:?}", covered.spans);
    for (span, (from, to)) in covered.spans.iter().zip(expected) {
        assert!(close(span.from, from) && close(span.to, to), "{span:?}");
    }
}

pub(crate) async fn a_window_within_a_recording<S: System>() {
    let bench = bench::<S>(two_in_a_row(), PASSWORD, "").await;
    let asked =
        Window { from: noon().plus(Duration::from_millis(5_300)), to: noon().plus(Duration::from_millis(9_800)) };
    let exported = export::<S>(&bench, "1", asked).await.unwrap();
    holds::<S>(&exported, asked, &[]);
    assert_eq!(exported.manifest.gaps, []);
    assert!(!exported.manifest.segments.is_empty());
}

pub(crate) async fn a_window_over_a_seam<S: System>() {
    let bench = bench::<S>(two_in_a_row(), PASSWORD, "").await;
    let asked = window(later(noon(), 12), 15);
    let fetched = Fetched::default();
    let exported = bench.recorder.export(&S::camera("1"), asked, bench.into.path(), &fetched).await.unwrap();
    holds::<S>(&exported, asked, &[]);
    let nearly_all = fetched.thousandths() > 900; // what is played may end a little before what was asked for
    assert_eq!(nearly_all, S::TELLS_HOW_FAR, "{fetched:?}");
    assert_eq!(exported.manifest.gaps, []);
}

/// Nothing of what neighbours both hold is lost, and the manifest names both.
pub(crate) async fn recordings_that_overlap<S: System>() {
    let mut world = World::new(&[("1", "Main & 1st")]);
    world.record("1", noon(), 22).record("1", later(noon(), 20), 20);
    let bench = bench::<S>(world, PASSWORD, "").await;
    let asked = window(later(noon(), 12), 15);
    let exported = export::<S>(&bench, "1", asked).await.unwrap();
    holds_to::<S>(S::OVERLAP_PRECISION, &exported, asked, &[]);
    let unsure = Duration::from_millis(exported.manifest.uncertainty_ms.unwrap_or(0).unsigned_abs());
    assert!(unsure <= S::OVERLAP_PRECISION + S::BEHIND, "{unsure:?}");
}

/// Cameras do not wait for a full second: what is told to the second began at any moment of it.
pub(crate) async fn recordings_that_begin_within_a_second<S: System>() {
    let begun = noon().plus(Duration::from_millis(700));
    let mut world = World::new(&[("1", "Main & 1st")]);
    world.record("1", begun, 20).record("1", later(begun, 20), 20);
    let bench = bench::<S>(world, PASSWORD, "").await;
    let asked = window(later(noon(), 12), 15);
    let exported = export::<S>(&bench, "1", asked).await.unwrap();
    holds::<S>(&exported, asked, &[]);
    assert_eq!(exported.manifest.gaps, []);
}

pub(crate) async fn a_window_with_a_gap<S: System>() {
    let mut world = World::new(&[("1", "Main & 1st")]);
    world.record("1", noon(), 20).record("1", later(noon(), 35), 20);
    let bench = bench::<S>(world, PASSWORD, "").await;
    let (asked, hole) = (window(later(noon(), 12), 30), window(later(noon(), 20), 15));
    let exported = export::<S>(&bench, "1", asked).await.unwrap();
    holds::<S>(&exported, asked, &[hole]);
    let [gap] = exported.manifest.gaps.as_slice() else { panic!("{:?}", exported.manifest.gaps) };
    let off = |a: Timestamp, b: Timestamp| Duration::from_micros(a.as_micros().abs_diff(b.as_micros()));
    assert!(off(gap.from, hole.from) <= S::PRECISION + TICK && off(gap.to, hole.to) <= S::PRECISION + TICK, "{gap:?}");
}

pub(crate) async fn a_window_without_footage<S: System>() {
    let mut world = World::new(&[("1", "Main & 1st"), ("2", "Bay Street")]);
    world.record("1", noon(), 20).record("1", later(noon(), 120), 20);
    let bench = bench::<S>(world, PASSWORD, "").await;
    let none = async |camera, from| export::<S>(&bench, camera, window(later(noon(), from), 10)).await.unwrap_err();
    assert_eq!(reason(none("1", 60).await), UnavailableReason::Gap);
    assert_eq!(reason(none("1", -60).await), UnavailableReason::NeverRecorded, "how long it keeps them is not known");
    assert_eq!(reason(none("1", 600).await), UnavailableReason::NeverRecorded);
    assert_eq!(reason(none("2", 0).await), UnavailableReason::NeverRecorded);
}

/// Of what is still being recorded, what is there already is exported, and what is not is waited for.
pub(crate) async fn what_is_still_being_recorded<S: System>() {
    let begun = later(now(), -40);
    let mut world = World::new(&[("1", "Main & 1st")]);
    world.record("1", later(begun, -20), 20).record_on("1", begun, 20);
    let bench = bench::<S>(world, PASSWORD, "").await;
    let there = window(later(begun, -5), 15);
    let exported = export::<S>(&bench, "1", there).await.unwrap();
    holds::<S>(&exported, there, &[]);
    let bench = bench_of_open::<S>(begun).await;
    assert_eq!(export::<S>(&bench, "1", window(later(begun, 10), 25)).await.unwrap_err(), Trouble::NotYet);
}

async fn bench_of_open<S: System>(begun: Timestamp) -> Bench {
    let mut world = World::new(&[("1", "Main & 1st")]);
    world.record_on("1", begun, 20);
    bench::<S>(world, PASSWORD, "").await
}

/// A camera that is taken out of the system is no longer told of, and the others are as before; put in again it is there again.
pub(crate) async fn a_camera_that_vanishes<S: System>() {
    let bench = bench::<S>(two_in_a_row(), PASSWORD, "").await;
    let cameras = async || {
        let found = bench.recorder.discover().await;
        assert!(found.whole && found.problem.is_none(), "{:?}", found.problem);
        found.sources.iter().map(|source| source.device_id.clone()).collect::<Vec<_>>()
    };
    let both = [S::camera("1"), S::camera("2")];
    assert_eq!(cameras().await, both);
    bench.gone.lock().unwrap().extend(["2".to_owned(), S::camera("2")]);
    assert_eq!(cameras().await, both[..1]);
    let asked = window(later(noon(), 12), 15);
    holds::<S>(&export::<S>(&bench, "1", asked).await.unwrap(), asked, &[]);
    bench.gone.lock().unwrap().clear();
    assert_eq!(cameras().await, both);
}

/// What is not there is not listed, and a task for it says so rather than breaking.
pub(crate) async fn a_camera_that_is_not_there<S: System>() {
    let bench = bench::<S>(two_in_a_row(), PASSWORD, "").await;
    let none = export::<S>(&bench, "77", window(noon(), 10)).await.unwrap_err();
    assert_eq!(reason(none), UnavailableReason::NeverRecorded);
}

/// Both meanings of a local time that the clock shows twice are told apart.
pub(crate) async fn the_hour_that_happens_twice<S: System>() {
    let mut world = World::new(&[("1", "Main & 1st")]);
    world.zone = "Europe/Zurich";
    let first = at("2025-10-26T00:30:00Z"); // 02:30, and an hour later 02:30 again
    for begins in [first, later(first, 20), later(first, 3_600), later(first, 3_620)] {
        world.record("1", begins, 20);
    }
    let bench = bench::<S>(world, PASSWORD, "").await;
    for begins in [first, later(first, 3_600)] {
        let asked = window(later(begins, 12), 15);
        let into = tempfile::tempdir().unwrap();
        let exported = bench.recorder.export(&S::camera("1"), asked, into.path(), &Fetched::default()).await.unwrap();
        holds::<S>(&exported, asked, &[]);
    }
}

/// True time is asked for, whatever the recorder's clock shows.
pub(crate) async fn a_clock_that_is_ahead<S: System>() {
    if !S::HAS_CLOCK {
        return told_by_the_operator::<S>().await;
    }
    let mut world = World::new(&[("1", "Main & 1st")]);
    world.ahead_us = 90_000_000;
    world.record("1", later(noon(), 90), 40);
    let bench = bench::<S>(world, PASSWORD, "").await;
    let found = bench.recorder.discover().await;
    let told = found.sources[0].clock_offset.unwrap();
    let unsure = told.uncertainty_ms.unwrap();
    assert!((told.offset_ms - 90_000).abs() <= unsure, "{told:?}");
    let asked = window(later(noon(), 10), 10);
    let exported = export::<S>(&bench, "1", asked).await.unwrap();
    let shown = times(&exported.path);
    let unsure = Duration::from_millis(unsure.unsigned_abs()) + TICK;
    assert!(*shown.iter().min().unwrap() <= asked.from.plus(unsure));
    assert!(shown.iter().max().unwrap().plus(unsure) >= asked.to);
    assert_eq!(exported.manifest.clock_offset.map(|offset| offset.offset_ms), Some(told.offset_ms));
}

async fn told_by_the_operator<S: System>() {
    let mut world = World::new(&[("1", "Main & 1st")]);
    world.ahead_us = 90_000_000;
    world.record("1", later(noon(), 90), 40);
    let bench =
        bench::<S>(world, PASSWORD, &format!("[[source]]\nid = \"{}\"\nclock_offset_ms = 90000\n", S::camera("1")))
            .await;
    bench.recorder.discover().await;
    let asked = window(later(noon(), 10), 10);
    let exported = export::<S>(&bench, "1", asked).await.unwrap();
    holds::<S>(&exported, asked, &[]);
}

pub(crate) async fn a_hold_and_its_end<S: System>() {
    let bench = bench::<S>(two_in_a_row(), PASSWORD, "").await;
    let asked = window(later(noon(), 12), 5);
    let held = bench.recorder.hold(&S::camera("1"), asked, &Locks::besides(&[])).await.unwrap();
    assert_eq!(held.is_some(), S::HOLDS);
    let Some(name) = held else { return };
    assert_eq!(*bench.served.held.lock().unwrap(), [1].into());
    // for somebody else too: what one lets go, the other still has
    let around = window(later(noon(), -5), 30);
    let other = bench
        .recorder
        .hold(&S::camera("1"), around, &Locks::besides(std::slice::from_ref(&name)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(*bench.served.held.lock().unwrap(), [1, 2].into());
    bench.recorder.free(&name, std::slice::from_ref(&other)).await.unwrap();
    assert_eq!(*bench.served.held.lock().unwrap(), [1, 2].into());
    for _ in 0..2 {
        bench.recorder.free(&other, &[]).await.unwrap();
        assert!(bench.served.held.lock().unwrap().is_empty());
    }
    // what is not there is not kept
    let nothing =
        bench.recorder.hold(&S::camera("1"), window(later(noon(), 600), 5), &Locks::besides(&[])).await.unwrap_err();
    assert_eq!(reason(nothing), UnavailableReason::NeverRecorded);
}

pub(crate) async fn a_wrong_password<S: System>() {
    if !S::HAS_ACCOUNTS {
        return;
    }
    let bench = bench::<S>(two_in_a_row(), "wrong", "").await;
    let found = bench.recorder.discover().await;
    let problem = found.problem.unwrap();
    assert!(!found.whole && found.sources.is_empty());
    assert!(problem.text.contains("user name and password"), "{}", problem.text);
    assert!(!problem.what_to_do.is_empty());
    tells_no_secret(&problem.text);
    assert!(!problem.text.contains(USER));
    let trouble = export::<S>(&bench, "1", window(noon(), 10)).await.unwrap_err();
    may_go_better(&trouble);
    assert!(!matches!(trouble, Trouble::Away(_)), "{trouble:?}");
}

/// An adapter that is never answered gives up sooner here than it would elsewhere.
fn patience(fault: Fault) -> &'static str {
    if fault == Fault::Silent { "answer_seconds = 2\n" } else { "" }
}

/// What is waited for; anything else ends after some tries.
fn is_away(fault: Fault) -> bool {
    matches!(fault, Fault::Status(500) | Fault::Silent | Fault::Headers)
}

/// A system that answers nothing sensible is a problem that is told, not an empty system; and nothing hangs on it.
pub(crate) async fn a_server_that_is_broken<S: System>(fault: Fault) {
    let bench = bench::<S>(two_in_a_row(), PASSWORD, patience(fault)).await;
    bench.recorder.discover().await;
    bench.served.site().break_down(fault, Which::Every, usize::MAX);
    let found = tokio::time::timeout(Duration::from_secs(30), bench.recorder.discover()).await.unwrap();
    let problem = found.problem.unwrap();
    tells_no_secret(&problem.text);
    assert!(!problem.what_to_do.is_empty());
    assert!(!found.whole);
    assert_eq!(found.sources.len(), 2, "what was known is still there");
    let asked = window(later(noon(), 12), 15);
    let trouble = export::<S>(&bench, "1", asked).await.unwrap_err();
    may_go_better(&trouble);
    assert_eq!(matches!(trouble, Trouble::Away(_)), is_away(fault), "{trouble:?}");
    assert!(bench.recorder.thumbnail(&S::camera("1")).await.is_err());
    assert!(bench.recorder.coverage(&S::camera("1"), asked).await.is_err());
    assert_eq!(bench.served.site().followed(), 0, "it followed to elsewhere");
}

/// The same, when only footage is answered so.
pub(crate) async fn footage_that_is_none<S: System>(fault: Fault) {
    let bench = bench::<S>(two_in_a_row(), PASSWORD, patience(fault)).await;
    bench.recorder.discover().await;
    bench.served.site().break_down(fault, Which::Footage, usize::MAX);
    let asked = window(later(noon(), 12), 15);
    let done = tokio::time::timeout(Duration::from_secs(60), export::<S>(&bench, "1", asked)).await.unwrap();
    may_go_better(&done.unwrap_err());
    assert_eq!(bench.served.site().followed(), 0, "it followed to elsewhere");
    bench.served.site().break_down(fault, Which::Footage, 0);
    holds::<S>(&export::<S>(&bench, "1", asked).await.unwrap(), asked, &[]);
}

/// What breaks off now and then loses nothing.
pub(crate) async fn a_network_that_breaks<S: System>() {
    let bench = bench::<S>(two_in_a_row(), PASSWORD, "").await;
    bench.recorder.discover().await;
    bench.served.site().break_down(Fault::Cut, Which::Footage, 2);
    let asked = window(later(noon(), 12), 15);
    holds::<S>(&export::<S>(&bench, "1", asked).await.unwrap(), asked, &[]);
}
