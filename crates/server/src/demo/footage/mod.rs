//! The recorders of the demo: folders of video files with the time burned into every picture.
//!
//! Each camera has a folder with a file for every half minute, named by the UTC time of its first
//! picture: `<device>/20261122T210500Z.mp4`. The picture labelled 21:05:07.3 is the one of that
//! tenth of a second, and a key frame stands at every whole second. The newest file grows.
//!
//! Half an hour of eight cameras is 144,000 pictures. They are not encoded one by one: ffmpeg encodes
//! half a minute of each scene and every text that the clock can show, once, as slices that stand
//! beside each other in a picture (see [`h264`]).

mod encode;
mod h264;
mod mp4;
mod recorder;
mod scene;
mod stock;

pub(crate) use encode::stills;
pub use encode::{CELL_HEIGHT, CELL_WIDTH, FONT, Letters};
pub use recorder::{Gap, Recorder, Settings};
pub(crate) use scene::Dice;
pub use scene::View;
pub use stock::Camera;

/// Pictures per second.
pub const RATE: u32 = 10;
/// Width of a picture in pixels.
pub const WIDTH: u32 = 640;
/// Height of a picture in pixels.
pub const HEIGHT: u32 = 352;
/// Seconds from one key frame to the next.
pub const KEY_FRAME_SECONDS: i64 = 1;
/// Seconds in a file.
pub const SEGMENT_SECONDS: i64 = 30;
/// Where the clock stands: its left edge in pixels.
pub const CLOCK_LEFT: u32 = 16;
/// Where the clock stands: its upper edge in pixels.
pub const CLOCK_TOP: u32 = SCENE_ROWS * 16;

const COLUMNS: u32 = WIDTH / 16;
const SCENE_ROWS: u32 = HEIGHT / 16 - 2;
const LOOP_SECONDS: i64 = 30;

#[cfg(test)]
mod tests;
