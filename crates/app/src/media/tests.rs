//! With Debian's ffmpeg, unconfined; the same files meet the confinement in the server's tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::{Limits, Made, MediaErrorKind, Tools};

/// Makes a file with ffmpeg's own test pictures.
fn footage(folder: &Path, name: &str, args: &str) -> PathBuf {
    let path = folder.join(name);
    let source = "-v error -nostdin -y -f lavfi -i testsrc2=s=320x240:r=10:d=3 -f lavfi -i sine=d=3 -shortest";
    let status = Command::new("ffmpeg").args(source.split(' ')).args(args.split(' ')).arg(&path).status();
    assert!(status.expect("ffmpeg is installed").success(), "{name}");
    path
}

fn folders() -> (tempfile::TempDir, tempfile::TempDir) {
    (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap())
}

/// What a player tells of the first seconds says nothing of a rate that rises later.
#[tokio::test]
async fn each_picture_is_shown_where_the_rate_changes() {
    let (of, out) = folders();
    let tools = Tools::default();
    let made = |name: &str, from: String, args: &str| {
        let path = of.path().join(name);
        let command = format!("-v error -nostdin -y {from} {args}");
        let status = Command::new("ffmpeg").args(command.split(' ')).arg(&path).status();
        assert!(status.unwrap().success(), "{name}");
        path
    };
    let mut list = "ffconcat version 1.0\n".to_owned();
    for rate in [10, 25] {
        let path = made(
            &format!("{rate}.mp4"),
            format!("-f lavfi -i testsrc2=s=320x240:r={rate}:d=20"),
            "-c:v mpeg4 -g 20 -video_track_timescale 90000",
        );
        list += &format!("file '{}'\n", path.display());
    }
    std::fs::write(of.path().join("list"), list).unwrap();
    let listed = of.path().join("list");
    let input = made("both.mp4", format!("-f concat -safe 0 -i {}", listed.display()), "-c copy");
    let facts = tools.probe(&input).await.unwrap();
    let output = out.path().join("playable.mp4");
    assert_eq!(tools.make_playable(&input, &facts, &output).await.unwrap().made, Made::Encoded);
    let counted = ["-v", "error", "-count_packets", "-select_streams", "v", "-show_entries", "stream=nb_read_packets"];
    let told = Command::new("ffprobe").args(counted).args(["-of", "csv=p=0"]).arg(&output).output().unwrap();
    assert_eq!(String::from_utf8(told.stdout).unwrap().trim(), "700");
}

#[tokio::test]
async fn what_browsers_play_is_copied_and_the_rest_is_encoded() {
    let (of, out) = folders();
    let tools = Tools::default();
    for (name, args, how, audio) in [
        ("plain.mp4", "-c:v libx264 -pix_fmt yuv420p -c:a aac", Made::Copied, Some("aac")),
        ("silent.ts", "-an -c:v libx264 -pix_fmt yuv420p", Made::Copied, None),
        ("recorder.mkv", "-c:v libx264 -pix_fmt yuv420p -c:a pcm_mulaw", Made::Copied, Some("aac")),
        ("full.mp4", "-c:v libx264 -pix_fmt yuv444p -c:a aac", Made::Encoded, Some("aac")),
        ("old.avi", "-c:v mpeg4 -c:a mp3", Made::Encoded, Some("aac")),
        ("raw.h264", "-an -c:v libx264 -pix_fmt yuv420p -f h264", Made::Encoded, None),
        ("new.mp4", "-an -c:v libx265 -x265-params log-level=none", Made::Encoded, None),
    ] {
        let input = footage(of.path(), name, args);
        let facts = tools.probe(&input).await.unwrap();
        assert_eq!((facts.media.width, facts.media.height), (Some(320), Some(240)), "{name}");
        let output = out.path().join("playable.mp4");
        assert_eq!(tools.make_playable(&input, &facts, &output).await.unwrap().made, how, "{name}");
        let copy = tools.probe(&output).await.unwrap();
        assert_eq!(copy.media.video_codec.as_deref(), Some("h264"), "{name}");
        assert_eq!(copy.media.audio_codec.as_deref(), audio, "{name}");
        assert!(copy.plays_as_it_is(), "{name}");
        assert!(copy.media.duration_ms.unwrap().abs_diff(3000) < 300, "{name}: {copy:?}");
        let bytes = std::fs::read(&output).unwrap();
        let at = |atom: &[u8]| bytes.windows(4).position(|four| four == atom).unwrap();
        assert!(at(b"moov") < at(b"mdat"), "{name}: the index is not first");
    }
}

