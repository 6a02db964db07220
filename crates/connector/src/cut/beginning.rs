//! When a recording begins whose first pictures are lost. Its name tells when the lost ones were recorded; how much later the first one
//! that is left was, the clocks of the files beside it tell: a recorder begins each file at the same time, or goes on from the file before.

use std::time::Duration;

use super::layout::Film;
use super::{Part, Unreadable};

/// Clocks that are so near each other are the same.
const ALIKE_US: i64 = 300_000;

/// What a recording's clock and name say, in microseconds.
#[derive(Clone, Copy)]
struct Clock {
    /// Its clock at its first picture.
    first: i64,
    duration: i64,
    /// When it begins by its name, and how much later it may.
    begins: i64,
    or_later: i64,
    damaged: bool,
}

impl Clock {
    fn of(part: &Part, damaged: bool) -> Self {
        Self {
            first: part.facts.first_us,
            duration: part.facts.duration_us,
            begins: part.begins.as_micros(),
            or_later: i64::try_from(part.or_later.as_micros()).unwrap_or(0),
            damaged,
        }
    }
}

/// The recordings before and after those of a window, where they are known. Nothing is cut out of them.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// The one before the first.
    pub before: Option<Part>,
    /// The one after the last.
    pub after: Option<Part>,
}

/// Finds for each damaged film how much of its beginning is lost, but for those of which that is known already.
pub(super) fn find(films: &mut [Film], beside: &Beside, known: &[Unreadable]) {
    let outside = |part: &Option<Part>| part.as_ref().map(|part| Clock::of(part, part.facts.broken));
    let mut clocks = vec![outside(&beside.before)];
    clocks.extend(films.iter().map(|film| Some(Clock::of(&film.part, film.damaged))));
    clocks.push(outside(&beside.after));
    for (film, clocks) in films.iter_mut().zip(clocks.windows(3)) {
        let known = known.iter().any(|bad| bad.name == film.part.name);
        if let ([before, Some(here), after], true) = (clocks, film.damaged && !known) {
            film.late_us = of_damaged(*before, *here, *after);
        }
    }
}

/// How much is missing of the beginning of a recording whose rest need not be damaged, as after a disk was mended. Both neighbours must
/// tell, and it must be all that is missing before the next one: a pause looks alike, and a short recording before an outage.
pub fn missing(before: &Part, here: &Part, after: &Part) -> Duration {
    let [before, here, after] = [before, here, after].map(|part| Clock::of(part, false));
    Duration::from_micros(of_whole(before, here, after).unsigned_abs())
}

/// In microseconds; 0 where nothing tells of a loss, as in the next.
fn of_whole(before: Clock, here: Clock, after: Clock) -> i64 {
    let unsure = here.or_later.max(before.or_later).max(after.or_later);
    let (lost, missing) = (between(before, here, after), after.begins - here.begins - here.duration);
    let clear = lost > unsure + ALIKE_US && !follows(before, here);
    if clear && (lost - missing).abs() <= unsure + 250_000 { lost } else { 0 }
}

fn of_damaged(before: Option<Clock>, here: Clock, after: Option<Clock>) -> i64 {
    let best = [after, before].into_iter().flatten().min_by_key(|clock| clock.damaged);
    let Some(beside) = best else { return 0 };
    // it ends no later for that than where the next one begins, or than it is long
    let missing = match after {
        Some(after) => after.begins - here.begins - here.duration,
        None => beside.duration - here.duration,
    };
    let most = missing.saturating_add(here.or_later.max(beside.or_later) + 50_000);
    // nothing but what is hardly seen: the hole behind it is a pause
    let follows = before.is_some_and(|before| follows(before, here));
    let most = if follows { most.min(2 * ALIKE_US) } else { most };
    next_to(beside, here).into_iter().find(|lost| *lost > 0 && *lost <= most).unwrap_or(0)
}

/// Whether its clock went on from the recording before: nothing between them is lost.
fn follows(before: Clock, here: Clock) -> bool {
    (here.first - before.first - before.duration).abs() <= ALIKE_US
}

/// By what the clocks of both neighbours have in common.
fn between(before: Clock, here: Clock, after: Clock) -> i64 {
    let begin_anew = (after.first - before.first).abs() <= ALIKE_US;
    if begin_anew { here.first - before.first } else { ahead_of_its_name(before, here) }
}

