use domain::Timestamp;
use protocol::ExportFacts;

use super::*;

fn task() -> TaskId {
    "tsk_01h455vb4pex5vsknk084sn02q".parse().unwrap()
}

fn window(seconds: i64) -> Window {
    Window { from: Timestamp::from_micros(0), to: Timestamp::from_micros(seconds * 1_000_000) }
}

fn manifest() -> Manifest {
    Manifest {
        version: 1,
        software: "test".into(),
        adapter: "folder".into(),
        device_id: "yard".into(),
        asked: window(10),
        segments: Vec::new(),
        gaps: Vec::new(),
        first_frame: Timestamp::from_micros(0),
        last_frame: Timestamp::from_micros(1),
        key_frame_interval_ms: None,
        uncertainty_ms: None,
        sound_left_out: None,
        clock_offset: None,
        export: ExportFacts { sha256: String::new(), size_bytes: 0, container: "mp4".into() },
    }
}

fn open(state: &Path) -> Arc<Spool> {
    Arc::new(Spool::open(state).unwrap())
}

/// An export that was finished and is being sent.
async fn exported(spool: &Arc<Spool>) -> Work {
    let mut work = spool.work(&task()).await.unwrap();
    let file = work.scratch().unwrap().join("export.mp4");
    std::fs::write(&file, b"film").unwrap();
    let source = SourceDescription { device_id: "yard".into(), ..SourceDescription::default() };
    let exported = Exported { path: file, manifest: manifest() };
    work.keep(&exported, source, window(10)).await.unwrap();
    work.sent_to("/api/v1/uploads/one").unwrap();
    work
}

#[tokio::test]
async fn an_ffmpeg_of_a_dead_connector_finds_no_folder() {
    let state = tempfile::tempdir().unwrap();
    let before = open(state.path()).work(&task()).await.unwrap().scratch().unwrap().join("export.mp4");
    let mut work = open(state.path()).work(&task()).await.unwrap();
    let now = work.scratch().unwrap().join("export.mp4");
    std::fs::write(&now, b"film").unwrap();
    assert!(std::fs::write(&before, b"the orphan's").is_err());
    assert_eq!(std::fs::read(&now).unwrap(), b"film");
}

#[tokio::test]
async fn a_finished_export_outlives_the_process_and_what_is_unfinished_does_not() {
    let state = tempfile::tempdir().unwrap();
    let spool = open(state.path());
    assert!(Spool::open(state.path()).err().unwrap().to_string().contains("another"));
    drop(exported(&spool).await);
    let other: TaskId = "tsk_01h455vb4pex5vsknk084sn02r".parse().unwrap();
    let mut unfinished = spool.work(&other).await.unwrap();
    std::fs::write(unfinished.scratch().unwrap().join("export.mp4"), b"fi").unwrap();
    std::fs::create_dir_all(state.path().join("copy")).unwrap();
    std::fs::write(state.path().join("spool/tsk_of_nobody"), b"x").unwrap();
    // as a kill would leave it
    std::fs::rename(state.path().join("spool").join(other.as_str()), state.path().join("copy/left")).unwrap();
    drop(unfinished);
    std::fs::rename(state.path().join("copy/left"), state.path().join("spool").join(other.as_str())).unwrap();
    drop(spool);

    let spool = open(state.path());
    assert_eq!(std::fs::read_dir(&spool.root).unwrap().count(), 1);
    let mut work = spool.work(&task()).await.unwrap();
    assert!(work.finished("gate", window(10)).is_none(), "another camera");
    assert!(work.finished("yard", window(11)).is_none(), "another window");
    let entry = work.finished("yard", window(10)).unwrap().clone();
    assert_eq!((entry.size_bytes, entry.location.as_deref()), (4, Some("/api/v1/uploads/one")));
    assert_eq!(std::fs::read(work.file(&entry)).unwrap(), b"film");
    work.over();
    drop(work);
    assert_eq!(std::fs::read_dir(&spool.root).unwrap().count(), 0);
}

#[tokio::test]
async fn what_was_fetched_whole_outlives_a_try_that_failed_and_a_kill() {
    let state = tempfile::tempdir().unwrap();
    let names = |folder: &Path| {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|found| found.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let all = ["export.mp4", "recording-a.mp4", "recording-b.coming"];
    let write = |folder: &Path| all.iter().for_each(|name| std::fs::write(folder.join(name), b"film").unwrap());

    let spool = open(state.path());
    let mut work = spool.work(&task()).await.unwrap();
    write(&work.scratch().unwrap());
    work.failed();
    drop(work);
    let mut work = spool.work(&task()).await.unwrap();
    let again = work.scratch().unwrap();
    assert_eq!(names(&again), ["recording-a.mp4"]);
    write(&again);
    // as a kill leaves it
    let copy = state.path().join("copy");
    std::fs::rename(&work.path, &copy).unwrap();
    let place = work.path.clone();
    drop(work);
    std::fs::rename(&copy, &place).unwrap();
    drop(spool);

    let spool = open(state.path());
    let mut work = spool.work(&task()).await.unwrap();
    assert_eq!(names(&work.scratch().unwrap()), ["recording-a.mp4"]);
    assert_eq!(names(&place).len(), 1);
    drop(work);
    spool.tidy_after(Duration::ZERO);
    assert_eq!(names(&spool.root).len(), 0, "nobody came back for it");

    let mut work = spool.work(&task()).await.unwrap();
    write(&work.scratch().unwrap());
    work.over();
    drop(work);
    assert_eq!(names(&spool.root).len(), 0);
}

#[tokio::test]
async fn an_export_that_could_not_be_sent_is_made_anew() {
    let state = tempfile::tempdir().unwrap();
    let spool = open(state.path());
    exported(&spool).await.failed();
    assert_eq!(std::fs::read_dir(&spool.root).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_not_whole_is_made_anew() {
    type Spoil = fn(&Path);
    let spoil: [Spoil; 2] = [
        |folder| std::fs::write(folder.join("export.mp4"), b"fil").unwrap(),
        |folder| std::fs::write(folder.join(ENTRY), b"{\"source\":").unwrap(),
    ];
    for spoil in spoil {
        let state = tempfile::tempdir().unwrap();
        let spool = open(state.path());
        drop(exported(&spool).await);
        spoil(&state.path().join("spool").join(task().as_str()));
        let work = spool.work(&task()).await.unwrap();
        assert!(work.finished("yard", window(10)).is_none());
        drop(work);
        assert_eq!(std::fs::read_dir(&spool.root).unwrap().count(), 0);
        drop(exported(&spool).await);
        spoil(&state.path().join("spool").join(task().as_str()));
        drop(spool);
        assert_eq!(std::fs::read_dir(&open(state.path()).root).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn one_lease_of_a_task_waits_for_the_other_and_a_lost_task_is_forgotten() {
    let state = tempfile::tempdir().unwrap();
    let spool = open(state.path());
    let first = exported(&spool).await;
    let (task, second) = (task(), Arc::clone(&spool));
    let mut second = tokio::spawn(async move { second.work(&task).await.unwrap() });
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut second).await.is_err());
    spool.tidy_after(Duration::ZERO);
    drop(first);
    let second = second.await.unwrap();
    assert!(second.finished("yard", window(10)).is_some());
    drop(second);
    spool.tidy();
    assert_eq!(std::fs::read_dir(&spool.root).unwrap().count(), 1, "it may come back");
    spool.tidy_after(Duration::ZERO);
    assert_eq!(std::fs::read_dir(&spool.root).unwrap().count(), 0);
}
