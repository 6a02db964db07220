use super::encode::encode;
use super::h264::{self, Place};
use super::scene::{self, View};

/// A stream that is taken apart and put together again is the same for whoever decodes it.
#[test]
fn slices_survive() {
    let pictures = &scene::pictures(View::Street, 3)[..20];
    for slice in encode(pictures, false, 30, None).unwrap() {
        let unit = slice.unit(Place { macroblock: 0, picture: 4 });
        assert!(unit.len() > 2 && !unit.windows(3).any(|w| w == [0, 0, 1] || w == [0, 0, 0]));
    }
}

#[test]
fn an_unchanged_slice_is_small() {
    assert!(h264::Slice::unchanged(880).unit(Place { macroblock: 0, picture: 1 }).len() < 8);
}

#[test]
fn stills_are_pictures_each() {
    let stills = super::stills(&[(View::Street, 1), (View::Concourse, 2), (View::Street, 3)]).unwrap();
    assert_eq!(stills.len(), 3);
    assert!(
        stills
            .iter()
            .all(|still| still.starts_with(&[0xFF, 0xD8]) && still.ends_with(&[0xFF, 0xD9]) && still.len() < 100_000)
    );
    assert_ne!(stills[0], stills[2]);
}