#[tokio::test]
async fn sound_that_begins_first_is_told_and_stays_first() {
    let (of, out) = folders();
    let tools = Tools::default();
    let late = "-c:v libx264 -pix_fmt yuv420p -c:a aac -filter:v setpts=PTS+0.4/TB";
    for (name, args, first_ms) in
        [("late.mkv", late, 400), ("late.mp4", late, 400), ("plain.mp4", "-c:v libx264 -pix_fmt yuv420p -c:a aac", 0)]
    {
        let input = footage(of.path(), name, args);
        let facts = tools.probe(&input).await.unwrap();
        assert!(facts.media.first_picture_ms.abs_diff(first_ms) < 60, "{name}: {}", facts.media.first_picture_ms);
        let output = out.path().join("playable.mp4");
        tools.make_playable(&input, &facts, &output).await.unwrap();
        let copy = tools.probe(&output).await.unwrap().media.first_picture_ms;
        assert!(copy.abs_diff(first_ms) < 60, "{name}: {copy}");
    }
}

#[tokio::test]
async fn a_single_picture_is_shown_and_sound_alone_is_heard() {
    let (of, out) = folders();
    let tools = Tools::default();
    let output = out.path().join("playable.mp4");
    for name in ["photo.jpg", "screen.png"] {
        let input = of.path().join("original"); // the store of bytes gives no endings
        std::fs::rename(footage(of.path(), name, "-an -frames:v 1"), &input).unwrap();
        let facts = tools.probe(&input).await.unwrap();
        assert_eq!(tools.make_playable(&input, &facts, &output).await.unwrap().made, Made::Encoded, "{name}");
        let copy = tools.probe(&output).await.unwrap();
        assert!(copy.plays_as_it_is(), "{name}");
        assert!(copy.media.duration_ms.unwrap().abs_diff(2_000) < 200, "{name}: {copy:?}");
        tools.thumbnail(&input, Duration::ZERO, &out.path().join("thumbnail.jpg")).await.unwrap();
    }
    for (name, args) in [("call.mp3", "-vn"), ("call.wav", "-vn"), ("call.m4a", "-vn -c:a aac"), ("call.ogg", "-vn")] {
        let input = footage(of.path(), name, args);
        let facts = tools.probe(&input).await.unwrap();
        tools.make_playable(&input, &facts, &output).await.unwrap();
        let copy = tools.probe(&output).await.unwrap().media;
        assert_eq!((copy.video_codec, copy.audio_codec.as_deref()), (None, Some("aac")), "{name}");
        assert!(copy.duration_ms.unwrap().abs_diff(3_000) < 200, "{name}");
    }
}

/// A JPEG as a phone that is held upright writes it: lying, with a note that it is to be turned by a quarter.
fn lying_photo(folder: &Path) -> PathBuf {
    const TURN: &[u8] = b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let plain = std::fs::read(footage(folder, "plain.jpg", "-an -frames:v 1")).unwrap();
    let path = folder.join("original"); // the store of bytes gives no endings
    std::fs::write(&path, [&plain[..2], TURN, &plain[2..]].concat()).unwrap();
    path
}

#[tokio::test]
async fn a_photo_stands_upright() {
    let (of, out) = folders();
    let tools = Tools::default();
    let input = lying_photo(of.path());
    let facts = tools.probe(&input).await.unwrap();
    let (copy, picture) = (out.path().join("playable.mp4"), out.path().join("thumbnail"));
    tools.make_playable(&input, &facts, &copy).await.unwrap();
    tools.thumbnail(&input, Duration::ZERO, &picture).await.unwrap();
    for made in [copy, picture] {
        let media = tools.probe(&made).await.unwrap().media;
        assert_eq!((media.width, media.height), (Some(240), Some(320)), "{}", made.display());
    }
}

#[tokio::test]
async fn large_pictures_are_made_smaller() {
    let (of, out) = folders();
    let tools = Tools::default();
    let input = footage(of.path(), "large.mkv", "-an -t 0.3 -vf scale=2560:1920 -c:v mpeg4");
    let facts = tools.probe(&input).await.unwrap();
    let output = out.path().join("playable.mp4");
    tools.make_playable(&input, &facts, &output).await.unwrap();
    let copy = tools.probe(&output).await.unwrap().media;
    assert_eq!((copy.width, copy.height), (Some(1440), Some(1080)));
}

