//! The rules: one file per noun; no clock, no randomness, no I/O.
