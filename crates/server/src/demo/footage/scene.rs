//! Draws what a camera looks at: half a minute of a street or a concourse, the same again each time.

use super::encode::{Colour, Picture};
use super::{LOOP_SECONDS, RATE, SCENE_ROWS, WIDTH};

/// What stands before a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// A street with traffic.
    Street,
    /// A hall or a platform with people.
    Concourse,
}

/// A small generator of our own: the same number gives the same city everywhere.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A whole number of `low..high`.
    pub(crate) fn range(&mut self, low: i32, high: i32) -> i32 {
        low + (self.next() % u64::from(low.abs_diff(high).max(1))) as i32
    }

    /// A number between 0 and 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

struct Mover {
    colour: Colour,
    lane: i32,
    width: i32,
    height: i32,
    /// Pixels per picture; whole rounds fit into the loop.
    rounds: i32,
    start: i32,
}

const WALLS: [Colour; 6] =
    [[120, 118, 140], [96, 122, 136], [140, 116, 134], [108, 130, 122], [86, 124, 132], [150, 120, 130]];
const PAINTS: [Colour; 6] =
    [[70, 108, 190], [60, 170, 110], [190, 128, 128], [40, 128, 128], [150, 110, 146], [110, 150, 100]];

/// The pictures of one loop.
pub(super) fn pictures(view: View, seed: u64) -> Vec<Picture> {
    let count = (LOOP_SECONDS * i64::from(RATE)) as i32;
    let (background, movers) = set(view, seed);
    (0..count).map(|n| at(&background, &movers, n, count)).collect()
}

/// One of them.
pub(super) fn still(view: View, seed: u64) -> Picture {
    let (background, movers) = set(view, seed);
    at(&background, &movers, 1, 4)
}

fn at(background: &Picture, movers: &[Mover], n: i32, count: i32) -> Picture {
    let mut picture = background.clone();
    movers.iter().for_each(|mover| draw(&mut picture, mover, n, count));
    picture
}

fn set(view: View, seed: u64) -> (Picture, Vec<Mover>) {
    let mut dice = Dice(seed);
    let background = match view {
        View::Street => street(&mut dice),
        View::Concourse => concourse(&mut dice),
    };
    let movers = (0..5)
        .map(|i| {
            let colour = PAINTS[dice.range(0, 6) as usize];
            let start = dice.range(0, 900);
            match (view, i) {
                (View::Street, 0..=3) => Mover {
                    colour,
                    lane: 222 + 18 * i,
                    width: 56 + 16 * (i % 2),
                    height: 18,
                    rounds: [2, 3, -3, -2][i as usize],
                    start,
                },
                _ => Mover {
                    colour,
                    lane: 196 + 14 * i,
                    width: 8,
                    height: 26,
                    rounds: if i % 2 == 0 { 1 } else { -1 },
                    start,
                },
            }
        })
        .collect();
    (background, movers)
}

fn draw(picture: &mut Picture, mover: &Mover, n: i32, count: i32) {
    let span = WIDTH as i32 + 160;
    let x = ((mover.start + mover.rounds * span * n / count).rem_euclid(span) - 80) & !1;
    let Mover { colour, lane, width, height, .. } = *mover;
    picture.fill(x, lane, width, height, colour);
    if width > height {
        picture.fill(x + width / 5, lane - 10, width * 3 / 5, 10, [colour[0] / 2 + 50, 132, 124]);
        picture.fill(x + 8, lane + height - 4, 10, 8, [24, 128, 128]);
        picture.fill(x + width - 18, lane + height - 4, 10, 8, [24, 128, 128]);
    } else {
        picture.fill(x, lane - 8, width, 8, [150, 112, 146]);
    }
}

fn street(dice: &mut Dice) -> Picture {
    let mut picture = Picture::new(WIDTH as usize, SCENE_ROWS as usize * 16, [168, 138, 122]);
    let mut x = 0;
    while x < WIDTH as i32 {
        let width = dice.range(4, 9) * 16;
        let top = dice.range(1, 7) * 16;
        let wall = WALLS[dice.range(0, 6) as usize];
        picture.fill(x, top, width, 176 - top, wall);
        for row in 0..(160 - top) / 32 {
            for column in 0..width / 32 {
                let lit = if dice.range(0, 4) == 0 { [180, 100, 140] } else { [wall[0] / 2 + 10, 134, 124] };
                picture.fill(x + column * 32 + 8, top + row * 32 + 12, 16, 16, lit);
            }
        }
        picture.fill(x + 8, 152, width - 16, 24, [60, 128, 128]);
        x += width;
    }
    picture.fill(0, 176, WIDTH as i32, 24, [150, 126, 128]);
    picture.fill(0, 200, WIDTH as i32, 92, [84, 128, 128]);
    for dash in 0..14 {
        picture.fill(dash * 48, 246, 24, 4, [200, 120, 130]);
    }
    let crossing = dice.range(4, 30) * 16;
    for bar in 0..5 {
        picture.fill(crossing, 204 + bar * 18, 48, 8, [190, 128, 128]);
    }
    picture.fill(0, 292, WIDTH as i32, 28, [140, 126, 128]);
    picture
}

fn concourse(dice: &mut Dice) -> Picture {
    let mut picture = Picture::new(WIDTH as usize, SCENE_ROWS as usize * 16, [130, 124, 132]);
    picture.fill(0, 0, WIDTH as i32, 48, [70, 128, 128]);
    for lamp in 0..5 {
        picture.fill(lamp * 128 + 32, 20, 64, 8, [225, 124, 130]);
    }
    for shop in 0..4 {
        let sign = PAINTS[dice.range(0, 6) as usize];
        picture.fill(shop * 160 + 8, 64, 144, 112, [100, 130, 126]);
        picture.fill(shop * 160 + 8, 64, 144, 20, sign);
    }
    picture.fill(0, 176, WIDTH as i32, 144, [160, 124, 130]);
    for line in 0..6 {
        picture.fill(0, 184 + line * 18, WIDTH as i32, 2, [140, 124, 130]);
    }
    for pillar in 0..3 {
        picture.fill(pillar * 224 + 80, 48, 24, 150, [112, 126, 130]);
    }
    picture
}
