//! What names, zones and last changes tell of when a segment begins.

use super::*;

#[tokio::test]
async fn zones_and_clock_offsets_are_reckoned_with() {
    let recorder = Recorder::new();
    recorder.record("yard/2026-01-10_11-00-00.mp4", 10, &[]); // 10:00 UTC by a clock in Zurich
    let ahead = SourceConfig { id: "yard".into(), clock_offset_ms: Some(3_000), ..Default::default() };
    let pattern = "{camera}/%Y-%m-%d_%H-%M-%S.mp4";
    let folder = recorder.folder_with(pattern, |config| config.time_zone = "Europe/Zurich".into(), &[]);
    assert_eq!(
        folder.coverage("yard", window("09:00:00", "12:00:00")).await.unwrap().spans,
        [window("10:00:00", "10:00:10")]
    );
    let folder = recorder.folder_with(pattern, |config| config.time_zone = "Europe/Zurich".into(), &[ahead]);
    let (_dir, _, manifest) = export(&folder, "yard", window("09:59:58", "10:00:05")).await.unwrap();
    assert_eq!(manifest.first_frame, window("09:59:58", "10:00:00").from);
    assert_eq!(manifest.clock_offset.unwrap().offset_ms, 3_000);
}

/// Segments that begin 0.7 s later than the whole seconds of their names, as ffmpeg's segments do.
fn late_by_700_ms(recorder: &Recorder, exact_changes: bool) {
    std::fs::create_dir_all(recorder.path("yard")).unwrap();
    for start in ["10:00:00", "10:00:10", "10:00:20"] {
        let begins = window(start, "11:00:00").from.plus(Duration::from_millis(700));
        let file = recorder.path(&format!("yard/2026-01-10_{}.mp4", start.replace(':', "-")));
        world::film(&file, begins, 10);
        let closed = begins.plus(Duration::from_millis(if exact_changes { 10_040 } else { 3_600_300 }));
        let closed = SystemTime::UNIX_EPOCH + Duration::from_micros(closed.as_micros().unsigned_abs());
        std::fs::File::options().append(true).open(&file).unwrap().set_modified(closed).unwrap();
    }
}

#[tokio::test]
async fn what_names_leave_open_is_never_missing() {
    for exact_changes in [false, true] {
        let recorder = Recorder::new();
        late_by_700_ms(&recorder, exact_changes);
        let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", |c| c.name_precision_ms = None, &[]);
        for (from, to) in [("10:00:20.300", "10:00:26"), ("10:00:15", "10:00:29.800"), ("10:00:20", "10:00:25")] {
            let asked = window(from, to);
            let (_dir, path, manifest) = export(&folder, "yard", asked).await.unwrap();
            let times = world::times(&path);
            let (first, last) = (times[0], *times.last().unwrap());
            assert!(first <= asked.from && last >= asked.to.minus(Duration::from_millis(100)), "{first} to {last}");
            let open = if exact_changes { 300 } else { 1_000 };
            assert_eq!(manifest.uncertainty_ms, Some(open));
            let earliest = asked.from.minus(Duration::from_millis(1_000 + 2 * open.unsigned_abs()));
            assert!(first >= earliest, "{first} is too early for {from}");
            let late = first.as_micros() - manifest.first_frame.as_micros();
            assert!((0..=1_000 * open).contains(&late), "said {}, is {first}", manifest.first_frame);
            assert_eq!(manifest.gaps, []);
        }
    }
}

#[tokio::test]
async fn a_long_recording_in_the_hour_that_happens_twice() {
    let recorder = Recorder::new();
    // two hours from 1:10 summer time on; an hour later the clock shows 1:10 again
    let path = recorder.record("yard/20261101T011000.mp4", 7_200, &["-r", "1"]);
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(1_793_527_800);
    std::fs::File::options().append(true).open(&path).unwrap().set_modified(end).unwrap();
    let pattern = "{camera}/%Y%m%dT%H%M%S.mp4";
    let folder = recorder.folder_with(pattern, |c| c.time_zone = "America/Los_Angeles".into(), &[]);
    let day = Window { from: at("2026-11-01T00:00:00Z"), to: at("2026-11-02T00:00:00Z") };
    let spans = folder.coverage("yard", day).await.unwrap().spans;
    assert_eq!(spans, [Window { from: at("2026-11-01T08:10:00Z"), to: at("2026-11-01T10:10:00Z") }]);
}

