//! Houses: each block is divided into lots, each lot holds a house a little smaller than itself.

use super::super::footage::Dice;
use super::{Point, plan};

#[derive(Clone, Copy)]
struct Lot {
    low: Point,
    high: Point,
}

/// From the middle of a street to the houses, in metres.
const SETBACK: f64 = 12.0;

/// Every house with its name, if it has one.
pub(super) fn buildings() -> Vec<(Option<&'static str>, Vec<Point>)> {
    let mut all = vec![(Some("Harbor Mall"), plan::mall())];
    let mut dice = Dice(47);
    for number in 1..12 {
        // Warehouses between the river and the first avenue.
        let [west, east] = [plan::street(number), plan::street(number + 1)];
        let quay = Lot {
            low: [west + SETBACK, plan::river_road(west).max(plan::river_road(east)) + SETBACK],
            high: [east - SETBACK, plan::avenue(0) - SETBACK],
        };
        divide(quay, &mut dice, &mut all);
        for index in 0..plan::AVENUE_COUNT - 1 {
            if plan::is_special(number, index) {
                continue;
            }
            let block = Lot {
                low: [plan::street(number) + SETBACK, plan::avenue(index) + SETBACK],
                high: [plan::street(number + 1) - SETBACK, plan::avenue(index + 1) - SETBACK],
            };
            match (number, index) {
                (1, 1) => all.push((Some("Central Station"), outline(shrink(block, 4.0, 14.0)))),
                (6, 1) => all.push((Some("City Hall"), l_shape(shrink(block, 6.0, 6.0), 0.55))),
                _ => divide(block, &mut dice, &mut all),
            }
        }
    }
    all
}

fn divide(lot: Lot, dice: &mut Dice, all: &mut Vec<(Option<&'static str>, Vec<Point>)>) {
    let [width, depth] = [lot.high[0] - lot.low[0], lot.high[1] - lot.low[1]];
    if width * depth < 900.0 + 700.0 * dice.unit() || width.max(depth) < 26.0 {
        build(lot, dice, all);
        return;
    }
    let axis = usize::from(depth > width);
    let cut = lot.low[axis] + (lot.high[axis] - lot.low[axis]) * (0.38 + 0.24 * dice.unit());
    let (mut first, mut second) = (lot, lot);
    first.high[axis] = cut;
    second.low[axis] = cut;
    divide(first, dice, all);
    divide(second, dice, all);
}

fn build(lot: Lot, dice: &mut Dice, all: &mut Vec<(Option<&'static str>, Vec<Point>)>) {
    let house = shrink(lot, 1.0 + 3.0 * dice.unit(), 1.0 + 3.0 * dice.unit());
    let (empty, bent) = (dice.unit() < 0.07, dice.unit() < 0.3);
    if empty || near_diagonal(house) {
        return;
    }
    all.push((None, if bent { l_shape(house, 0.4 + 0.25 * dice.unit()) } else { outline(house) }));
}

fn shrink(lot: Lot, x: f64, y: f64) -> Lot {
    Lot { low: [lot.low[0] + x, lot.low[1] + y], high: [lot.high[0] - x, lot.high[1] - y] }
}

fn outline(Lot { low, high }: Lot) -> Vec<Point> {
    vec![low, [high[0], low[1]], high, [low[0], high[1]]]
}

fn l_shape(Lot { low, high }: Lot, part: f64) -> Vec<Point> {
    let inner = [low[0] + (high[0] - low[0]) * part, low[1] + (high[1] - low[1]) * part];
    vec![low, [high[0], low[1]], [high[0], inner[1]], inner, [inner[0], high[1]], [low[0], high[1]]]
}

/// Whether a house would stand on the road that cuts across.
fn near_diagonal(house: Lot) -> bool {
    let [a, b] = plan::diagonal();
    let direction = [b[0] - a[0], b[1] - a[1]];
    let length = direction[0].hypot(direction[1]);
    let sides: Vec<f64> =
        outline(house).iter().map(|p| ((p[0] - a[0]) * direction[1] - (p[1] - a[1]) * direction[0]) / length).collect();
    let beyond = house.low[0] > b[0] + SETBACK || house.low[1] > b[1] + SETBACK;
    !(beyond || sides.iter().all(|&s| s > SETBACK) || sides.iter().all(|&s| s < -SETBACK))
}
