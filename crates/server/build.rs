//! Embeds the web page. A clone that has not built the page yet gets one that says so.

use std::path::Path;

fn main() {
    let dist = Path::new("../../web/dist");
    for page in ["staff.html", "guest.html"] {
        if !dist.join(page).exists() {
            std::fs::create_dir_all(dist).expect("the folder of the page can be made");
            let body =
                format!("<!doctype html><title>Sightline</title><p>{page} is not built: run <code>make web</code>.");
            std::fs::write(dist.join(page), body).expect("the page's place can be written");
        }
    }
    memory_serve::load_directory("../../web/dist");
}