#[tokio::test]
async fn a_thumbnail_is_a_small_jpeg_even_beyond_the_end() {
    let (of, out) = folders();
    let tools = Tools::default();
    let input = footage(of.path(), "wide.mp4", "-an -vf scale=1280:720 -c:v libx264");
    for (name, at) in [("middle.jpg", 1), ("beyond.jpg", 60)] {
        let output = out.path().join(name);
        tools.thumbnail(&input, Duration::from_secs(at), &output).await.unwrap();
        let bytes = std::fs::read(&output).unwrap();
        assert_eq!(bytes[..3], [0xff, 0xd8, 0xff], "{name}");
        let size = Command::new("ffprobe")
            .args(["-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0"])
            .arg(&output)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&size.stdout).trim(), "640,360", "{name}");
    }
}

#[tokio::test]
async fn hostile_files_end_in_a_short_sentence() {
    let (of, out) = folders();
    let tools = Tools::default();
    let secret = of.path().join("secret.mp4");
    std::fs::copy(footage(of.path(), "plain.mp4", "-an -c:v libx264"), &secret).unwrap();
    let whole = std::fs::read(&secret).unwrap();
    let secret = secret.display();
    let files: [(&str, Vec<u8>); 12] = [
        ("empty.mp4", Vec::new()),
        ("text.mp4", b"This is no video.\n".repeat(100)),
        ("noise.mp4", (0..100_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()),
        ("truncated.mp4", whole[..whole.len() / 3].to_vec()),
        ("list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n".to_vec()),
        ("list.mp4", format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n").into_bytes()),
        ("far.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n".to_vec()),
        ("joined.mp4", format!("ffconcat version 1.0\nfile '{secret}'\n").into_bytes()),
        ("session.sdp", b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n".to_vec()),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg' width='90000' height='90000'><image href='file:///etc/passwd'/></svg>".to_vec()),
        ("subtitle.mp4", b"1\n00:00:00,000 --> 00:00:10,000\nhello\n".to_vec()),
        ("bomb.png", png_bomb()),
    ];
    for (name, bytes) in files {
        let input = of.path().join(name);
        std::fs::write(&input, bytes).unwrap();
        let started = Instant::now();
        let error = tools.probe(&input).await.expect_err(name);
        assert_eq!(error.kind, MediaErrorKind::File, "{name}: {error:?}");
        let sentence = error.to_string();
        assert!(sentence.len() < 80 && !sentence.contains('/'), "{name}: {sentence}");
        let picture = tools.thumbnail(&input, Duration::ZERO, &out.path().join("t.jpg")).await;
        picture.expect_err(name);
        assert!(started.elapsed() < Duration::from_secs(20), "{name} took {:?}", started.elapsed());
    }
}

/// A picture that says it is 60,000 pixels wide and high.
fn png_bomb() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    png.extend(60_000u32.to_be_bytes());
    png.extend(60_000u32.to_be_bytes());
    png.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
    png
}

#[tokio::test]
async fn many_streams_are_refused() {
    let (of, _out) = folders();
    let path = of.path().join("many.mkv");
    let mut command = Command::new("ffmpeg");
    command.args("-v error -nostdin -y -f lavfi -i testsrc2=s=32x32:r=5:d=1 -c:v mpeg4".split(' '));
    (0..300).for_each(|_| {
        command.args(["-map", "0:v"]);
    });
    assert!(command.arg(&path).status().unwrap().success());
    let error = Tools::default().probe(&path).await.unwrap_err();
    assert_eq!((error.kind, error.sentence), (MediaErrorKind::Limit, "the file has more streams than is allowed"));
}

#[tokio::test]
async fn what_takes_too_long_is_killed_with_its_group() {
    let (of, out) = folders();
    let input = footage(of.path(), "long.mkv", "-an -vf scale=1920:1080 -c:v mpeg4");
    let limits = Limits { least: Duration::from_millis(300), per_second: Duration::ZERO, ..Limits::default() };
    let tools = Tools { limits, ..Tools::default() };
    let facts = tools.probe(&input).await.unwrap();
    let started = Instant::now();
    let error = tools.make_playable(&input, &facts, &out.path().join("p.mp4")).await.unwrap_err();
    assert_eq!(error.kind, MediaErrorKind::Limit);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_missing_program_is_the_installations_fault() {
    let tools = Tools { ffprobe: "/nonexistent/ffprobe".into(), ..Tools::default() };
    assert_eq!(tools.probe(Path::new("/dev/null")).await.unwrap_err().kind, MediaErrorKind::Installation);
}
