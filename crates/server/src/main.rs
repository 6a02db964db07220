//! The binary `sightline`.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before any thread exists: a confined process gives up its rights and becomes ffmpeg.
    if let Some(code) = confine::dispatch() {
        return code;
    }
    sightline_server::cli::main()
}
