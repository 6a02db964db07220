//! Hashes, Merkle log, checkpoints: no I/O, auditable alone.
