//! Windows that are still being recorded.

use super::*;

#[tokio::test]
async fn a_window_still_being_recorded_waits_for_it() {
    let recorder = Recorder::new();
    let now = jiff::Timestamp::now();
    let begins = now - jiff::SignedDuration::from_secs(12);
    let begins = jiff::Timestamp::from_second(begins.as_second()).unwrap();
    let name = format!("yard/{}.mp4", begins.strftime("%Y-%m-%d_%H-%M-%S"));
    std::fs::create_dir_all(recorder.path("yard")).unwrap();
    std::fs::write(recorder.path(&name), b"\0\0\0\x20ftypisom").unwrap(); // as a recorder leaves it while it writes
    let asked = Window { from: begins.into(), to: Timestamp::from(begins).plus(Duration::from_secs(6)) };
    let folder = recorder.folder();
    assert_eq!(export(&folder, "yard", asked).await.err(), Some(Trouble::NotYet));
    assert!(!folder.coverage("yard", asked).await.unwrap().complete);

    // also where nothing was written for some time
    recorder.age(&name, Duration::from_secs(60));
    assert_eq!(export(&folder, "yard", asked).await.err(), Some(Trouble::NotYet));

    recorder.record(&name, 10, &[]);
    export(&folder, "yard", asked).await.unwrap();
    let later = Window { from: asked.from, to: Timestamp::from(now).plus(Duration::from_secs(60)) };
    assert_eq!(export(&folder, "yard", later).await.err(), Some(Trouble::NotYet), "its end is yet to come");

    // an open segment that can be read, such as MPEG-TS, is enough where it covers the window
    let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.ts", |_| {}, &[]);
    let name = name.replace(".mp4", ".ts");
    recorder.record(&name, 8, &[]);
    recorder.age(&name, Duration::ZERO);
    export(&folder, "yard", asked).await.unwrap();
    let more = Window { to: asked.to.plus(Duration::from_secs(3)), ..asked };
    assert_eq!(export(&folder, "yard", more).await.err(), Some(Trouble::NotYet));
}

#[tokio::test]
async fn a_recorder_that_shows_only_whole_segments_is_waited_for() {
    let recorder = Recorder::new();
    let now = jiff::Timestamp::now().as_second();
    let name = |start: i64| {
        let start = jiff::Timestamp::from_second(start).unwrap();
        format!("yard/{}.mp4", start.strftime("%Y-%m-%d_%H-%M-%S"))
    };
    // the newest ended 25 s ago; the next one is under way, and nothing of it can be seen
    for start in [now - 145, now - 85] {
        recorder.record(&name(start), 60, &[]);
        recorder.age(&name(start), Duration::from_secs((now - start - 60).unsigned_abs()));
    }
    let second = |at: i64| Timestamp::from_micros(at * 1_000_000);
    let asked = Window { from: second(now - 60), to: second(now - 5) };
    let folder = recorder.folder();
    assert_eq!(export(&folder, "yard", asked).await.err(), Some(Trouble::NotYet));
    assert!(!folder.coverage("yard", asked).await.unwrap().complete);
    // there in time, or after a while given up
    recorder.record(&name(now - 25), 60, &[]);
    let (_dir, _, manifest) = export(&folder, "yard", asked).await.unwrap();
    assert_eq!(manifest.gaps, []);
    let stopped = Recorder::new();
    stopped.record(&name(now - 300), 60, &[]);
    let (_dir, _, manifest) =
        export(&stopped.folder(), "yard", Window { from: second(now - 250), to: second(now - 200) }).await.unwrap();
    assert_eq!(manifest.gaps.len(), 1, "it stopped: no longer waited for");
}

/// Of segments of two seconds the last seven are still warm; only the newest may be under way.
#[tokio::test]
async fn a_recorder_of_short_segments_is_not_waited_for() {
    let recorder = Recorder::new();
    let clip = recorder.record("clip.mp4", 2, &[]);
    std::fs::create_dir_all(recorder.path("yard")).unwrap();
    let now = jiff::Timestamp::now().as_second();
    for start in (now - 20..now).step_by(2) {
        let begins = jiff::Timestamp::from_second(start).unwrap();
        let name = format!("yard/{}.mp4", begins.strftime("%Y-%m-%d_%H-%M-%S"));
        std::fs::copy(&clip, recorder.path(&name)).unwrap();
        recorder.age(&name, Duration::from_secs((now - start - 2).unsigned_abs()));
    }
    let second = |at: i64| Timestamp::from_micros(at * 1_000_000);
    let asked = Window { from: second(now - 8), to: second(now - 4) };
    let (_dir, _, manifest) = export(&recorder.folder(), "yard", asked).await.unwrap();
    assert_eq!(manifest.gaps, []);
}