/// By one neighbour of a damaged recording: as if each began its clock anew, and as if it went on.
fn next_to(beside: Clock, here: Clock) -> [i64; 2] {
    let later = here.first - beside.first;
    let alike = later.abs() <= ALIKE_US;
    [later, if alike { 0 } else { ahead_of_its_name(beside, here) }]
}

/// By how much a clock that goes on is further than the name, if the name does not leave that open.
fn ahead_of_its_name(beside: Clock, here: Clock) -> i64 {
    let ahead = here.first - beside.first - (here.begins - beside.begins);
    if ahead > here.or_later.max(beside.or_later) { ahead } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its clock, its length and its name, in seconds; names tell whole seconds.
    fn whole(first: f64, duration: f64, begins: f64) -> Clock {
        let us = |seconds: f64| (seconds * 1e6) as i64;
        Clock { first: us(first), duration: us(duration), begins: us(begins), or_later: 1_000_000, damaged: false }
    }

    fn damaged(before: Option<Clock>, here: Clock, after: Option<Clock>) -> f64 {
        of_damaged(before, Clock { damaged: true, ..here }, after) as f64 / 1e6
    }

    fn seconds(us: i64) -> f64 {
        us as f64 / 1e6
    }

    #[test]
    fn a_short_one_before_an_outage_is_no_rest_of_a_long_one() {
        let (before, short, after) = (whole(0.0, 20.0, 0.0), whole(0.0, 0.9, 20.0), whole(0.0, 20.0, 60.0));
        let short = Clock { or_later: 6_000_000, ..short };
        assert_eq!(of_whole(before, short, after), 0);
        for (before, after) in [(None, Some(after)), (Some(before), None), (Some(before), Some(after))] {
            assert_eq!(damaged(before, short, after), 0.0);
        }
    }

    #[test]
    fn a_clock_that_leaves_out_pauses_tells_of_no_loss() {
        let clips = [whole(0.0, 10.0, 0.0), whole(10.0, 10.0, 20.0), whole(20.0, 10.0, 90.0), whole(30.0, 10.0, 110.0)];
        for index in [1, 2] {
            let [before, here, after] = [clips[index - 1], clips[index], clips[index + 1]];
            assert_eq!(of_whole(before, here, after), 0, "{index}");
            assert_eq!(damaged(Some(before), here, Some(after)), 0.0, "{index}");
            assert_eq!(damaged(Some(before), here, None), 0.0, "{index}, the last of a window");
        }
    }

    #[test]
    fn what_is_missing_the_neighbours_tell() {
        let going_on = [whole(100.0, 20.0, 0.0), whole(127.4, 12.6, 20.0), whole(140.0, 20.0, 40.0)];
        let anew = [whole(1.4, 20.0, 0.0), whole(8.8, 12.6, 20.0), whole(1.4, 20.0, 40.0)];
        for [before, here, after] in [going_on, anew] {
            assert_eq!(seconds(of_whole(before, here, after)), 7.4);
            for (before, after) in [(None, Some(after)), (Some(before), None), (Some(before), Some(after))] {
                assert_eq!(damaged(before, here, after), 7.4);
            }
        }
    }

    #[test]
    fn a_recorder_that_begins_anew_after_each_second_file_lost_nothing() {
        let (first, second, anew) = (whole(1.4, 20.0, 0.0), whole(21.4, 10.0, 20.0), whole(1.4, 20.0, 50.0));
        assert_eq!(of_whole(first, second, anew), 0);
        assert_eq!(damaged(Some(first), second, Some(anew)), 0.0);
        let jumped = [whole(0.0, 20.0, 0.0), whole(50.0, 10.0, 20.0), whole(60.0, 20.0, 60.0)];
        assert_eq!(of_whole(jumped[0], Clock { first: 20_000_000, ..jumped[1] }, jumped[2]), 0);
    }

    #[test]
    fn a_clock_that_jumps_tells_of_no_loss() {
        let jumped = [whole(0.0, 20.0, 0.0), whole(500.0, 20.0, 20.0), whole(520.0, 20.0, 40.0)];
        let restarted = [whole(3_600.0, 20.0, 0.0), whole(0.0, 20.0, 50.0), whole(20.0, 20.0, 70.0)];
        for [before, here, after] in [jumped, restarted] {
            assert_eq!(of_whole(before, here, after), 0);
        }
    }
}
