//! When a recording begins whose first pictures are lost. Its name tells when the lost ones were recorded; how much later the first one
//! that is left was, the clocks of the files beside it tell: a recorder begins each file at the same time, or goes on from the file before.

use domain::Timestamp;

use super::layout::Film;

/// Finds for each film how much of its beginning is lost.
pub(super) fn find(films: &mut [Film]) {
    let late: Vec<_> = (0..films.len()).map(|index| late(films, index)).collect();
    films.iter_mut().zip(late).for_each(|(film, late_us)| film.late_us = late_us);
}

/// In microseconds; 0 where nothing tells of a loss.
fn late(films: &[Film], index: usize) -> i64 {
    let film = &films[index];
    let before = index.checked_sub(1).and_then(|index| films.get(index));
    let after = films.get(index + 1);
    let Some(beside) = [after, before].into_iter().flatten().min_by_key(|film| film.damaged) else { return 0 };
    let same_beginning = film.part.facts.first_us - beside.part.facts.first_us;
    let going_on = same_beginning - us(film.part.begins) + us(beside.part.begins);
    // it ends no later for that than where the next one begins, or than it is long
    let missing = match after {
        Some(after) => us(after.part.begins) - us(film.part.ends),
        None => beside.part.facts.duration_us - film.part.facts.duration_us,
    };
    let unsure = i64::try_from(film.part.or_later.max(beside.part.or_later).as_micros()).unwrap_or(0);
    // where nothing else tells of damage it must be all that is missing
    let fits = |late: &i64| {
        let most = missing.saturating_add(unsure + 50_000);
        *late > 0 && *late <= most && (film.damaged || *late > unsure + 300_000 && *late + unsure + 250_000 >= missing)
    };
    let going_on = Some(going_on).filter(|late| *late > unsure);
    [Some(same_beginning), going_on].into_iter().flatten().find(fits).unwrap_or(0)
}

fn us(at: Timestamp) -> i64 {
    at.as_micros()
}
