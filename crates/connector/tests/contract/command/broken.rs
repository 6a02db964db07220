//! A program that does not keep to the protocol harms nothing: it is ended, what it was asked for fails in a way that may go
//! better, what was known stays known, and it is started again.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sightline_connector::adapter::Trouble;

use super::{Served, System, example, script, served};
use crate::scenarios::{export, holds, later, may_go_better, noon, two_in_a_row};
use crate::system::{Bench, PASSWORD, bench};
use crate::world::{World, window};

/// The example, which misbehaves while there is a file that says so.
struct Misbehaving;

impl System for Misbehaving {
    const PRECISION: Duration = Duration::ZERO;
    const HAS_CLOCK: bool = false;
    const HAS_ACCOUNTS: bool = false;

    async fn serve(world: Arc<World>) -> Served {
        let mut served = served(&world, &[&script("misbehaving.py"), &example()], &[Path::new("faults")]);
        served.adapter += "\nanswer_seconds = 2";
        served
    }
}

fn faults(bench: &Bench) -> std::path::PathBuf {
    bench.files.path().join("faults") // the program is started in the folder of the configuration
}

/// From the next request on; a program that runs already is told by the same file.
fn misbehave(bench: &Bench, fault: &str, method: &str) {
    let coming = bench.files.path().join("coming");
    std::fs::write(&coming, format!("{fault} {method}")).unwrap();
    std::fs::rename(coming, faults(bench)).unwrap();
}

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work).await.expect("nothing hangs on a program")
}

/// Behaves from now on, and is started again within the waits between tries.
async fn recovers(bench: &Bench) {
    std::fs::remove_file(faults(bench)).unwrap();
    let up = async {
        while bench.recorder.discover().await.problem.is_some() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    in_time(up).await;
    let asked = window(later(noon(), 12), 15);
    holds::<Misbehaving>(&export::<Misbehaving>(bench, "1", asked).await.unwrap(), asked, &[]);
}

/// Whatever it is asked.
async fn always(fault: &str) {
    let bench = bench::<Misbehaving>(two_in_a_row(), PASSWORD, "").await;
    bench.recorder.discover().await;
    misbehave(&bench, fault, "*");
    let found = in_time(bench.recorder.discover()).await;
    let problem = found.problem.unwrap();
    assert!(!problem.what_to_do.is_empty());
    assert!(!found.whole);
    assert_eq!(found.sources.len(), 2, "what was known is still there");
    let asked = window(later(noon(), 12), 15);
    may_go_better(&in_time(export::<Misbehaving>(&bench, "1", asked)).await.unwrap_err());
    assert!(in_time(bench.recorder.thumbnail("1")).await.is_err());
    assert!(in_time(bench.recorder.coverage("1", asked)).await.is_err());
    recovers(&bench).await;
}

/// At one step of what an export takes.
async fn at_a_step(fault: &str, method: &str) {
    let bench = bench::<Misbehaving>(two_in_a_row(), PASSWORD, "").await;
    if !matches!(method, "hello" | "discover") {
        bench.recorder.discover().await;
    }
    misbehave(&bench, fault, method);
    let asked = window(later(noon(), if method == "bounds" { 600 } else { 12 }), 15);
    let trouble = in_time(export::<Misbehaving>(&bench, "1", asked)).await.unwrap_err();
    may_go_better(&trouble);
    recovers(&bench).await;
    assert_eq!(left_behind(&bench), Vec::<String>::new());
}

/// Files that a program wrote and nobody took.
fn left_behind(bench: &Bench) -> Vec<String> {
    let names = std::fs::read_dir(bench.into.path()).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).filter(|name| name.ends_with(".part")).collect()
}

macro_rules! faults {
    ($($fault:ident),* $(,)?) => {
        mod whatever_it_is_asked {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $fault() {
                super::always(stringify!($fault)).await;
            })*
        }
    };
}

faults!(
    dies,
    dies_within_a_line,
    nonsense,
    no_text,
    another_form,
    another_id,
    both,
    line_without_end,
    lines_without_end,
    talks,
    silent,
);

macro_rules! steps {
    ($($fault:ident: $($method:ident)*;)*) => {
        mod at_a_step {
            $(mod $fault {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $method() {
                    super::super::at_a_step(stringify!($fault), stringify!($method)).await;
                })*
            })*
        }
    };
}

steps! {
    dies: hello discover recordings bounds fetch;
    silent: hello recordings bounds fetch;
    nonsense: hello recordings fetch;
    another_form: hello recordings bounds;
    file_without_end: fetch;
    link: fetch;
    no_file: fetch;
    an_empty_file: fetch;
}

/// A link out of the folder is not followed, and no picture.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_is_none() {
    let bench = bench::<Misbehaving>(two_in_a_row(), PASSWORD, "").await;
    for fault in ["link", "no_file", "an_empty_file", "file_without_end"] {
        misbehave(&bench, fault, "snapshot");
        let up = async {
            while bench.recorder.discover().await.problem.is_some() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        in_time(up).await;
        may_go_better(&in_time(bench.recorder.thumbnail("1")).await.unwrap_err());
    }
}

/// A program that is not there, or of another version, is a problem that says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_not_there() {
    let bench = bench::<NotThere>(two_in_a_row(), PASSWORD, "").await;
    let problem = bench.recorder.discover().await.problem.unwrap();
    assert!(problem.text.contains("cannot be started"), "{}", problem.text);
    let trouble = export::<NotThere>(&bench, "1", window(noon(), 10)).await.unwrap_err();
    assert!(matches!(trouble, Trouble::Broken { retryable: true, .. }));
}

struct NotThere;

impl System for NotThere {
    const PRECISION: Duration = Duration::ZERO;

    async fn serve(_: Arc<World>) -> Served {
        Served {
            adapter: "kind = \"command\"\ncommand = [\"not-there\"]".into(),
            site: None,
            _keep: None,
            held: Arc::default(),
        }
    }

    const HAS_ACCOUNTS: bool = false;
}

/// Nothing of this process's environment reaches the program, and what it started itself ends with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_with_the_connector() {
    let bench = bench::<Parent>(two_in_a_row(), PASSWORD, "").await;
    let problem = bench.recorder.discover().await.problem.unwrap();
    assert_eq!(problem.text, "ONLY=this");
    let child = std::fs::read_to_string(bench.files.path().join("child")).unwrap();
    let there =
        || Path::new("/proc").join(child.trim()).join("fd").read_dir().is_ok_and(|mut fds| fds.next().is_some());
    assert!(there());
    drop(bench);
    let gone = async {
        while there() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    in_time(gone).await;
}

/// A shell program that starts another, and tells its environment as what is wrong.
struct Parent;

impl System for Parent {
    const PRECISION: Duration = Duration::ZERO;
    const HAS_ACCOUNTS: bool = false;

    async fn serve(_: Arc<World>) -> Served {
        let script = r#"
            /bin/sleep 600 >/dev/null 2>&1 & echo $! > child
            read -r hello
            echo '{"id": 1, "result": {"protocol": 1}}'
            read -r discover
            found=$(/usr/bin/env | /bin/grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=)
            echo '{"id": 2, "result": {"sources": [], "problem": {"text": "'"$found"'", "what_to_do": "nothing"}}}'
            read -r never
        "#;
        let command = serde_json::json!(["/bin/sh", "-c", script]);
        Served {
            adapter: format!("kind = \"command\"\ncommand = {command}\nenvironment = {{ ONLY = \"this\" }}"),
            site: None,
            _keep: None,
            held: Arc::default(),
        }
    }
}