/// Copied without the times of its files a folder does not tell which of the two hours it was: neither is claimed.
#[tokio::test]
async fn a_copy_of_the_hour_that_happens_twice_is_not_guessed_at() {
    let recorder = Recorder::new();
    for name in ["yard/20261101T005900.mp4", "yard/20261101T011000.mp4", "yard/20261101T011010.mp4"] {
        recorder.record(name, 10, &[]);
    }
    let pattern = "{camera}/%Y%m%dT%H%M%S.mp4";
    let folder = recorder.folder_with(pattern, |c| c.time_zone = "America/Los_Angeles".into(), &[]);
    for hour in ["08", "09"] {
        let asked = Window::checked(at(&format!("2026-11-01T{hour}:10:02Z")), at(&format!("2026-11-01T{hour}:10:18Z")));
        let Err(Trouble::Unavailable { reason, detail }) = export(&folder, "yard", asked.unwrap()).await else {
            panic!("exported")
        };
        assert_eq!(reason, UnavailableReason::Gap);
        assert!(detail.contains("20261101T011000.mp4") && detail.contains("showed twice"), "{detail}");
    }
    // what lies before is clear, and what is not is a gap with its reason
    let asked = Window::checked(at("2026-11-01T07:59:02Z"), at("2026-11-01T08:10:08Z")).unwrap();
    let (_into, _, manifest) = export(&folder, "yard", asked).await.unwrap();
    let [gap] = &manifest.gaps[..] else { panic!("{:?}", manifest.gaps) };
    assert_eq!((gap.from, gap.to), (at("2026-11-01T07:59:10Z"), asked.to));
    assert!(gap.reason.as_ref().unwrap().contains("showed twice"), "{gap:?}");
}

/// ffmpeg names its first segment after it has looked at the stream for seconds, and writes into it what came meanwhile.
#[tokio::test]
async fn a_first_segment_that_is_named_late_begins_before_its_name() {
    let recorder = Recorder::new();
    let (first, next) = ("yard/2026-01-10_10-00-04.mp4", "yard/2026-01-10_10-00-20.mp4");
    recorder.record(first, 20, &[]); // from 10:00:00.1 on
    recorder.record(next, 20, &[]);
    recorder.close(next, "10:00:40", 150);
    // as the file system tells it, and as a copy does that knows whole seconds
    for (ms, unsure) in [(150, 300), (0, 1_300)] {
        recorder.close(first, "10:00:20", ms);
        let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", |c| c.name_precision_ms = None, &[]);
        let (_into, path, manifest) = export(&folder, "yard", window("10:00:01", "10:00:03")).await.unwrap();
        assert!(manifest.gaps.is_empty(), "{manifest:?}");
        let (first, last) = (manifest.first_frame, manifest.last_frame);
        assert!(first <= on_that_day("10:00:01") && last >= on_that_day("10:00:03"), "{manifest:?}");
        let begins = manifest.segments[0].from;
        assert!((on_that_day("09:59:59.7")..on_that_day("10:00:00.2")).contains(&begins), "{manifest:?}");
        assert_eq!(manifest.uncertainty_ms, Some(unsure));
        assert!(!frames(&path).await.is_empty());
    }
}

/// A camera that falls out before its file is closed leaves it shorter than the time to its last change.
#[tokio::test]
async fn pictures_missing_at_the_end_of_a_file_do_not_date_it_late() {
    let recorder = Recorder::new();
    let names = ["yard/2026-01-10_10-00-00.mp4", "yard/2026-01-10_10-00-10.mp4", "yard/2026-01-10_10-00-20.mp4"];
    for ((name, seconds), closed) in names.iter().zip([10, 7, 10]).zip(["10:00:10", "10:00:20", "10:00:30"]) {
        recorder.record(name, seconds, &[]);
        recorder.close(name, closed, 100);
    }
    let precise_to = |ms| move |config: &mut FolderConfig| config.name_precision_ms = Some(ms);
    let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", precise_to(6_000), &[]);
    let asked = window("10:00:11", "10:00:16");
    let begins = async || export(&folder, "yard", asked).await.unwrap().2.segments[0].from;
    assert!((on_that_day("10:00:10")..=on_that_day("10:00:10.1")).contains(&begins().await), "{}", begins().await);
    std::fs::remove_file(recorder.path(names[0])).unwrap();
    assert_eq!(begins().await, on_that_day("10:00:10"), "nothing tells when it was opened");
}

/// A recorder that is cut off closes its last file when it gives up: that time says nothing of the last picture.
#[tokio::test]
async fn a_file_that_was_closed_late_begins_when_its_name_says() {
    let recorder = Recorder::new();
    let (first, next) = ("yard/2026-01-10_10-00-20.mp4", "yard/2026-01-10_10-01-00.mp4");
    recorder.record(first, 10, &[]);
    recorder.record(next, 10, &[]);
    recorder.close(first, "10:00:30", 850);
    let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", |config| config.name_precision_ms = None, &[]);
    let (_into, _, manifest) = export(&folder, "yard", window("10:00:20", "10:00:28")).await.unwrap();
    assert_eq!(
        (manifest.segments[0].from, manifest.uncertainty_ms),
        (on_that_day("10:00:20"), Some(1_000)),
        "{manifest:?}"
    );
}

