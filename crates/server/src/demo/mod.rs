//! `sightline demo`: a small believable city with recorders whose footage can be checked by looking
//! at it.

pub mod city;
pub mod footage;