/// Names of minutes leave a minute open, but the last changes of files tell that there was an outage.
#[tokio::test]
async fn an_outage_shorter_than_what_names_leave_open_is_a_gap() {
    let recorder = Recorder::new();
    for (name, seconds, end, ms) in [
        ("yard/2026-01-10_10-00.mp4", 120, "10:02:00", 300),
        ("yard/2026-01-10_10-02.mp4", 70, "10:03:10", 300),
        ("yard/2026-01-10_10-04.mp4", 120, "10:06:00", 300),
    ] {
        recorder.record(name, seconds, &[]);
        recorder.close(name, end, ms);
    }
    let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M.mp4", |c| c.name_precision_ms = None, &[]);
    for (from, to) in [("10:03:15", "10:03:55"), ("10:03:20", "10:03:30")] {
        let Err(Trouble::Unavailable { reason, .. }) = export(&folder, "yard", window(from, to)).await else {
            panic!("{from} to {to} was exported")
        };
        assert_eq!(reason, UnavailableReason::Gap);
    }
    let (_into, _, manifest) = export(&folder, "yard", window("10:03:00", "10:04:10")).await.unwrap();
    let [gap] = &manifest.gaps[..] else { panic!("{:?}", manifest.gaps) };
    let near = |at: Timestamp, time: &str| at.since(on_that_day(time)) < Duration::from_secs(1);
    assert!(near(gap.from, "10:03:09.9") && near(gap.to, "10:03:59.9"), "{gap:?}");
    let covered = folder.coverage("yard", window("10:00:30", "10:05:30")).await.unwrap();
    assert_eq!(covered.spans.len(), 2, "{covered:?}");
}

/// The same of names of seconds, also where a window lies within the outage or ends in it.
#[tokio::test]
async fn an_outage_of_two_seconds_between_names_of_seconds_is_a_gap() {
    let recorder = Recorder::new();
    for (name, end, ms) in
        [("yard/2026-01-10_10-00-01.mp4", "10:00:31", 20), ("yard/2026-01-10_10-00-32.mp4", "10:01:02", 960)]
    {
        recorder.record(name, 30, &[]);
        recorder.close(name, end, ms);
    }
    let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", |c| c.name_precision_ms = None, &[]);
    let within = export(&folder, "yard", window("10:00:31.1", "10:00:31.9")).await;
    assert!(matches!(within, Err(Trouble::Unavailable { reason: UnavailableReason::Gap, .. })));
    for (from, to) in [("10:00:20", "10:00:45"), ("10:00:20", "10:00:32")] {
        let (_into, _, manifest) = export(&folder, "yard", window(from, to)).await.unwrap();
        assert_eq!(manifest.gaps.len(), 1, "{from} to {to}: {manifest:?}");
    }
}

/// Segments that follow each other are whole, whatever second their names are cut to, also in a copy that has lost the times of its files.
#[tokio::test]
async fn names_of_seconds_make_no_gaps_of_their_own() {
    let recorder = Recorder::new();
    for (name, end) in [("10-00-00", "10:00:10"), ("10-00-10", "10:00:20"), ("10-00-21", "10:00:31")] {
        let name = format!("yard/2026-01-10_{name}.mp4");
        recorder.record(&name, 10, &[]);
        recorder.close(&name, end, 0);
    }
    let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", |c| c.name_precision_ms = None, &[]);
    let (_into, _, manifest) = export(&folder, "yard", window("10:00:05", "10:00:29")).await.unwrap();
    assert_eq!(manifest.gaps, []);
}

/// At the end of a window nothing is passed over because it is short, least of all where the file that held it cannot be read.
#[tokio::test]
async fn what_an_unreadable_file_held_is_told_however_short_it_is() {
    let recorder = Recorder::new();
    for name in ["10-00-00", "10-00-10", "10-00-20"] {
        recorder.record(&format!("yard/2026-01-10_{name}.mp4"), 10, &[]);
    }
    let broken = recorder.path("yard/2026-01-10_10-00-10.mp4");
    std::fs::write(&broken, &std::fs::read(&broken).unwrap()[..2_000]).unwrap();
    recorder.age("yard/2026-01-10_10-00-10.mp4", Duration::from_secs(3_600));
    let folder = recorder.folder();
    let within = export(&folder, "yard", window("10:00:10.1", "10:00:10.3")).await;
    let Err(Trouble::Unavailable { reason: UnavailableReason::Gap, detail }) = within else { panic!("exported") };
    assert!(detail.contains("10-00-10.mp4"), "{detail}");
    for (from, to) in [("10:00:05", "10:00:10.2"), ("10:00:19.8", "10:00:25")] {
        let (_into, _, manifest) = export(&folder, "yard", window(from, to)).await.unwrap();
        let [gap] = &manifest.gaps[..] else { panic!("{from} to {to}: {:?}", manifest.gaps) };
        assert!(gap.reason.as_ref().unwrap().contains("10-00-10.mp4"), "{gap:?}");
    }
}
